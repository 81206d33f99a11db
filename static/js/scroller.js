// Where one reads: the end stays in view, any other place stays where it is.

const NEAR_END = 60; // pixels
const NEAR_START = 400;

export class Scroller {
  #scroll;
  #log;
  #onEnd;
  #onStart;
  #follows = true; // the end is in view, and is to stay there

  /** `onEnd` and `onStart` are called when one has scrolled there. */
  constructor({ scroll, log }, { onEnd, onStart }) {
    this.#scroll = scroll;
    this.#log = log;
    this.#onEnd = onEnd;
    this.#onStart = onStart;
    scroll.addEventListener("scroll", () => this.#scrolled());
    // The keyboard of a phone takes height away: what was at the end stays there.
    new ResizeObserver(() => this.#follows && this.toEnd()).observe(scroll);
  }

  toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#follows = true;
    this.#onEnd();
    this.#look();
  }

  /** Lets the log change, and keeps what is read in its place, whatever came above it. */
  around(change) {
    const seen = this.#follows ? [] : this.#inView();
    change();
    if (this.#follows) return this.toEnd();
    // The first may be another by now: as the first of its day, or of its author's lines.
    const anchor = seen.find(({ line }) => line.isConnected);
    if (anchor) this.#scroll.scrollTop += topOf(anchor.line) - anchor.top;
    return this.#look();
  }

  #inView() {
    const { top, bottom } = this.#scroll.getBoundingClientRect();
    const lines = Array.from(this.#log.children, (line) => ({ line, top: topOf(line) }));
    return lines.filter((one) => one.top + one.line.offsetHeight > top && one.top < bottom);
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    this.#follows = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.#follows) this.#onEnd();
    this.#look();
  }

  // Afterwards: whoever is told may change the log, which may be changing just now.
  #look() {
    if (this.#scroll.scrollTop < NEAR_START) queueMicrotask(this.#onStart);
  }
}

function topOf(line) {
  return line.getBoundingClientRect().top;
}
