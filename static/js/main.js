// The wiring: event → reducer → state → view, line, memory and address.

import { followRoom, roomInAddress } from "./address.js";
import { Connection } from "./connection.js";
import { Memory, randomToken } from "./memory.js";
import { createStore, initialState } from "./store.js";
import { otherLanguage, pickLanguage } from "./text.js";
import { View } from "./view.js";

const BACK_FOR = 6_000; // milliseconds that it is told what a return brought

const memory = new Memory();
const language = memory.language ?? pickLanguage(navigator.languages);
const store = createStore(initialState({ language, name: memory.name, wantedRoom: roomInAddress() }));
const { dispatch } = store;
const connection = new Connection(dispatch, memory.key);

const actions = {
  enter({ name, room, others = [] }) {
    if (!name) return dispatch({ type: "refused", code: "name_missing" });
    const opened = [...new Set([...others, room])];
    const rooms = opened.map((roomid) => ({ roomid, outbox: memory.outbox(roomid) }));
    return dispatch({ type: "entered", name, room, rooms });
  },
  look: (room) => actions.enter({ name: store.state.name, room }),
  leave: () => dispatch({ type: "closed", room: store.state.room }),
  write(text) {
    const { room } = store.state;
    dispatch({ type: "written", room, message_id: randomToken(), text, time: Date.now() });
  },
  forget: (message) => dispatch({ type: "taken_back", ...message }),
  sendAgain: ({ room, message_id }) => dispatch({ type: "retried", room, message_id }),
  seekOlder: (room) => dispatch({ type: "older_wanted", room }),
  retry: () => connection.retry(),
  draft: (room) => memory.draft(room),
  keepDraft: (room, text) => memory.keepDraft(room, text),
  switchLanguage() {
    const chosen = otherLanguage(store.state.language);
    memory.chooseLanguage(chosen);
    dispatch({ type: "spoken", language: chosen });
  },
};

function followAddress({ others = [] } = {}) {
  const room = roomInAddress();
  const { name } = store.state;
  if (room && name) actions.enter({ name, room, others });
  else dispatch({ type: "left", wantedRoom: room });
}

let settling = null;

function settle({ link }) {
  if (link === "back") settling ??= setTimeout(() => dispatch({ type: "settled" }), BACK_FOR);
  else settling = clearTimeout(settling);
}

const view = new View(actions);
const { rooms: others } = memory;
store.follow((state) => view.render(state));
store.follow((state) => memory.follow(state));
store.follow(followRoom);
store.follow((state) => connection.follow(state));
store.follow(settle);
window.addEventListener("popstate", () => followAddress());
window.addEventListener("online", actions.retry);
followAddress({ others });
