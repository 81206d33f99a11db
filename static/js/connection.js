// The Socket.IO side of the page: follows the state, and reports what happens as events.

import { io } from "../vendor/socket.io.esm.min.js";
import { nextToSend } from "./store.js";

const ACK_TIMEOUT = 10_000; // milliseconds
const RETRY = { reconnectionDelay: 400, reconnectionDelayMax: 4_000 };
const RETURN_AFTER = 2_000;

export class Connection {
  #dispatch;
  #key;
  #state = null;
  #socket = null;
  #room = null;
  #sending = false;

  constructor(dispatch, key) {
    this.#dispatch = dispatch;
    this.#key = key;
  }

  /** Brings the line in accord with the state: the room it is in, the next message to send. */
  follow(state) {
    this.#state = state;
    if (state.room !== this.#room) this.#move(state.room);
    const message = nextToSend(state);
    if (message && !this.#sending) this.#send(message);
  }

  /** Tries at once instead of at the end of the current wait. */
  retry() {
    if (!this.#socket || this.#socket.connected) return;
    this.#socket.disconnect();
    this.#socket.connect();
  }

  #move(room) {
    this.#socket?.off();
    this.#socket?.disconnect();
    this.#room = room;
    this.#sending = false;
    this.#socket = room === null ? null : this.#open(room);
  }

  #open(room) {
    const socket = io({ query: { roomid: room }, forceNew: true, ...RETRY });
    socket.on("connect", () => this.#connected(socket));
    socket.on("connect_error", (error) => this.#failed(socket, error));
    socket.on("disconnect", () => this.#lost(socket));
    socket.on("message", ({ event, data }) => this.#dispatch({ type: "told", event, data }));
    return socket;
  }

  #connected(socket) {
    const { engine } = socket.io;
    this.#dispatch({ type: "connected", sid: engine.id, transport: engine.transport.name });
    engine.once("upgrade", ({ name }) => this.#dispatch({ type: "upgraded", transport: name }));
    this.#join(socket);
  }

  #join(socket) {
    const asked = { username: this.#state.name, key: this.#key };
    socket.timeout(ACK_TIMEOUT).emit("join", asked, (error, answer) => {
      if (socket !== this.#socket) return;
      if (error) this.#again(socket);
      else if (answer.ok) this.#dispatch({ type: "joined", id: answer.id });
      else this.#dispatch({ type: "refused", code: answer.code });
    });
  }

  #failed(socket, error) {
    if (error.data?.code) this.#dispatch({ type: "refused", code: error.data.code });
    else this.#lost(socket);
  }

  #lost(socket) {
    this.#dispatch({ type: "lost" });
    // The client comes back by itself, except after a word from the server to stay away.
    if (!socket.active) setTimeout(() => socket === this.#socket && socket.connect(), RETURN_AFTER);
  }

  // Unanswered on a line that stands: a new line is the only way to know where one is.
  #again(socket) {
    if (!socket.connected) return;
    socket.disconnect();
  }

  // One at a time: the order of what one says is kept also where a message is sent again.
  #send({ message_id, text }) {
    const socket = this.#socket;
    this.#sending = true;
    socket.timeout(ACK_TIMEOUT).emit("say", { text, message_id }, (error, answer) => {
      if (socket !== this.#socket) return;
      this.#sending = false;
      if (error) this.#again(socket);
      else if (answer.ok) this.#dispatch({ type: "accepted", message_id, time: answer.time });
      else this.#dispatch({ type: "rejected", message_id, code: answer.code });
    });
  }
}
