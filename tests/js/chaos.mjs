// Many stock clients that talk to each other, and tell what they see, until stdin ends.
// node chaos.mjs   settings on the first line of stdin: {"clients": [settings of ChaosClient, …]}
// Then a line for each command:
//   {"do": "talk"} {"do": "quiet"}
//   {"do": "double", "on": true}    each say goes out two times at once
//   {"do": "shout", "size": 4000}   each text has so many characters; 0: short ones again
// Out come records, a JSON line each: [kind, client, seconds, …], kept for some ms to be written
// together. `process.hrtime` is the clock of Python's `time.monotonic`.

import { createInterface } from "node:readline";

import { ChaosClient } from "./chaos_client.mjs";

const FLUSH_MS = 40;
const scale = Number(process.env.SIOCLUSTER_TEST_SCALE ?? 1);
const patience = 5000 * scale; // as the chat's page: then it says it again

let lines = [];

function tell(...record) {
  lines.push(JSON.stringify(record));
}

function flush() {
  if (!lines.length) return;
  process.stdout.write(`${lines.join("\n")}\n`);
  lines = [];
}

const commands = {
  start: ({ clients: settings }) =>
    settings.map((one) => clients.push(new ChaosClient(one, { tell, patience }))),
  talk: () => clients.forEach((client) => client.talk(true)),
  quiet: () => clients.forEach((client) => client.talk(false)),
  double: ({ on }) => clients.forEach((client) => (client.doubled = on)),
  shout: ({ size }) => clients.forEach((client) => (client.size = size)),
};

const clients = [];
setInterval(flush, FLUSH_MS);
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const command = JSON.parse(line);
    commands[command.do](command);
  })
  .on("close", () => process.exit());
