// Many clients that stay until stdin ends, with the stock client's own way of coming back.
// node flood.mjs '{"url": "http://…", "clients": 200, "transports": ["websocket"]}'
// `options` are further options of the stock client, such as {"reconnectionDelay": 5000}.
// A JSON line for each thing that happens, `at` in ms since the start:
//   {"event": "connect" | "reconnect", "client": 3, "sid": "a0-…", "engine": "a0-…"}
//   {"event": "disconnect", "client": 3, "reason": "transport close"}
//   {"event": "refused", "client": 3, "message": "xhr poll error"}
//   {"event": "ready", "clients": 200}   once all have connected
//   {"event": "end", "connects": 200, "disconnects": 0, "reconnects": 0, "refused": 0,
//    "connected": 200}

import { clientOptions, io, print } from "./client.mjs";

const { url, clients, transports = ["websocket"], address, options = {} } = JSON.parse(
  process.argv.at(-1),
);
const start = performance.now();
const counts = { connects: 0, disconnects: 0, reconnects: 0, refused: 0 };
const countOf = { connect: "connects", disconnect: "disconnects", reconnect: "reconnects" };

function tell(event, facts) {
  counts[countOf[event] ?? event] += 1;
  print({ event, at: Math.round(performance.now() - start), ...facts });
}

function open(client) {
  const settings = { reconnection: true, transports, address, ...options };
  const socket = io(url, clientOptions(settings));
  let before = false;
  socket.on("connect", () => {
    tell(before ? "reconnect" : "connect", { client, sid: socket.id, engine: socket.io.engine.id });
    before = true;
    if (counts.connects === clients && !ready) sayReady();
  });
  socket.on("disconnect", (reason) => tell("disconnect", { client, reason }));
  socket.on("connect_error", ({ message }) => tell("refused", { client, message }));
  return socket;
}

let ready = false;
function sayReady() {
  ready = true;
  print({ event: "ready", clients });
}

function end(sockets) {
  const connected = sockets.filter((socket) => socket.connected).length;
  print({ event: "end", ...counts, connected });
  for (const socket of sockets) socket.removeAllListeners().disconnect();
  process.stdout.write("", () => process.exit());
}

const sockets = Array.from({ length: clients }, (_, client) => open(client));
process.stdin.resume().on("end", () => end(sockets));
