// What people do with the ticker, with the stock client.
// node ticker.mjs CHECK '{"url": …, …}'

import { ask, askForAll, connect, mainOf } from "./client.mjs";

const path = "/live/socket.io";
const open = ({ url, transports }) => connect(url, { path, transports });

async function ticks(options) {
  const { socket, inbox } = await open(options);
  await inbox.until(() => inbox.all("tick").length >= options.count, "ticks");
  socket.disconnect();
  return { ticks: inbox.all("tick") };
}

async function report(options) {
  const { socket, inbox } = await open(options);
  const started = await ask(socket, "report", 5);
  const outcome = await inbox.first("report");
  socket.disconnect();
  return { started, outcome, progress: inbox.all("progress") };
}

/** Several watchers, one trader: each watcher of the symbol hears each price once, in order. */
async function trade(options) {
  const watchers = await Promise.all(Array.from({ length: 6 }, () => open(options)));
  await Promise.all(watchers.map(({ socket }) => ask(socket, "watch", "ACME")));
  const trader = await open(options);
  const acks = [];
  for (const price of [1.5, 2.5, 3.5])
    acks.push(await askForAll(trader.socket, "trade", "ACME", price));
  for (const { inbox } of watchers) await inbox.first("price", ({ price }) => price === 3.5);
  const prices = watchers.map(({ inbox }) => inbox.all("price").map(({ price }) => price));
  for (const { socket } of [trader, ...watchers]) socket.disconnect();
  return { acks, prices, trader: trader.inbox.all("price") };
}

/** Watch, say so on stdout, and wait for a price that comes from elsewhere. */
async function watch(options) {
  const watchers = await Promise.all(Array.from({ length: 4 }, () => open(options)));
  await Promise.all(watchers.map(({ socket }) => ask(socket, "watch", options.symbol)));
  process.stdout.write('{"watching": true}\n');
  const prices = await Promise.all(watchers.map(({ inbox }) => inbox.first("price")));
  for (const { socket } of watchers) socket.disconnect();
  return { prices };
}

/** Each client asks every other one through the server, which waits for the answer. */
async function survey(options) {
  const clients = await Promise.all(Array.from({ length: 4 }, () => open(options)));
  clients.forEach(({ socket }, number) =>
    socket.on("question", (question, answer) => answer(`${number} likes ${question}`)),
  );
  const answers = [];
  for (const asking of clients)
    for (const { socket } of clients)
      answers.push(await ask(asking.socket, "survey", socket.id, "tea"));
  for (const { socket } of clients) socket.disconnect();
  return { answers };
}

async function hurry(options) {
  const [asking, silent] = [await open(options), await open(options)];
  const { gave_up } = await ask(asking.socket, "hurry", silent.socket.id);
  const asked = await silent.inbox.first("question");
  for (const { socket } of [asking, silent]) socket.disconnect();
  return { gave_up, asked };
}

async function poke(options) {
  const clients = await Promise.all(Array.from({ length: 4 }, () => open(options)));
  clients.forEach(({ socket }, number) =>
    socket.on("poked", (_, acknowledge) => acknowledge("ouch", number)),
  );
  const [poker] = clients;
  const seen = [];
  for (const [number, { socket }] of clients.entries()) {
    poker.socket.emit("poke", socket.id);
    seen.push(await poker.inbox.first("poke_seen", (one) => one.number === number));
  }
  for (const { socket } of clients) socket.disconnect();
  return { seen };
}

mainOf({ ticks, report, trade, watch, survey, hurry, poke });
