// The conversation of the room in view.

import { setText } from "./dom.js";
import { tagsIn } from "./faces.js";
import { dayLine, noticeLine, sayLine } from "./lines.js";
import { Outbox } from "./outbox.js";
import { Scroller } from "./scroller.js";
import { roomOf } from "./store.js";
import { midnight, say } from "./text.js";

const GROUP_WITHIN = 5 * 60_000; // milliseconds between lines of one person that stand together
const PAGE = 50; // messages that a room shows at first; who sees more has asked for them
const MANY = 10; // lines that come at once as history does, and are not read out
const QUIET_FOR = 200; // milliseconds until a screen reader has taken note of them

export class Log {
  #page;
  #actions;
  #outbox;
  #scroller;
  #room = null;
  #drawn = {};
  #lines = new Map(); // by key: {entry, look, element}
  #last = null; // key of the last line
  #unread = 0;

  constructor(page, actions) {
    this.#page = page;
    this.#actions = actions;
    this.#outbox = new Outbox(page.outbox, actions);
    const onEnd = () => this.#read(0);
    this.#scroller = new Scroller(page, { onEnd, onStart: () => this.#seek() });
  }

  render(state) {
    const room = roomOf(state, state.room);
    const { language, link } = state;
    const isOther = this.#drawn.roomid !== room.roomid;
    if (isOther) this.#read(0);
    this.#room = room;
    this.#scroller.around(() => {
      this.#drawLines(room, language);
      this.#drawTop(room, language);
      const written = this.#outbox.render(room, { language, link });
      if (isOther || written) this.#scroller.toEnd();
    });
    this.#drawUnread(language);
  }

  scrollDown() {
    this.#scroller.toEnd();
  }

  #seek() {
    const room = this.#room;
    if (room?.joined && room.more && !room.seeking) this.#actions.seekOlder(room.roomid);
  }

  #read(unread) {
    this.#unread = unread;
    this.#page.newer.hidden = unread === 0;
  }

  #drawLines({ roomid, entries, people, me }, language) {
    const drawn = this.#drawn;
    if (drawn.entries === entries && drawn.people === people && drawn.language === language) return;
    const isSame = drawn.roomid === roomid && drawn.me === me && drawn.language === language;
    this.#drawn = { roomid, entries, people, me, language };
    if (!isSame) this.#lines.clear();
    const items = itemsOf(entries, { me, tagOf: tagsIn({ entries, people }) });
    this.#quietly(items, () => this.#place(items, { language, me }));
    this.#count(items, { isSame, me });
  }

  // What is there already stays: a line that is built again is read out again.
  #place(items, context) {
    const { log } = this.#page;
    const keys = new Set(items.map(({ key }) => key));
    for (const key of this.#lines.keys()) if (!keys.has(key)) this.#lines.delete(key);
    const lines = items.map((item) => this.#line(item, context));
    const kept = new Set(lines);
    for (const line of Array.from(log.children)) if (!kept.has(line)) line.remove();
    lines.forEach((line, at) => {
      if (log.children[at] !== line) log.insertBefore(line, log.children[at] ?? null);
    });
  }

  #line(item, { language, me }) {
    const { key, entry, look } = item;
    const known = this.#lines.get(key);
    if (known && known.entry === entry && known.look === look) return known.element;
    const context = { ...item, language, mine: entry.id === me };
    const element = builders[item.kind](entry, context);
    this.#lines.set(key, { entry, look, element });
    return element;
  }

  #quietly(items, act) {
    const { log } = this.#page;
    const fresh = items.filter(({ key }) => !this.#lines.has(key)).length;
    if (fresh < MANY) return act();
    log.setAttribute("aria-live", "off");
    act();
    setTimeout(() => log.setAttribute("aria-live", "polite"), QUIET_FOR);
  }

  // How many messages of others came after the line that was the last.
  #count(items, { isSame, me }) {
    const before = isSame ? items.findIndex(({ key }) => key === this.#last) : -1;
    const after = before === -1 ? [] : items.slice(before + 1);
    const news = after.filter(({ kind, entry }) => kind === "say" && entry.id !== me).length;
    this.#last = items.at(-1)?.key ?? null;
    if (news > 0) this.#read(this.#unread + news);
  }

  #drawTop({ entries, outbox, more, seeking }, language) {
    const { empty, older, beginning } = this.#page;
    const says = entries.filter(({ kind }) => kind === "say").length;
    empty.hidden = says + outbox.length > 0 || entries.length > 1;
    older.hidden = !more;
    older.setAttribute("aria-disabled", String(seeking));
    setText(older, say(language, seeking ? "seeking" : "load_older"));
    beginning.hidden = more || says <= PAGE;
  }

  #drawUnread(language) {
    setText(this.#page.newer, say(language, "newer", { count: this.#unread }));
  }
}

const builders = { day: dayLine, say: sayLine, notice: noticeLine };

// The entries, and before each that begins a day the day. `look`: what else a line shows.
function itemsOf(entries, { me, tagOf }) {
  return entries.flatMap((entry, at) => {
    const key = entry.position ?? entry.kind;
    const isNewDay = at === 0 || midnight(entries[at - 1].time) !== midnight(entry.time);
    const joins = !isNewDay && follows(entries, at);
    const tag = entry.id === me ? null : tagOf(entry);
    const kind = entry.kind === "say" ? "say" : "notice";
    const item = { key, kind, entry, follows: joins, tag, look: `${joins} ${tag}` };
    return isNewDay ? [{ key: `day of ${key}`, kind: "day", entry, look: "" }, item] : [item];
  });
}

function follows(entries, at) {
  const before = entries[at - 1];
  const entry = entries[at];
  return before.kind === "say" && before.id === entry.id && entry.time - before.time < GROUP_WITHIN;
}
