// Questions to the server over one socket: one of each kind at a time, asked until it is answered.

const ACK_TIMEOUT = 5_000; // milliseconds
const PAUSE = 2_000; // before asking again what could not be done just now

export class Requests {
  #socket;
  #again;
  #open = new Set();

  /** `again` is called when a kind that had no answer, or was put off, may be asked once more. */
  constructor(socket, again) {
    this.#socket = socket;
    this.#again = again;
  }

  /** Does nothing while one of this kind is under way. `onHitch` is told why it takes longer. */
  ask(event, fields, { onAnswer, onHitch = () => {} }) {
    if (this.#open.has(event)) return;
    this.#open.add(event);
    this.#socket.timeout(ACK_TIMEOUT).emit(event, fields, (error, answer) => {
      if (this.#socket === null) return;
      if (error) this.#unanswered(event, onHitch);
      else if (answer.code === "too_fast") this.#putOff(event, answer.retry_after * 1000, onHitch);
      else this.#done(event, () => onAnswer(answer));
    });
  }

  /** Asks the same again in a while; for an answer that was no refusal for good. */
  putOff(event) {
    this.#open.add(event);
    setTimeout(() => this.#done(event), PAUSE);
  }

  close() {
    this.#socket = null;
  }

  // The line may have gone meanwhile: then it is told by itself.
  #unanswered(event, onHitch) {
    this.#done(event, () => this.#socket.connected && onHitch("unanswered"));
  }

  #putOff(event, milliseconds, onHitch) {
    onHitch("hurried");
    setTimeout(() => this.#done(event), milliseconds);
  }

  #done(event, act = () => {}) {
    if (this.#socket === null) return;
    this.#open.delete(event);
    act();
    this.#again();
  }
}
