// Two stock clients in one room of the chat: what each saw of join, say and quit.
// node chat_pair.mjs '{"urls": ["http://…", "http://…"], "addresses": ["127.0.0.2", "127.0.0.3"],
//                      "transports": ["polling"], "room": "lobby"}'
// The default for transports is the client's own: polling, then an upgrade.

import { connect, main, upgraded } from "./client.mjs";

function enter({ url, address, transports, room }, username) {
  return connect(url, { address, transports, query: { roomid: room } }).then(async (client) => {
    if (!transports) await upgraded(client.socket);
    client.socket.emit("join", { username });
    await message(client, "join", username);
    return client;
  });
}

function message({ inbox }, event, username) {
  return inbox.first("message", (one) => one.event === event && one.data.username === username);
}

async function chat({ urls, addresses = [], transports, room = "lobby" }) {
  const at = (place) => ({ url: urls[place], address: addresses[place], transports, room });
  const ada = await enter(at(0), "ada");
  const ben = await enter(at(1), "ben");
  await message(ada, "join", "ben");
  ada.socket.emit("say", { text: "hello from ada" });
  await Promise.all([ada, ben].map((one) => message(one, "broadcast_say", "ada")));
  ben.socket.emit("say", { text: "hello from ben" });
  await Promise.all([ada, ben].map((one) => message(one, "broadcast_say", "ben")));
  const last = [ada, ben].map(described);
  ben.socket.disconnect();
  await message(ada, "broadcast_quit", "ben");
  ada.socket.disconnect();
  return { ada: { ...last[0], saw: saw(ada) }, ben: { ...last[1], saw: saw(ben) } };
}

function described({ socket }) {
  const { engine } = socket.io;
  return { sid: socket.id, engine: engine.id, transport: engine.transport.name };
}

function saw({ inbox }) {
  return inbox.all("message").map(({ event, data }) => [event, data.username, data.text ?? null]);
}

main(chat);
