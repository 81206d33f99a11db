// One room as the page knows it, and what can happen to it. Pure.
//
// joined: the server counts this connection in; me: one's own id there, null before the first time.
// entries: what the room has seen, in order:
//   {kind: "say", id, username, time, text, message_id, position}
//   {kind: "join" | "quit", id, username, time, position}, {kind: "arrived", id, username, time}
// more: there are older messages; seeking: they are wanted.
// outbox: what is not known to be stored: {message_id, text, time, problem: null | code, hitch}
//   hitch: null, or why it is still on its way: "unanswered" | "hurried"
// people: {id, username} of those who are here; crowded: more than these.
// split: where in `entries` the last connection's end, while the room is joined again.

import { find, firstSay, insert, isBefore, lastSay, merge, trimmed } from "./order.js";

export function newRoom(roomid, outbox) {
  return {
    roomid,
    me: null,
    joined: false,
    entries: [],
    more: false,
    seeking: false,
    people: [],
    crowded: false,
    outbox,
    unread: 0,
    split: null,
  };
}

/** The connection is a new one: what was missed is unknown until the room is joined again. */
export function forgotten(room) {
  return room.joined ? { ...room, joined: false, split: room.entries.length } : room;
}

/** Joined, with the last messages. `missed`: messages new to us; `reloaded`: a gap before them. */
export function joined(room, { answer, username, time }) {
  return room.me === null ? first(room, { answer, username, time }) : again(room, answer);
}

function first(room, { answer, username, time }) {
  const arrived = { kind: "arrived", id: answer.id, username, time };
  const after = entered(room, { answer, known: [], fresh: room.entries });
  return {
    missed: 0,
    reloaded: false,
    room: { ...after, entries: [...after.entries, arrived], more: answer.more },
  };
}

function again(room, answer) {
  const split = room.split ?? room.entries.length;
  const old = room.entries.slice(0, split);
  const reloaded = !reaches(answer, old);
  const known = reloaded ? [] : old;
  const news = saysOf(answer).filter((one) => one.id !== answer.id && !find(old, one));
  const after = entered(room, { answer, known, fresh: room.entries.slice(split) });
  const more = firstSay(known) ? room.more : answer.more;
  return { missed: news.length, reloaded, room: { ...after, more } };
}

// `known` stands before the answer's messages, `fresh` was told while it was on its way.
function entered(room, { answer, known, fresh }) {
  const says = saysOf(answer);
  const isOwn = ({ kind, id }) => kind !== "say" && id === answer.id;
  const told = fresh.filter((one) => !isOwn(one));
  return {
    ...room,
    me: answer.id,
    joined: true,
    split: null,
    entries: merge(merge(known, says), told),
    seeking: false,
    people: answer.people,
    crowded: answer.here > answer.people.length,
    outbox: says.reduce((left, say) => without(left, answer.id, say), room.outbox),
  };
}

/** An older page, as it was asked for. */
export function older(room, { messages, more }) {
  const entries = saysOf({ messages }).filter((one) => !find(room.entries, one));
  return { ...room, entries: [...entries, ...room.entries], more, seeking: false };
}

/** The page's own message is stored. Its time is the server's answer until the event says it. */
export function stored(room, { message_id, position, time, username }) {
  const sent = room.outbox.find((one) => one.message_id === message_id);
  if (!sent) return room;
  const { text } = sent;
  const entry = { kind: "say", id: room.me, username, time, text, message_id, position };
  const left = { ...room, outbox: without(room.outbox, room.me, entry) };
  return find(room.entries, entry) ? left : put(left, entry);
}

export function told(room, message) {
  return own(tellings, message.event)(room, entryOf(message));
}

const tellings = {
  join: (room, entry) => comeOrGo(room, entry, [...others(room, entry.id), personOf(entry)]),
  broadcast_quit: (room, entry) => comeOrGo(room, entry, others(room, entry.id)),
  broadcast_say: hear,
};

function hear(room, entry) {
  const left = { ...room, outbox: without(room.outbox, room.me, entry) };
  const known = find(room.entries, entry);
  if (!known) return put(left, entry);
  if (known.time === entry.time) return left;
  return { ...left, entries: room.entries.map((one) => (one === known ? entry : one)) };
}

// One's own coming and going is known without being told: this is it, or another tab's.
function comeOrGo(room, entry, people) {
  if (entry.id === room.me || find(room.entries, entry)) return room;
  return put({ ...room, people }, entry);
}

function put(room, entry) {
  if (room.more && isBefore(room.entries, entry)) return room;
  const entries = trimmed(insert(room.entries, entry));
  return { ...room, entries, more: room.more || entries.length < room.entries.length };
}

// Whether the answer leaves no gap after what was there. By position: the same message, sent again
// to a server that has lost its memory, has another.
function reaches(answer, old) {
  const last = lastSay(old);
  if (!last) return !answer.more;
  return answer.messages.some(({ position }) => position === last.position);
}

function saysOf(answer) {
  return answer.messages.map(entryOf);
}

const kinds = { join: "join", broadcast_quit: "quit", broadcast_say: "say" };

function entryOf({ event, data, position }) {
  const { id, username, time, text, message_id } = data;
  const entry = { kind: own(kinds, event), id, username, time, position };
  return event === "broadcast_say" ? { ...entry, text, message_id } : entry;
}

function personOf({ id, username }) {
  return { id, username };
}

function others({ people }, id) {
  return people.filter((one) => one.id !== id);
}

// Before the first answer one's own id is unknown, but nobody else's message has this one's.
function without(outbox, me, { id, message_id }) {
  if (me !== null && id !== me) return outbox;
  return outbox.filter((one) => one.message_id !== message_id);
}

export function own(table, name) {
  if (!Object.hasOwn(table, name)) throw new Error(`unknown event: ${name}`);
  return table[name];
}
