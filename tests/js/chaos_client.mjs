// One stock client among many, that talks in its rooms and says again what was not acknowledged.

import { clientOptions, io } from "./client.mjs";

const MOST_UNANSWERED = 15; // below the chat's burst, so that a return is no flood
const ONE_IN = 20; // says go to a hall; the others to small rooms

/** Seconds of the monotonic clock, the same as Python's `time.monotonic()`. */
export function now() {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds + Math.round(nanoseconds / 1e5) / 1e4;
}

/** A random number from 0 to 1 at each call; the same row for the same seed (mulberry32). */
export function chances(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Tells what it sees as `tell(kind, client, seconds, …)`; the kinds are those of `checker.py`.
 *
 * settings: {client, url, key, rooms: [{index, name, hall}], transports, seed, interval}; `interval`
 * in ms from one say to the next, `patience` in ms until one is said again.
 */
export class ChaosClient {
  #count = 0;
  #joined = new Set();
  #life = 0;
  #unanswered = new Map(); // message id → {room, text, timer}
  #talking = false;

  constructor(settings, { tell, patience }) {
    this.settings = settings;
    this.name = `c${String(settings.client).padStart(3, "0")}`;
    this.tell = (kind, ...facts) => tell(kind, settings.client, now(), ...facts);
    this.patience = patience;
    this.chance = chances(settings.seed);
    this.doubled = false;
    this.size = 0;
    this.socket = this.#open();
    setTimeout(() => setInterval(() => this.#talk(), settings.interval), this.chance() * settings.interval);
  }

  #open() {
    const { url, transports } = this.settings;
    const options = { reconnection: true, query: { recovery: "1" }, transports };
    const socket = io(url, clientOptions(options));
    socket.on("connect", () => this.#connected());
    socket.on("disconnect", (reason) => this.#disconnected(reason));
    socket.on("connect_error", ({ message }) => this.#refused(message));
    socket.on("message", (message, offset) => this.#received(message, offset));
    socket.on("refused", (answer) => this.tell("refusal", answer?.code));
    return socket;
  }

  #connected() {
    const { recovered, id } = this.socket;
    this.#life += 1;
    this.tell("connected", id, Boolean(recovered));
    if (!recovered) this.#joined.clear();
    for (const room of this.settings.rooms) if (!this.#joined.has(room)) this.#join(room);
    for (const message of this.#unanswered.keys()) this.#send(message);
  }

  #disconnected(reason) {
    this.tell("disconnected", reason);
    if (!this.socket.active) setTimeout(() => this.socket.connect(), 1000);
  }

  /** CONNECT_ERROR ends the stock client's tries: that is told, and it is made to go on. */
  #refused(message) {
    const forGood = !this.socket.active;
    this.tell("refused", message, forGood);
    if (forGood) setTimeout(() => this.socket.connect(), 1000);
  }

  #isIn(life) {
    return this.socket.connected && this.#life === life;
  }

  #join(room) {
    const { key } = this.settings;
    const asked = { username: this.name, roomid: room.name, key };
    const life = this.#life;
    this.socket.timeout(this.patience).emit("join", asked, (error, answer) => {
      if (!this.#isIn(life)) return; // the next life asks anew
      if (!error && answer?.ok) return this.#enter(room, answer);
      this.tell("unjoined", room.name, error ? "timeout" : answer?.code);
      const wait = error ? 0 : retryAfter(answer);
      setTimeout(() => this.#isIn(life) && this.#join(room), wait);
    });
  }

  #enter(room, { position, messages = [], more = false }) {
    this.#joined.add(room);
    const history = messages.map((message) => [message.position, messageId(message)]);
    this.tell("joined", room.name, position ?? null, history, more);
    for (const [id, { room: home }] of this.#unanswered) if (home === room) this.#send(id);
  }

  #received(message, offset) {
    const { position } = message;
    if (typeof offset === "string" && offset !== position) {
      this.tell("strange", `position ${position} in a frame of ${offset}`);
    }
    this.tell("message", message.data.roomid, position ?? null, messageId(message));
  }

  talk(talking) {
    this.#talking = talking;
  }

  #talk() {
    if (!this.#talking) return;
    if (this.#unanswered.size >= MOST_UNANSWERED) return this.tell("held");
    this.say(this.#someRoom());
  }

  #someRoom() {
    const { rooms } = this.settings;
    const halls = rooms.filter(({ hall }) => hall);
    const small = rooms.filter(({ hall }) => !hall);
    const among = halls.length && (!small.length || this.chance() * ONE_IN < 1) ? halls : small;
    return among[Math.floor(this.chance() * among.length)];
  }

  say(room) {
    const count = String(this.#count++).padStart(6, "0");
    const id = `${this.name}-r${String(room.index).padStart(2, "0")}-${count}`;
    const text = this.size ? "☃".repeat(this.size) : `${this.name} says ${count}`;
    this.#unanswered.set(id, { room, text, timer: null, tries: 0 });
    this.tell("say", id);
    this.#send(id);
    if (this.doubled) this.#send(id);
  }

  /** Nothing goes out while offline or before its room is joined: both bring it up again. */
  #send(id) {
    const message = this.#unanswered.get(id);
    if (!message || !this.socket.connected || !this.#joined.has(message.room)) return;
    if (message.tries++ > 0) this.tell("again", id);
    const { text, room } = message;
    const life = this.#life;
    this.socket
      .timeout(this.patience)
      .emit("say", { text, roomid: room.name, id }, (error, answer) => {
        if (!error && answer?.ok) return this.#answered(id, answer);
        if (!error) this.tell("unsaid", id, answer?.code ?? "no answer");
        if (this.#isIn(life)) this.#sendLater(id, error ? 0 : retryAfter(answer));
      });
  }

  #sendLater(id, wait) {
    const message = this.#unanswered.get(id);
    if (!message || message.timer) return;
    message.timer = setTimeout(() => {
      message.timer = null;
      this.#send(id);
    }, wait);
  }

  /** Also of a second answer to the same: it must name the same position. */
  #answered(id, { position }) {
    clearTimeout(this.#unanswered.get(id)?.timer);
    this.#unanswered.delete(id);
    this.tell("said", id, position ?? null);
  }
}

/** What tells messages apart: the id of a say; announcements have none. */
function messageId({ event, data }) {
  return data.message_id ?? `${event} ${data.username}`;
}

/** ms until a refused event may be tried again. */
function retryAfter(answer) {
  const seconds = Number(answer?.retry_after);
  return Number.isFinite(seconds) ? Math.ceil(seconds * 1000) + 50 : 1000;
}
