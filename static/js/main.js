// The wiring: event → reducer → state → view, line, memory and address.

import { followRoom, roomInAddress } from "./address.js";
import { Connection } from "./connection.js";
import { Memory, randomToken } from "./memory.js";
import { createStore, initialState } from "./store.js";
import { otherLanguage, pickLanguage } from "./text.js";
import { View } from "./view.js";

const BACK_FOR = 4_000; // milliseconds that "back online" is shown

const memory = new Memory();
const language = memory.language ?? pickLanguage(navigator.languages);
const store = createStore(initialState({ language, name: memory.name, wantedRoom: roomInAddress() }));
const { dispatch } = store;
const connection = new Connection(dispatch, memory.key);

const actions = {
  enter({ name, room }) {
    if (!name) dispatch({ type: "refused", code: "name_missing" });
    else dispatch({ type: "entered", name, room, outbox: memory.outbox(room) });
  },
  leave: () => dispatch({ type: "left" }),
  write: (text) => dispatch({ type: "written", message_id: randomToken(), text }),
  forget: (message_id) => dispatch({ type: "taken_back", message_id }),
  retry: () => connection.retry(),
  draft: (room) => memory.draft(room),
  keepDraft: (room, text) => memory.keepDraft(room, text),
  switchLanguage() {
    const chosen = otherLanguage(store.state.language);
    memory.chooseLanguage(chosen);
    dispatch({ type: "spoken", language: chosen });
  },
};

function followAddress() {
  const room = roomInAddress();
  const { name } = store.state;
  if (room && name) actions.enter({ name, room });
  else dispatch({ type: "left", wantedRoom: room });
}

function settle({ link }) {
  if (link === "back") setTimeout(() => dispatch({ type: "settled" }), BACK_FOR);
}

const view = new View(actions);
store.follow((state) => view.render(state));
store.follow((state) => memory.follow(state));
store.follow(followRoom);
store.follow((state) => connection.follow(state));
store.follow(settle);
window.addEventListener("popstate", followAddress);
window.addEventListener("online", actions.retry);
followAddress();
