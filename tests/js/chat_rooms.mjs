// A stock client in two rooms of the chat whose transport breaks, and who comes back.
// node chat_rooms.mjs '{"url": "http://…", "room": "lobby"}'

import { ask, connect, connected, main } from "./client.mjs";

const KEY = "the-key-of-ada";

async function comeBack({ url, room }) {
  const rooms = [`${room}-one`, `${room}-two`];
  const ada = await connect(url, { query: { recovery: 1 } });
  const ben = await connect(url);
  for (const roomid of rooms) {
    await ask(ada.socket, "join", { username: "ada", roomid, key: KEY });
    await ask(ben.socket, "join", { username: "ben", roomid });
  }
  await heard(ada, "join", "ben", rooms[1]);
  const back = await away(ada.socket, async () => {
    await ask(ben.socket, "say", { text: "in one, meanwhile", roomid: rooms[0] });
    await ask(ben.socket, "say", { text: "in two, meanwhile", roomid: rooms[1] });
  });
  await ask(ada.socket, "mark", {});
  const missed = says(ada);
  const said = await ask(ada.socket, "say", { text: "no join needed", roomid: rooms[0] });
  await heard(ben, "broadcast_say", "ada", rooms[0]);
  const { here } = await ask(ben.socket, "join", { username: "ben", roomid: rooms[0] });
  const quits = messages(ben).filter(({ event }) => event === "broadcast_quit");
  [ada, ben].forEach(({ socket }) => socket.disconnect());
  return { ...back, missed, said, here, quits };
}

/** Breaks the transport, acts, and is back. */
async function away(socket, act) {
  const left = new Promise((resolve) => socket.once("disconnect", resolve));
  socket.io.engine.close();
  await left;
  await act();
  const back = connected(socket);
  socket.connect();
  await back;
  return { recovered: socket.recovered };
}

function heard({ inbox }, event, username, roomid) {
  const isWanted = ({ data }) => data.username === username && data.roomid === roomid;
  return inbox.first("message", (one) => one.event === event && isWanted(one));
}

function messages({ inbox }) {
  return inbox.all("message");
}

function says(client) {
  return messages(client).filter(({ event }) => event === "broadcast_say").map(({ data }) => data.text);
}

main(comeBack);
