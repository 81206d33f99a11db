// What people do in the classroom, with the stock client.
// node classroom.mjs CHECK '{"url": …, "cookies": {"ada": …, "ben": …}, …}'

import { ask, connect, mainOf, refusal, upgraded } from "./client.mjs";

const lesson = ({ url, ...options }) => connect(`${url}/lesson`, options);

/** Two people in one lesson, each on a connection of its own. */
async function pair({ url, cookies, transports, room = "algebra" }) {
  const ada = await lesson({ url, cookie: cookies.ada, transports });
  const ben = await lesson({ url, cookie: cookies.ben, transports });
  await ask(ada.socket, "join", room);
  await ask(ben.socket, "join", room);
  await ada.inbox.first("joined", ({ name }) => name === "ben");
  return { ada, ben };
}

function close(...people) {
  for (const { socket } of people) socket.disconnect();
}

async function talk(options) {
  const { ada, ben } = await pair(options);
  if (!options.transports) await Promise.all([upgraded(ada.socket), upgraded(ben.socket)]);
  const acknowledged = await ask(ada.socket, "say", "what is x?");
  const heard = await ben.inbox.first("said");
  const echoed = await ada.inbox.first("said");
  close(ben);
  const left = await ada.inbox.first("left");
  close(ada);
  return { acknowledged, heard, echoed, left };
}

async function leave(options) {
  const { ada, ben } = await pair({ ...options, room: "history" });
  ben.socket.emit("leave");
  await ada.inbox.first("left");
  await ask(ada.socket, "say", "only for those who are here");
  await ask(ben.socket, "notes"); // comes after anything that was on its way to him
  await ada.inbox.first("said");
  close(ada, ben);
  return { ada: ada.inbox.all("said"), ben: ben.inbox.all("said") };
}

async function notes({ url, cookies, transports }) {
  const { socket } = await lesson({ url, cookie: cookies.ada, transports });
  const counts = [];
  for (const text of ["one", "two", "three"]) counts.push(await ask(socket, "note", text));
  const kept = await ask(socket, "notes");
  socket.disconnect();
  return { counts, kept };
}

async function me({ url, cookies, address, transports }) {
  const { socket } = await lesson({ url, cookie: cookies.ada, address, transports });
  const known = await ask(socket, "me");
  socket.disconnect();
  return known;
}

/** Paint over Socket.IO, then over HTTP, and look each time through the same connection. */
async function paint({ url, cookies, colour }) {
  const { socket } = await lesson({ url, cookie: cookies.ada });
  await ask(socket, "notes");
  socket.emit("colour", colour);
  const { colour: seen } = await ask(socket, "me");
  const form = new URLSearchParams({ colour: `dark ${colour}` });
  const headers = { cookie: cookies.ada, connection: "close" };
  await fetch(`${url}/colour`, { method: "POST", body: form, headers });
  const { colour: repainted } = await ask(socket, "me");
  socket.disconnect();
  return { seen, repainted };
}

const anonymous = async ({ url }) => ({ refused: await refusal(lesson({ url })) });

async function stranger({ url }) {
  const { socket, inbox } = await connect(url);
  const welcome = await inbox.first("welcome");
  socket.emit("ask", "may I?");
  const reason = await inbox.first("disconnect");
  return { welcome: welcome.name, reason };
}

async function known({ url, cookies }) {
  const { socket, inbox } = await connect(url, { cookie: cookies.ada });
  const welcome = await inbox.first("welcome");
  const answer = await ask(socket, "ask", "may I?");
  socket.disconnect();
  return { welcome: welcome.name, answer };
}

async function mistake({ url, cookies }) {
  const { socket, inbox } = await lesson({ url, cookie: cookies.ada });
  const answer = await ask(socket, "divide", 1, 0);
  const problem = await inbox.first("problem");
  const quotient = await ask(socket, "divide", 6, 4);
  socket.disconnect();
  return { answer, problem, quotient };
}

async function excuse(options) {
  const { ada, ben } = await pair({ ...options, room: "latin" });
  ben.socket.emit("excuse");
  const reason = await ben.inbox.first("disconnect");
  const left = await ada.inbox.first("left");
  close(ada);
  return { reason, left: left.name, active: ben.socket.active };
}

async function expel(options) {
  const { ada, ben } = await pair({ ...options, room: "sports" });
  const refused = await ask(ben.socket, "expel", ada.socket.id);
  const answer = await ask(ada.socket, "expel", ben.socket.id);
  const reason = await ben.inbox.first("disconnect");
  const left = await ada.inbox.first("left");
  close(ada);
  return { refused, answer, reason, left: left.name };
}

mainOf({ talk, leave, notes, me, paint, anonymous, stranger, known, mistake, excuse, expel });
