// What people do in the gallery, with the stock client.
// node gallery.mjs CHECK '{"url": …, …}'

import { createHash } from "node:crypto";
import {
  Inbox,
  Manager,
  ask,
  clientOptions,
  connect,
  connected,
  mainOf,
  refusal,
} from "./client.mjs";

const sha256 = (data) => createHash("sha256").update(data).digest("hex");

/** Bytes with every value in them, so that no text encoding can leave them alone by luck. */
const bytes = (size, salt = 0) => Buffer.from({ length: size }, (_, at) => (at * 7 + salt) % 256);

async function pictures({ url, transports, size }) {
  const desk = await connect(`${url}/upload`, { transports });
  const walls = await Promise.all(
    Array.from({ length: 4 }, () => connect(`${url}/thumbnails`, { transports })),
  );
  const data = bytes(size);
  const answer = await ask(desk.socket, "picture", "sunset", data);
  const thumbnails = await Promise.all(walls.map(({ inbox }) => inbox.first("thumbnail")));
  for (const { socket } of [desk, ...walls]) socket.disconnect();
  const start = Buffer.from(data.subarray(0, 64)).reverse();
  return {
    right: answer.sha256 === sha256(data) && answer.size === size,
    thumbnails: thumbnails.map((one) => one.name === "sunset" && start.equals(one.data)),
  };
}

async function album({ url, transports }) {
  const { socket } = await connect(`${url}/upload`, { transports });
  const sent = [bytes(10, 1), bytes(20_000, 2), bytes(0, 3)];
  const answers = await ask(socket, "album", sent.map((data) => ({ data })));
  socket.disconnect();
  return {
    right: answers.map(
      (answer, at) => answer.sha256 === sha256(sent[at]) && sent[at].equals(answer.data),
    ),
  };
}

/** As many as fit into one polling POST: the server takes 16 packets, a binary event is two. */
async function echo({ url, transports }) {
  const { socket, inbox } = await connect(`${url}/thumbnails`, { transports });
  const sent = Array.from({ length: 8 }, (_, at) => bytes(1 + at * 1000, at));
  for (const data of sent) socket.emit("echo", data);
  await inbox.until(() => inbox.all("echoed").length === sent.length, "echoes");
  socket.disconnect();
  return { right: inbox.all("echoed").map((data, at) => sent[at].equals(data)) };
}

/** Three namespaces over one connection: one Engine.IO session, three Socket.IO sessions. */
async function namespaces({ url, transports }) {
  const manager = new Manager(url, clientOptions({ transports }));
  const sockets = ["/", "/upload", "/thumbnails"].map((name) => manager.socket(name));
  const inboxes = sockets.map((socket) => new Inbox(socket));
  await Promise.all(sockets.map(connected));
  const [door, desk, wall] = inboxes;
  await Promise.all([door.first("visitor"), desk.first("ready"), wall.first("wall")]);
  sockets[1].disconnect();
  await sockets[2].emit("echo", bytes(3));
  await wall.first("echoed");
  const outcome = {
    sids: new Set(sockets.map(({ id }) => id)).size,
    heard: inboxes.map(({ events }) => [...new Set(events.map(({ name }) => name))]),
    connected: sockets.map((socket) => socket.connected),
  };
  for (const socket of sockets) socket.disconnect();
  return outcome;
}

/** Refused, while the session in the namespace that there is goes on. */
async function nowhere({ url }) {
  const manager = new Manager(url, clientOptions());
  const wall = manager.socket("/thumbnails");
  const inbox = new Inbox(wall);
  await connected(wall);
  await refusal(connected(manager.socket("/nowhere")));
  wall.emit("echo", bytes(3));
  await inbox.first("echoed");
  const outcome = { refused: true, connected: wall.connected };
  wall.disconnect();
  return outcome;
}

/** Many sessions at once: the processes that they are on. */
async function processes({ url, transports }) {
  const desks = await Promise.all(
    Array.from({ length: 16 }, () => connect(`${url}/upload`, { transports })),
  );
  const ready = await Promise.all(desks.map(({ inbox }) => inbox.first("ready")));
  for (const { socket } of desks) socket.disconnect();
  return { pids: [...new Set(ready.map(({ pid }) => pid))] };
}

async function visitor({ url, address, headers, transports }) {
  const { socket, inbox } = await connect(url, { address, headers, transports });
  const seen = await inbox.first("visitor");
  socket.disconnect();
  return seen;
}

mainOf({ pictures, album, echo, namespaces, nowhere, processes, visitor });
