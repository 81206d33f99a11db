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
  }

  /** Lets the log change, and keeps what is read in its place, whatever came above it. */
  around(change) {
    const anchor = this.#follows ? null : this.#firstInView();
    const before = anchor?.offsetTop;
    change();
    if (this.#follows) this.toEnd();
    else if (anchor?.isConnected) this.#scroll.scrollTop += anchor.offsetTop - before;
    this.#look();
  }

  #firstInView() {
    const { scrollTop } = this.#scroll;
    const lines = Array.from(this.#log.children);
    return lines.find((line) => line.offsetTop + line.offsetHeight > scrollTop) ?? null;
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    this.#follows = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.#follows) this.#onEnd();
    this.#look();
  }

  #look() {
    if (this.#scroll.scrollTop < NEAR_START) this.#onStart();
  }
}
