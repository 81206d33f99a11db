// The page's state, and what each event makes of it. Pure: nothing here touches page or network.
//
// link: "connecting" | "online" | "offline" | "catching" (up) | "back", null without a room.
// rooms: those that are open, in the order of opening (room.js); room: the one in view, or null.
// back: what the last return brought: {missed: messages, reloaded: there was a gap}.

import { firstSay } from "./order.js";
import * as one from "./room.js";

export const MAX_TEXT = 4000;
export const MAX_ROOMS = 50;

export function initialState({ language, name, wantedRoom }) {
  return { language, name, wantedRoom, problem: null, ...nowhere };
}

const nothing = { missed: 0, reloaded: false };
const nowhere = { link: null, transport: null, worker: null, room: null, rooms: [], back: nothing };

const steps = {
  entered: (state, { name, room, rooms }) => {
    const opened = rooms.filter(({ roomid }) => !roomOf(state, roomid));
    if (state.rooms.length + opened.length > MAX_ROOMS) return { ...state, problem: "too_many_rooms" };
    const added = opened.map(({ roomid, outbox }) => one.newRoom(roomid, outbox));
    const all = { ...state, name, rooms: [...state.rooms, ...added], problem: null, wantedRoom: room };
    return look({ ...all, link: state.link ?? "connecting" }, room);
  },
  closed: (state, { room }) => close({ ...state, wantedRoom: "" }, room),
  left: (state, { wantedRoom = "" }) => ({ ...state, ...nowhere, wantedRoom, problem: null }),
  refused: (state, { room = null, code }) => ({ ...close(state, room), problem: code }),
  spoken: (state, { language }) => ({ ...state, language }),

  connected: (state, { sid, transport, recovered }) => ({
    ...state,
    transport,
    worker: workerOf(sid),
    link: state.rooms.some(({ me }) => me !== null) ? "catching" : "connecting",
    back: nothing,
    rooms: recovered ? state.rooms : state.rooms.map(one.forgotten),
  }),
  upgraded: (state, { transport }) => ({ ...state, transport }),
  joined: (state, { room, answer, time }) => join(state, { room, answer, time }),
  expelled: (state, { room }) => change(state, room, one.forgotten),
  caught_up: (state) => ({ ...state, link: state.link === "catching" ? "back" : state.link }),
  settled: (state) => ({ ...state, link: state.link === "back" ? "online" : state.link }),
  lost: (state) => ({ ...state, link: "offline", transport: null, worker: null }),

  written: (state, { room, message_id, text, time }) => change(state, room, (written) => ({
    ...written, outbox: [...written.outbox, { message_id, text, time, problem: null, hitch: null }],
  })),
  stored: (state, { room, ...answer }) => change(state, room, (written) =>
    one.stored(written, { ...answer, username: state.name })),
  hitched: (state, { hitch, ...message }) => changeMessage(state, message, { hitch }),
  rejected: (state, { code, ...message }) => changeMessage(state, message, { problem: code }),
  retried: (state, message) => changeMessage(state, message, { problem: null, hitch: null }),
  taken_back: (state, { room, message_id }) => change(state, room, (written) => ({
    ...written, outbox: written.outbox.filter((message) => message.message_id !== message_id),
  })),

  older_wanted: (state, { room }) => change(state, room, (read) => ({
    ...read, seeking: read.more && firstSay(read.entries) !== undefined,
  })),
  older: (state, { room, messages, more }) =>
    change(state, room, (read) => one.older(read, { messages, more })),

  told: (state, message) => hear(state, message),
};

export function reduce(state, event) {
  return one.own(steps, event.type)(state, event);
}

export function roomOf({ rooms }, roomid) {
  return rooms.find((room) => room.roomid === roomid);
}

/** The room in view first: it is what one waits for. */
export function nextToJoin(state) {
  const waiting = state.rooms.filter(({ joined }) => !joined);
  return waiting.find(({ roomid }) => roomid === state.room) ?? waiting[0];
}

/** A message that wants to be sent, with its room; in each room the oldest first. */
export function nextToSend({ rooms }) {
  for (const { roomid, joined, outbox } of rooms) {
    const message = joined && outbox.find(({ problem }) => problem === null);
    if (message) return { roomid, message };
  }
  return undefined;
}

/** A room whose older messages are wanted, and the position before which. */
export function nextToSeek({ rooms }) {
  const room = rooms.find(({ joined, seeking }) => joined && seeking);
  return room && { roomid: room.roomid, before: firstSay(room.entries).position };
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

function look(state, roomid) {
  return change({ ...state, room: roomid }, roomid, (room) => ({ ...room, unread: 0 }));
}

function close(state, roomid) {
  const rooms = state.rooms.filter((room) => room.roomid !== roomid);
  if (rooms.length === 0) return { ...state, ...nowhere, problem: null };
  const next = state.room === roomid ? rooms.at(-1).roomid : state.room;
  return look({ ...state, rooms, problem: null }, next);
}

function join(state, { room, answer, time }) {
  const open = roomOf(state, room);
  if (!open) return state;
  const { room: after, missed, reloaded } = one.joined(open, { answer, username: state.name, time });
  const { back } = state;
  return {
    ...change(state, room, () => after),
    link: state.link === "connecting" ? "online" : state.link,
    back: { missed: back.missed + missed, reloaded: back.reloaded || reloaded },
  };
}

// A room that was closed meanwhile may still be told something.
function hear(state, message) {
  const { roomid, id } = message.data;
  const after = change(state, roomid, (room) => one.told(room, message));
  const isNews = message.event === "broadcast_say" && isNew(state, after, roomid);
  if (!isNews || roomOf(state, roomid).me === id) return after;
  const seen = roomid === state.room ? after : change(after, roomid, addUnread);
  const isMissed = state.link === "catching" && roomOf(state, roomid).joined;
  return isMissed ? { ...seen, back: { ...seen.back, missed: seen.back.missed + 1 } } : seen;
}

function isNew(before, after, roomid) {
  return roomOf(after, roomid)?.entries.length > roomOf(before, roomid)?.entries.length;
}

function addUnread(room) {
  return { ...room, unread: room.unread + 1 };
}

function change(state, roomid, act) {
  const rooms = state.rooms.map((room) => (room.roomid === roomid ? act(room) : room));
  return { ...state, rooms };
}

function changeMessage(state, { room, message_id }, fields) {
  return change(state, room, (written) => ({
    ...written,
    outbox: written.outbox.map((message) =>
      (message.message_id === message_id ? { ...message, ...fields } : message)),
  }));
}
