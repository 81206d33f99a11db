// Stock clients on strings: a test orders what they do, and reads what they saw.
// node puppets.mjs, then JSON orders by stdin, one a line; each is answered by one line.
// Bytes travel as {"$bytes": base64}. A line {"ok": value} or {"error": words} answers an order.

import { createInterface } from "node:readline";

import { clientOptions, io, patience, print, withResolvers } from "./client.mjs";

const OUTCOMES = ["connect", "connect_error", "disconnect"];
const LONG_PATIENCE = 6 * patience; // an emit may wait for Redis for 30 s
const puppets = new Map();

/** Data with bytes as JSON has it, and back. */
function packed(value) {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  return mapped(value, packed);
}

function unpacked(value) {
  if (typeof value?.$bytes === "string") return Buffer.from(value.$bytes, "base64");
  return mapped(value, unpacked);
}

function mapped(value, change) {
  if (Array.isArray(value)) return value.map(change);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item)]));
}

/** One client. Its log has all that it saw, in order: [name, ...arguments]. */
class Puppet {
  #waiting = new Set();
  #talk = null;
  #begun = [];

  /**
   * pid, offset: those of an earlier life, as the stock client keeps them.
   * brief: keep the first argument of each event alone.
   */
  constructor({ name, url, namespace = "", pid, offset, answer, brief, ...options }) {
    Object.assign(this, { name, answer, brief });
    this.log = [];
    this.socket = io(`${url}${namespace}`, { ...clientOptions(options), autoConnect: false });
    Object.assign(this.socket, { _pid: pid, _lastOffset: offset });
    this.#listen();
  }

  #listen() {
    const { socket } = this;
    socket.onAny((event, ...args) => this.#heard(event, args));
    socket.on("connect", () => this.#write("connect", socket.id, Boolean(socket.recovered)));
    socket.on("disconnect", (reason) => this.#write("disconnect", reason));
    socket.on("connect_error", (error) => this.#write("connect_error", error.message));
  }

  /** Questions are answered at once: with the answer given, else with the name and the question. */
  #heard(event, args) {
    const acknowledge = typeof args.at(-1) === "function" ? args.pop() : null;
    this.#write(event, ...(this.brief ? args.slice(0, 1) : args));
    if (this.answer !== "none") acknowledge?.(...(this.answer ?? [this.name, ...args]));
  }

  #write(...entry) {
    this.log.push(entry);
    for (const look of this.#waiting) look();
  }

  /** Until so many entries begin like this one, from the log's start. */
  async seen({ entry, count = 1, seconds }) {
    const wanted = JSON.stringify(packed(entry)).slice(0, -1);
    const begins = (one) => {
      const text = JSON.stringify(packed(one));
      return text.startsWith(wanted) && [",", "]"].includes(text[wanted.length]);
    };
    await this.#until(() => this.log.filter(begins).length >= count, `${wanted}…`, seconds);
    return this.log;
  }

  #until(condition, words, seconds) {
    const { promise, resolve, reject } = withResolvers();
    const look = () => condition() && resolve();
    const fail = () =>
      reject(new Error(`${this.name} waited in vain for ${words}; saw ${this.#tail()}`));
    const timer = setTimeout(fail, seconds ? seconds * 1000 : patience);
    this.#waiting.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(look);
    });
  }

  #tail() {
    return JSON.stringify(packed(this.log.slice(-20))).slice(-2000);
  }

  /** Connect, until accepted, refused or cut off. */
  async connect() {
    const outcomes = () => this.log.filter(([name]) => OUTCOMES.includes(name)).length;
    const before = outcomes();
    this.socket.connect();
    await this.#until(() => outcomes() > before, "an answer");
    return this.state();
  }

  state() {
    const { id, connected, recovered, _pid: pid, _lastOffset: offset, io: manager } = this.socket;
    const engine = manager.engine?.id;
    return { id, connected, recovered: Boolean(recovered), pid, offset, engine };
  }

  /** The acknowledgement's arguments. One that comes back by itself asks then. */
  ask({ args }) {
    const { connected, io: manager } = this.socket;
    if (!connected && !manager.reconnection()) throw new Error(`${this.name} is not connected`);
    const { promise, resolve, reject } = withResolvers();
    const done = (error, ...values) => (error ? reject(error) : resolve(values));
    this.socket.timeout(patience).emit(...args, done);
    return promise;
  }

  send({ args }) {
    this.socket.emit(...args);
  }

  /** Ask, and go on; `answers` waits for what came of it. */
  begin({ args }) {
    const { promise, resolve } = withResolvers();
    const done = (error, ...values) => resolve(error ? { error: error.message } : { values });
    this.socket.timeout(LONG_PATIENCE).emit(...args, done);
    this.#begun.push(promise);
  }

  /** The acknowledgements of all that was begun, in that order. */
  async answers() {
    return Promise.all(this.#begun.splice(0));
  }

  /** End the transport without a word, as a lost network does. */
  cut() {
    const { transport } = this.socket.io.engine;
    if (transport.ws) transport.ws.terminate();
    else this.socket.io.engine.close();
  }

  close() {
    this.socket.disconnect();
  }

  /** What it says of itself from its next connect on. */
  introduce({ auth }) {
    this.socket.auth = auth;
  }

  /** Order `emit(event, "NAME n", to=room)` again and again; `hush` tells which were stored. */
  talk({ room, event, every = 5, padding = "" }) {
    const talk = { acked: [], refused: [], pending: 0, said: 0, ackedAt: 0 };
    const say = () => {
      const text = `${this.name} ${talk.said++}`;
      const order = ["emit", [event, text, padding].filter(Boolean), { to: room }];
      talk.pending++;
      this.socket.timeout(LONG_PATIENCE).emit("do", [order], (error, outcomes) => {
        talk.pending--;
        const refusal = error ? { raised: error.message } : outcomes[0];
        if (refusal) talk.refused.push([text, refusal.raised]);
        else talk.acked.push(text);
        if (!refusal) talk.ackedAt = Date.now();
      });
    };
    this.#talk = talk;
    talk.timer = setInterval(() => this.socket.connected && say(), every);
  }

  /** How the talk goes: seconds since the last acknowledgement. */
  talking() {
    const { acked, refused, pending, said, ackedAt } = this.#talk;
    const silent = (Date.now() - ackedAt) / 1000;
    return { acked: acked.length, refused: refused.length, pending, said, silent };
  }

  async hush() {
    const talk = this.#talk;
    clearInterval(talk.timer);
    while (talk.pending > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    return { acked: talk.acked, refused: talk.refused };
  }
}

const ORDERS = {
  async open(options) {
    const puppet = new Puppet(options);
    puppets.get(options.name)?.close();
    puppets.set(options.name, puppet);
    return puppet.connect();
  },
  log: ({ name }) => puppets.get(name).log,
  together: ({ orders }) => Promise.all(orders.map(obey)),
  closeAll() {
    for (const puppet of puppets.values()) puppet.close();
    puppets.clear();
  },
};

async function obey({ order, ...options }) {
  if (ORDERS[order]) return ORDERS[order](options);
  return puppets.get(options.name)[order](options);
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    print({ ok: packed(await obey(unpacked(JSON.parse(line)))) ?? null });
  } catch (error) {
    print({ error: error.message });
  }
}
process.exit();
