// The page's state, and what each event makes of it. Pure: nothing here touches page or network.
//
// link: "connecting" | "online" | "offline" | "back", and null where no room is entered.
// entries: what the room has seen, in order:
//   {kind: "say", id, username, time, text, message_id}
//   {kind: "join" | "back" | "quit", id, username, time}
// outbox: what is not known to have arrived: {message_id, text, problem: null | code}

export const MAX_TEXT = 4000;

export function initialState({ language, name, wantedRoom }) {
  return { language, name, wantedRoom, problem: null, ...nowhere };
}

const nowhere = {
  room: null,
  link: null,
  me: null,
  transport: null,
  worker: null,
  entries: [],
  outbox: [],
};

const steps = {
  entered: (state, { name, room, outbox }) => ({
    ...state, ...nowhere, name, room, outbox, wantedRoom: room, problem: null, link: "connecting",
  }),
  left: (state, { wantedRoom = "" }) => ({ ...state, ...nowhere, wantedRoom, problem: null }),
  refused: (state, { code }) => ({ ...state, ...nowhere, problem: code }),
  spoken: (state, { language }) => ({ ...state, language }),

  connected: (state, { sid, transport }) => ({ ...state, transport, worker: workerOf(sid) }),
  upgraded: (state, { transport }) => ({ ...state, transport }),
  joined: (state, { id }) => ({ ...state, me: id, link: state.me ? "back" : "online" }),
  settled: (state) => ({ ...state, link: state.link === "back" ? "online" : state.link }),
  lost: (state) => ({ ...state, link: "offline", transport: null, worker: null }),

  written: (state, { message_id, text }) => ({
    ...state, outbox: [...state.outbox, { message_id, text, problem: null }],
  }),
  accepted: (state, { message_id, time }) => arrive(state, message_id, time),
  rejected: (state, { message_id, code }) => ({
    ...state,
    outbox: state.outbox.map((one) => (one.message_id === message_id ? { ...one, problem: code } : one)),
  }),
  taken_back: (state, { message_id }) => ({ ...state, outbox: without(state.outbox, message_id) }),

  told: (state, { event, data }) => {
    const tell = own(tellings, event);
    return tell(state, data);
  },
};

const tellings = {
  join: (state, data) => comeOrGo(state, state.me === data.id ? "back" : "join", data),
  broadcast_quit: (state, data) => comeOrGo(state, "quit", data),
  broadcast_say: (state, data) => hear(state, {
    kind: "say", ...person(data), text: data.text, message_id: data.message_id,
  }),
};

export function reduce(state, event) {
  return own(steps, event.type)(state, event);
}

export function nextToSend({ link, outbox }) {
  const reachable = link === "online" || link === "back";
  return reachable ? outbox.find((one) => one.problem === null) : undefined;
}

/** Node and slot in an Engine.IO sid that names them: "a1-…" is "a-1". */
export function workerOf(sid) {
  const named = /^([a-z0-9]{0,7}[a-z])(\d{1,3})-.{16,}$/.exec(sid);
  return named ? `${named[1]}-${named[2]}` : null;
}

export function createStore(state) {
  const followers = [];
  const store = {
    get state() {
      return state;
    },
    dispatch(event) {
      state = reduce(state, event);
      followers.forEach((follow) => follow(state));
    },
    follow(follower) {
      followers.push(follower);
      follower(state);
    },
  };
  return store;
}

function own(table, name) {
  if (!Object.hasOwn(table, name)) throw new Error(`unknown event: ${name}`);
  return table[name];
}

function person({ id, username, time }) {
  return { id, username, time };
}

// While one is here oneself, one's own coming and going is that of another tab.
function comeOrGo(state, kind, data) {
  const otherTab = data.id === state.me && state.link !== "offline";
  return otherTab ? state : append(state, { kind, ...person(data) });
}

function append(state, entry) {
  return { ...state, entries: [...state.entries, entry] };
}

function without(outbox, message_id) {
  return outbox.filter((one) => one.message_id !== message_id);
}

// A message whose ack got lost is sent again and comes twice: its author's id for it tells.
function hear(state, entry) {
  const heard = state.entries.some(
    (one) => one.kind === "say" && one.message_id === entry.message_id && one.id === entry.id,
  );
  const outbox = entry.id === state.me ? without(state.outbox, entry.message_id) : state.outbox;
  return heard ? { ...state, outbox } : append({ ...state, outbox }, entry);
}

// The ack says that the room was told. Where the telling itself got lost, the text is shown still.
function arrive(state, message_id, time) {
  const sent = state.outbox.find((one) => one.message_id === message_id);
  if (!sent) return state;
  const { me: id, name: username } = state;
  return hear(state, { kind: "say", id, username, time, text: sent.text, message_id });
}
