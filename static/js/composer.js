// The box one writes in. Its draft outlives a reconnect and a reload.

import { MAX_TEXT } from "./store.js";

const COUNT_FROM = MAX_TEXT * 0.9;

export class Composer {
  #page;
  #actions;
  #room = null;

  constructor(page, actions) {
    this.#page = page;
    this.#actions = actions;
    page.text.addEventListener("input", () => this.#changed());
    page.text.addEventListener("keydown", (event) => this.#pressed(event));
    page.composer.addEventListener("submit", (event) => this.#submit(event));
  }

  /** Goes over to a room, or to none. The box must be visible: it is measured. */
  open(room) {
    this.#room = room;
    if (room === null) return;
    this.#fill(this.#actions.draft(room));
    this.#page.text.focus();
  }

  /** A message that comes back goes before what is in the box by now. */
  takeBack(text) {
    this.#fill([text, this.#page.text.value].filter(Boolean).join("\n"));
    this.#page.text.focus();
  }

  #fill(text) {
    this.#page.text.value = text;
    this.#changed();
  }

  // Enter chooses a word while an input method is composing, as for Chinese.
  #pressed(event) {
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    this.#page.composer.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#page.text.value.trimEnd();
    if (!text.trim() || lengthOf(text) > MAX_TEXT) return;
    this.#fill("");
    this.#actions.write(text);
    this.#page.text.focus();
  }

  #changed() {
    const { text, count, send } = this.#page;
    const length = lengthOf(text.value.trimEnd());
    send.disabled = !text.value.trim() || length > MAX_TEXT;
    count.textContent = length > COUNT_FROM ? `${length} / ${MAX_TEXT}` : "";
    text.setAttribute("aria-invalid", String(length > MAX_TEXT));
    fit(text);
    this.#actions.keepDraft(this.#room, text.value);
  }
}

// The server counts code points, not JavaScript's halves of them.
function lengthOf(text) {
  return [...text].length;
}

function fit(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}
