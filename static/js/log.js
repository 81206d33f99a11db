// The conversation: grows at its end, and stays where one reads.

import { noticeLine, sayLine, waitingLine } from "./lines.js";
import { say, sayProblem } from "./text.js";

const GROUP_WITHIN = 5 * 60_000; // milliseconds between lines of one person that stand together
const NEAR_END = 60; // pixels

export class Log {
  #page;
  #actions;
  #drawn = { count: 0 };
  #unread = 0;
  #waitingCount = 0;
  #follows = true; // the end is in view, and is to stay there

  constructor(page, actions) {
    this.#page = page;
    this.#actions = actions;
    page.scroll.addEventListener("scroll", () => this.#scrolled());
    // The keyboard of a phone takes height away: what was at the end stays there.
    new ResizeObserver(() => this.#follows && this.scrollDown()).observe(page.scroll);
  }

  render(state) {
    this.#drawEntries(state);
    this.#drawOutbox(state);
    this.#page.empty.hidden = state.entries.length + state.outbox.length > 1;
    if (this.#follows) this.scrollDown();
    this.#drawUnread(state);
  }

  scrollDown() {
    const { scroll } = this.#page;
    scroll.scrollTop = scroll.scrollHeight;
    this.#follows = true;
    this.#markRead();
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#page.scroll;
    this.#follows = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.#follows) this.#markRead();
  }

  #markRead() {
    this.#unread = 0;
    this.#page.newer.hidden = true;
  }

  // Only what is new is appended: a log that is built again is read out again.
  #drawEntries({ entries, me, language, room }) {
    const { count, ...context } = this.#drawn;
    const same = context.me === me && context.language === language && context.room === room;
    if (!same) this.#page.log.replaceChildren();
    const from = same ? count : 0;
    for (let at = from; at < entries.length; at += 1) this.#draw(entries, at, { me, language });
    if (same) this.#unread += entries.slice(from).filter(isSayOfOther(me)).length;
    this.#drawn = { count: entries.length, me, language, room };
  }

  #draw(entries, at, { me, language }) {
    const entry = entries[at];
    const mine = entry.id === me;
    this.#page.log.append(
      entry.kind === "say"
        ? sayLine(entry, { language, mine, follows: follows(entries, at), tag: tagOf(entries, at) })
        : noticeLine(entry, { language, mine }),
    );
  }

  #drawOutbox({ outbox, language, link }) {
    if (outbox.length > this.#waitingCount) this.#follows = true;
    this.#waitingCount = outbox.length;
    const lines = outbox.map((message) => this.#waiting(message, { language, link }));
    this.#page.outbox.replaceChildren(...lines);
  }

  #waiting(message, { language, link }) {
    const { problem } = message;
    const waits = say(language, link === "offline" || link === "connecting" ? "waiting" : "sending");
    return waitingLine(message, {
      note: problem ? sayProblem(language, problem) : waits,
      label: problem ? say(language, "take_back") : null,
      takeBack: () => this.#actions.takeBack(message),
    });
  }

  #drawUnread({ language }) {
    const { newer } = this.#page;
    newer.hidden = this.#unread === 0;
    newer.textContent = say(language, "newer", { count: this.#unread });
  }
}

function isSayOfOther(me) {
  return ({ kind, id }) => kind === "say" && id !== me;
}

function follows(entries, at) {
  const before = entries[at - 1];
  const entry = entries[at];
  return before?.kind === "say" && before.id === entry.id && entry.time - before.time < GROUP_WITHIN;
}

// Two people may have one name. The letters of the id show which one speaks.
function tagOf(entries, at) {
  const { id, username } = entries[at];
  const namesake = entries.some((one) => one.username === username && one.id !== id);
  return namesake ? id.slice(0, 3) : null;
}
