// The Socket.IO side of the page: follows the state, and reports what happens as events.
//
// A line that comes back recovered has its rooms and all it missed: there is nothing to do but send
// what was not acknowledged. Any other line is new to the server: every room is joined again.

import { io } from "../vendor/socket.io.esm.min.js";
import { Requests } from "./requests.js";
import { nextToJoin, nextToSeek, nextToSend, roomOf } from "./store.js";

const OPTIONS = {
  query: { recovery: 1 },
  forceNew: true,
  reconnectionDelay: 400,
  reconnectionDelayMax: 4_000,
};
const RETURN_AFTER = 2_000;
const LATER = ["not_stored", "unavailable"]; // codes of what the server cannot do just now

export class Connection {
  #dispatch;
  #key;
  #state = null;
  #socket = null;
  #requests = null;
  #entered = new Set(); // rooms that the server may count this connection in

  constructor(dispatch, key) {
    this.#dispatch = dispatch;
    this.#key = key;
  }

  /** Brings the line in accord with the state: open while there is a room, and all that is due. */
  follow(state) {
    this.#state = state;
    const wanted = state.rooms.length > 0;
    if (wanted && !this.#socket) this.#open();
    if (!wanted && this.#socket) this.#close();
    if (this.#socket?.connected) this.#ask();
  }

  /** Tries at once instead of at the end of the current wait. */
  retry() {
    if (!this.#socket || this.#socket.connected) return;
    this.#socket.disconnect();
    this.#socket.connect();
  }

  #open() {
    const socket = io(OPTIONS);
    this.#socket = socket;
    this.#requests = new Requests(socket, () => this.follow(this.#state));
    this.#entered.clear();
    socket.on("connect", () => this.#connected(socket));
    socket.on("connect_error", () => this.#lost(socket));
    socket.on("disconnect", () => this.#lost(socket));
    socket.on("message", (message) => this.#dispatch({ ...message, type: "told" }));
  }

  #close() {
    this.#requests.close();
    this.#socket.off();
    this.#socket.disconnect();
    this.#socket = null;
  }

  #connected(socket) {
    const { recovered } = socket;
    const { engine } = socket.io;
    if (!recovered) this.#entered.clear();
    engine.once("upgrade", ({ name }) => this.#dispatch({ type: "upgraded", transport: name }));
    const transport = engine.transport.name;
    this.#dispatch({ type: "connected", sid: engine.id, transport, recovered });
  }

  #lost(socket) {
    this.#dispatch({ type: "lost" });
    // The client comes back by itself, except after a word from the server: sent off, or refused.
    if (!socket.active) setTimeout(() => socket === this.#socket && socket.connect(), RETURN_AFTER);
  }

  #ask() {
    this.#leave();
    this.#join();
    this.#catchUp();
    this.#send();
    this.#seek();
  }

  #leave() {
    const roomid = [...this.#entered].find((one) => !roomOf(this.#state, one));
    if (roomid === undefined) return;
    this.#requests.ask("leave", { roomid }, { onAnswer: () => this.#entered.delete(roomid) });
  }

  #join() {
    const { name: username } = this.#state;
    const room = nextToJoin(this.#state)?.roomid;
    if (room === undefined) return;
    this.#entered.add(room);
    const onAnswer = (answer) => {
      if (answer.ok) this.#dispatch({ type: "joined", room, answer, time: Date.now() });
      else if (LATER.includes(answer.code)) this.#requests.putOff("join");
      else this.#dispatch({ type: "refused", room, code: answer.code });
    };
    this.#requests.ask("join", { roomid: room, username, key: this.#key }, { onAnswer });
  }

  // What was missed is on its way before the answer, so that it has come when this has.
  #catchUp() {
    if (this.#state.link !== "catching" || nextToJoin(this.#state)) return;
    this.#requests.ask("mark", {}, { onAnswer: () => this.#dispatch({ type: "caught_up" }) });
  }

  // One at a time: the order of what one says is kept also where a message is sent again.
  #send() {
    const due = nextToSend(this.#state);
    if (!due) return;
    const { roomid, message: { message_id, text } } = due;
    const tell = (event) => this.#dispatch({ room: roomid, message_id, ...event });
    const onHitch = (hitch) => tell({ type: "hitched", hitch });
    const onAnswer = ({ ok, code, position, time }) => {
      if (ok) tell({ type: "stored", position, time });
      else if (code === "not_joined") this.#dispatch({ type: "expelled", room: roomid });
      else tell({ type: "rejected", code });
    };
    this.#requests.ask("say", { roomid, id: message_id, text }, { onAnswer, onHitch });
  }

  #seek() {
    const due = nextToSeek(this.#state);
    if (!due) return;
    const { roomid: room, before } = due;
    const onAnswer = ({ ok, code, messages = [], more = false }) => {
      if (ok) this.#dispatch({ type: "older", room, messages, more });
      else if (code === "not_joined") this.#dispatch({ type: "expelled", room });
      else if (LATER.includes(code)) this.#requests.putOff("history");
      else this.#dispatch({ type: "older", room, messages: [], more: false });
    };
    this.#requests.ask("history", { roomid: room, before }, { onAnswer });
  }
}
