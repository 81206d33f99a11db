// The stock Socket.IO client, and the few things that every script here needs of it.

import { createRequire } from "node:module";
import http from "node:http";
import { fileURLToPath } from "node:url";

const modules =
  process.env.SIOCLUSTER_TEST_NODE_MODULES ??
  fileURLToPath(new URL("node_modules", import.meta.url));
export const { io, Manager } = createRequire(`${modules}/_`)("socket.io-client");

const scale = Number(process.env.SIOCLUSTER_TEST_SCALE ?? 1);
export const patience = 10_000 * scale; // ms until a wait has failed

/**
 * Options for the stock client, from plain JSON.
 *
 * address: the source address. An `agent` binds both transports to it; the client's own
 * `localAddress` option reaches WebSocket alone, since polling hands on nothing but the agent.
 */
export function clientOptions({ address, cookie, headers, ...options } = {}) {
  const agent = address ? { agent: new http.Agent({ localAddress: address }) } : {};
  const extraHeaders = { ...headers, ...(cookie ? { cookie } : {}) };
  const fresh = { forceNew: true, reconnection: false, timeout: patience };
  return { ...fresh, extraHeaders, ...agent, ...options };
}

/** What a socket receives, kept from the start, so that a wait can look back. */
export class Inbox {
  #waiting = new Set();

  constructor(socket) {
    this.events = [];
    socket.onAny((name, ...args) => this.#arrive({ name, args }));
    socket.on("disconnect", (reason) => this.#arrive({ name: "disconnect", args: [reason] }));
  }

  #arrive(event) {
    this.events.push(event);
    for (const look of this.#waiting) look();
  }

  /** Everything that came under one name, as first arguments. */
  all(name) {
    return this.events.filter((event) => event.name === name).map((event) => event.args[0]);
  }

  /** The first argument of the first such event, past or to come. */
  async first(name, test = () => true) {
    const found = () => this.all(name).find(test);
    await this.until(() => this.all(name).some(test), `event ${name}`);
    return found();
  }

  until(condition, words) {
    const { promise, resolve, reject } = withResolvers();
    const look = () => condition() && resolve();
    const timer = setTimeout(
      () => reject(new Error(`waited in vain for ${words}; saw ${JSON.stringify(this.events)}`)),
      patience,
    );
    this.#waiting.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(look);
    });
  }
}

/** A connected socket with its inbox; rejects with the server's words when it is refused. */
export async function connect(url, options) {
  const socket = io(url, clientOptions(options));
  const inbox = new Inbox(socket);
  await connected(socket);
  return { socket, inbox };
}

export function connected(socket) {
  const { promise, resolve, reject } = withResolvers();
  socket.once("connect", resolve);
  socket.once("connect_error", (error) => {
    socket.disconnect();
    reject(new Error(`refused: ${error.message}`));
  });
  return promise;
}

/** The message of a refusal; an error when there is none. */
export async function refusal(connecting) {
  const outcome = await connecting.then(
    ({ socket }) => socket.disconnect(),
    (error) => error.message,
  );
  if (typeof outcome !== "string") throw new Error("was not refused");
  return outcome.replace("refused: ", "");
}

/** Emit and wait for the acknowledgement. */
export function ask(socket, event, ...args) {
  return socket.timeout(patience).emitWithAck(event, ...args);
}

/** The same, for an acknowledgement of several values. */
export function askForAll(socket, event, ...args) {
  const { promise, resolve, reject } = withResolvers();
  socket
    .timeout(patience)
    .emit(event, ...args, (error, ...values) => (error ? reject(error) : resolve(values)));
  return promise;
}

/** Wait until the transport is WebSocket, which a polling session is upgraded to. */
export async function upgraded(socket) {
  const { engine } = socket.io;
  if (engine.transport.name === "websocket") return;
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("was not upgraded")), patience);
    engine.on("upgrade", () => (clearTimeout(timer), resolve()));
  });
}

/** Run one script: its JSON argument in, one JSON line out, exit code 1 when it failed. */
export async function main(script) {
  try {
    print(await script(JSON.parse(process.argv.at(-1))));
    process.exitCode = 0;
  } catch (error) {
    print({ error: error.message, stack: error.stack });
    process.exitCode = 1;
  }
  // The answer is out; sockets that a failed script left open would keep the process.
  process.stdout.write("", () => process.exit());
}

/** Run the check that the first argument names. */
export function mainOf(checks) {
  const name = process.argv[2];
  return main((options) => checks[name](options));
}

export function print(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function withResolvers() {
  let resolve, reject;
  const promise = new Promise((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
}
