// What the browser keeps: name, language and key for good, drafts and unsent messages for the tab.

const TOKEN_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

/** Random, 24 letters. Works without TLS, where `crypto.randomUUID` does not exist. */
export function randomToken() {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return Array.from(bytes, (byte) => TOKEN_LETTERS[byte % TOKEN_LETTERS.length]).join("");
}

export class Memory {
  #saved = { rooms: [] };

  get name() {
    return read("localStorage", "chat.name") ?? "";
  }

  get language() {
    return read("localStorage", "chat.language");
  }

  /** The secret by which the chat knows this browser again. */
  get key() {
    const key = read("localStorage", "chat.key") ?? randomToken();
    write("localStorage", "chat.key", key);
    return key;
  }

  /** The names of the rooms that this tab had open. */
  get rooms() {
    return JSON.parse(read("sessionStorage", "chat.rooms") ?? "[]");
  }

  outbox(room) {
    return JSON.parse(read("sessionStorage", `chat.outbox.${room}`) ?? "[]");
  }

  draft(room) {
    return read("sessionStorage", `chat.draft.${room}`) ?? "";
  }

  keepDraft(room, text) {
    write("sessionStorage", `chat.draft.${room}`, text);
  }

  chooseLanguage(language) {
    write("localStorage", "chat.language", language);
  }

  follow({ name, rooms }) {
    const before = this.#saved.rooms;
    this.#saved = { rooms };
    if (rooms === before) return;
    if (rooms.length > 0) write("localStorage", "chat.name", name);
    write("sessionStorage", "chat.rooms", JSON.stringify(rooms.map(({ roomid }) => roomid)));
    rooms.filter((room) => !before.includes(room)).forEach(keepOutbox);
  }
}

function keepOutbox({ roomid, outbox }) {
  write("sessionStorage", `chat.outbox.${roomid}`, JSON.stringify(outbox));
}

// A browser may forbid storage or find it full: the page then works and forgets.
function read(kind, key) {
  try {
    return window[kind].getItem(key);
  } catch {
    return null;
  }
}

function write(kind, key, value) {
  try {
    window[kind].setItem(key, value);
  } catch {
    // Forgotten.
  }
}
