// The app of room_app.py on Node's Socket.IO: `node room_app.cjs PORT WORKERS REDIS_URL`.
// Node's own cluster deals connections out in turn, rooms go over Redis (the sharded
// @socket.io/redis-adapter). WebSocket needs no stickiness, so nothing pays for it here.
"use strict";

const cluster = require("cluster");
const http = require("http");
const { createShardedAdapter } = require("@socket.io/redis-adapter");
const { createClient } = require("redis");
const { Server } = require("socket.io");

const [port, workers, redisUrl] = process.argv.slice(2);

function runPrimary() {
  for (let count = 0; count < Number(workers); count++) cluster.fork();
  cluster.on("exit", () => cluster.fork());
}

async function runWorker() {
  const publisher = createClient({ url: redisUrl });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const server = http.createServer(answerPid);
  const io = new Server(server, { adapter: createShardedAdapter(publisher, subscriber) });
  io.on("connection", (socket) => serve(io, socket));
  server.listen(Number(port), "127.0.0.1");
}

function answerPid(_request, response) {
  response.end(String(process.pid));
}

function serve(io, socket) {
  socket.on("join", async (room, done) => {
    await socket.join(room);
    done();
  });
  socket.on("say", (room, text) => io.to(room).emit("said", text));
}

if (cluster.isPrimary) runPrimary();
else runWorker();
