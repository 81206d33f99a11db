// A stock page, whose handlers are written as handlers are: what it sees of a speaker's emits.
// node page.mjs '{"url": …, "speaker": …, "query": {…}}', with the switchboard at both.

import { ask, connect, main } from "./client.mjs";

const order = (operation, args, keywords = {}) => [operation, args, keywords];
const PAYLOADS = {
  one: [{ id: 1 }],
  text: ["just a text"],
  nothing: [],
  several: [1, "two", null, [3]],
  options: [{ loud: true }],
  "no options": [],
};

/** Handlers of the usual shapes; each writes down what it was given. */
function listen(socket, seen) {
  const write = (shape, ...values) => seen.push([shape, ...values.map(shown)]);
  socket.onAny((event, ...args) => write("any", event, args.length));
  socket.prependAny((...all) => write("prepended", all.length));
  socket.on("one", (data, done) => {
    write("data, done", data, typeof done);
    if (done) done();
  });
  socket.on("text", (text, done) => done && done(text));
  socket.on("nothing", function () {
    write("arguments", arguments.length);
  });
  socket.on("several", (...args) => write("rest", args));
  socket.on("several", (a, b, c, d, e = "default") => write("defaults", a, b, c, d, e));
  socket.on("options", (options = {}) => write("options", options));
  socket.on("no options", (options = {}) => write("options", options));
  socket.once("once", (...args) => write("once", args.length));
  socket.on("question", (question, answer) => answer(`${question}: yes`, 2));
  socket.on("file", (name, bytes, ...rest) => write("file", name, bytes.length, rest.length));
}

/** A function has no JSON, and what it is matters. */
function shown(value) {
  if (Array.isArray(value)) return value.map(shown);
  return typeof value === "function" ? "a function" : (value ?? String(value));
}

async function page({ url, speaker, query, transports }) {
  const seen = [];
  process.on("uncaughtException", (error) => seen.push(["threw", error.message]));
  const { socket, inbox } = await connect(url, { query, transports });
  listen(socket, seen);
  await ask(socket, "do", [order("join", ["page"])]);
  const { socket: speaking } = await connect(speaker, {});
  const payloads = Object.entries(PAYLOADS);
  const emits = payloads.flatMap(([event, args]) => emitted(event, args, socket.id));
  const [ours] = await ask(socket, "do", [order("emit", ["one", { id: 2 }])]);
  const answers = await ask(speaking, "do", [...emits, ...questions(socket.id)]);
  await inbox.first("fence");
  const { recovered, _pid: pid } = socket;
  const state = { recovered: Boolean(recovered), pid: pid ?? null };
  for (const one of [socket, speaking]) one.disconnect();
  return { seen, state, ours, answers };
}

/** To a room, to the page itself, and to everybody. */
function emitted(event, args, sid) {
  const ways = [{ to: "page" }, { to: sid }, { broadcast: true }];
  return ways.map((way) => order("emit", [event, ...args], way));
}

function questions(sid) {
  return [
    order("emit", ["once", 1], { to: sid }),
    order("emit", ["once", 2], { to: sid }),
    order("emit_outside", ["file", "name", "bytes"], { to: "page" }),
    order("call", ["question", "tea"], { to: sid, timeout: 10 }),
    order("call", ["text", "echo"], { to: sid, timeout: 10 }),
    order("call", ["one", { id: 3 }], { to: sid, timeout: 10 }),
    order("emit", ["fence"], { to: "page" }),
  ];
}

main(page);
