// Many polling sessions at once on the chat's wire, each in a room of its own.
// node sessions.mjs '{"url": "http://…", "sessions": 60, "messages": 10, "address": "127.0.0.2"}'
// For each: its sids, how many of its own messages it heard again, and what went wrong.

import { Inbox, clientOptions, io, main } from "./client.mjs";

async function session(number, { url, messages, address, transports = ["polling"] }) {
  const query = { roomid: `sessions-${number}` };
  const socket = io(url, clientOptions({ address, transports, query }));
  const inbox = new Inbox(socket);
  const errors = watchErrors(socket);
  const ids = { sid: null, engine: null };
  socket.on("connect", () => Object.assign(ids, { sid: socket.id, engine: socket.io.engine.id }));
  socket.on("connect", () => socket.emit("join", { username: `visitor ${number}` }));
  const heard = await exchange({ socket, inbox, messages }).catch((error) => {
    errors.push(error.message.slice(0, 300));
    return said(inbox).length;
  });
  socket.removeAllListeners("disconnect").disconnect();
  return { ...ids, heard, errors };
}

function watchErrors(socket) {
  const errors = [];
  socket.on("connect_error", (error) => errors.push(`connect_error: ${error.message}`));
  socket.on("disconnect", (reason) => errors.push(`disconnect: ${reason}`));
  return errors;
}

/** Say one thing, wait until it comes back, say the next. */
async function exchange({ socket, inbox, messages }) {
  await inbox.first("message", ({ event }) => event === "join");
  for (let count = 0; count < messages; count++) {
    socket.emit("say", { text: `message ${count}` });
    await inbox.until(() => said(inbox).length > count, `message ${count}`);
  }
  return said(inbox).length;
}

function said(inbox) {
  return inbox.all("message").filter(({ event }) => event === "broadcast_say");
}

async function all({ sessions = 60, messages = 10, ...options }) {
  const numbers = Array.from({ length: sessions }, (_, number) => number);
  return {
    sessions: await Promise.all(
      numbers.map((number) => session(number, { messages, ...options })),
    ),
  };
}

main(all);
