// The reducer alone: events in, state out.

import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./page_source.mjs";

const store = await load("store.js");
const { createStore, initialState, nextToJoin, nextToSend, reduce, roomOf, workerOf } = store;

const outside = initialState({ language: "en", name: "", wantedRoom: "" });
const entered = entering("lobby");
const online = { type: "connected", sid: "x", transport: "polling", recovered: false };
const recovered = { ...online, recovered: true };
const lost = { type: "lost" };
const caughtUp = { type: "caught_up" };
const ada = { id: "ada", username: "Ada", time: 1 };
const ben = { id: "ben", username: "Ben", time: 1 };

function entering(...rooms) {
  const opened = rooms.map((roomid) => ({ roomid, outbox: [] }));
  return { type: "entered", name: "Ada", room: rooms.at(-1), rooms: opened };
}

function joined(messages = [], { room = "lobby", more = false, people = [] } = {}) {
  const answer = { ok: true, id: "ada", messages, more, people, here: people.length };
  return { type: "joined", room, answer, time: 9 };
}

function message(event, number, data) {
  return { event, position: `${number}-aaaaaaaa`, data: { roomid: "lobby", ...data } };
}

function said(number, { person = ben, text = `text ${number}`, message_id = `m-${number}`, ...more } = {}) {
  return message("broadcast_say", number, { ...person, text, message_id, ...more });
}

function told(wire) {
  return { type: "told", ...wire };
}

function written(message_id, text = "hello") {
  return { type: "written", room: "lobby", message_id, text, time: 5 };
}

function after(...events) {
  return events.reduce(reduce, outside);
}

function lobby(state) {
  return roomOf(state, "lobby");
}

function texts(state) {
  return lobby(state).entries.filter(({ kind }) => kind === "say").map(({ text }) => text);
}

test("an unknown event throws, from the page and from the wire", () => {
  assert.throws(() => reduce(outside, { type: "nonsense" }), /unknown event: nonsense/);
  assert.throws(() => reduce(outside, { type: "toString" }), /unknown event/);
  const dance = told(message("broadcast_dance", 1, ben));
  assert.throws(() => after(entered, dance), /unknown event: broadcast_dance/);
});

test("no step changes the state it is given", () => {
  const before = after(entered, online, joined([said(1)]), written("m-9"));
  const copy = structuredClone(before);
  [told(said(2)), lost, online, written("m-8"), entering("other")].reduce(reduce, before);
  assert.deepEqual(before, copy);
});

test("the line is connecting, online, offline, catching up, back, online", () => {
  const events = [entered, online, joined(), lost, recovered, caughtUp, { type: "settled" }];
  const links = events.map((_, at) => after(...events.slice(0, at + 1)).link);
  const expected = ["connecting", "connecting", "online", "offline", "catching", "back", "online"];
  assert.deepEqual(links, expected);
});

test("neither being caught up nor being settled hides that the line is lost again", () => {
  assert.equal(after(entered, online, joined(), lost, caughtUp).link, "offline");
  assert.equal(after(entered, online, joined(), lost, { type: "settled" }).link, "offline");
});

test("who could not connect at first is connecting again, with nothing to catch up", () => {
  assert.equal(after(entered, lost, online).link, "connecting");
});

test("messages stand in the order of their positions, in whichever order they come", () => {
  const state = after(entered, online, joined(), ...[1, 9, 10, 2].map((at) => told(said(at))));
  assert.deepEqual(texts(state), ["text 1", "text 2", "text 9", "text 10"]);
});

test("a message that comes twice is shown once, but not another's of the same id", () => {
  const twice = after(entered, online, joined(), told(said(1)), told(said(1)));
  assert.deepEqual(texts(twice), ["text 1"]);
  const eve = { ...ben, id: "eve" };
  const other = told(said(2, { person: eve, message_id: "m-1" }));
  assert.deepEqual(texts(reduce(twice, other)), ["text 1", "text 2"]);
});

test("history and what is said while it is read make one sequence", () => {
  const state = after(entered, online, told(said(3)), joined([said(2), said(3)], { more: true }));
  assert.deepEqual(texts(state), ["text 2", "text 3"]);
  assert.equal(lobby(state).more, true);
  assert.equal(lobby(state).entries.at(-1).kind, "arrived");
});

test("an older page goes before, once", () => {
  const state = after(entered, online, joined([said(5)], { more: true }),
    { type: "older_wanted", room: "lobby" });
  assert.deepEqual(store.nextToSeek(state), { roomid: "lobby", before: "5-aaaaaaaa" });
  const older = { type: "older", room: "lobby", messages: [said(3), said(4)], more: false };
  const twice = [older, older].reduce(reduce, state);
  assert.deepEqual(texts(twice), ["text 3", "text 4", "text 5"]);
  assert.equal(store.nextToSeek(twice), undefined);
});

test("another's message never takes mine out of the outbox", () => {
  const state = after(entered, online, joined(), written("m-1"), told(said(1)));
  assert.equal(lobby(state).outbox.length, 1);
});

test("an own message leaves the outbox as it is told, and its ack adds nothing", () => {
  const own = told(said(1, { person: ada, text: "hello" }));
  const state = after(entered, online, joined(), written("m-1"), own);
  const stored = { type: "stored", room: "lobby", message_id: "m-1", position: "1-aaaaaaaa", time: 1 };
  for (const one of [state, reduce(state, stored)]) {
    assert.deepEqual([lobby(one).outbox.length, texts(one)], [0, ["hello"]]);
  }
});

test("a stored message has its place at once, and its telling adds nothing but the right time", () => {
  const stored = { type: "stored", room: "lobby", message_id: "m-2", position: "2-aaaaaaaa", time: 9 };
  const state = after(entered, online, joined(), written("m-2"), told(said(3)), stored);
  assert.deepEqual(texts(state), ["hello", "text 3"]);
  const own = reduce(state, told(said(2, { person: { ...ada, time: 7 }, text: "hello" })));
  assert.deepEqual(texts(own), ["hello", "text 3"]);
  assert.equal(lobby(own).entries.find(({ message_id }) => message_id === "m-2").time, 7);
});

test("an own message that was stored before what is loaded is not shown among later ones", () => {
  const stored = { type: "stored", room: "lobby", message_id: "m-1", position: "1-aaaaaaaa", time: 9 };
  const state = after(entered, online, joined([said(7)], { more: true }), written("m-1"), stored);
  assert.deepEqual([lobby(state).outbox.length, texts(state)], [0, ["text 7"]]);
});

test("only in a joined room is there something to send, the oldest first", () => {
  const waiting = after(entered, online, written("m-1"), written("m-2"));
  assert.equal(nextToSend(waiting), undefined);
  const open = reduce(waiting, joined());
  assert.equal(nextToSend(open).message.message_id, "m-1");
  assert.equal(nextToSend([lost, online].reduce(reduce, open)), undefined);
  assert.equal(nextToSend([lost, recovered].reduce(reduce, open)).message.message_id, "m-1");
});

test("a refused message waits for its author and holds up no other", () => {
  const about = { room: "lobby", message_id: "m-1" };
  const refused = after(entered, online, joined(), written("m-1"), written("m-2"),
    { type: "rejected", ...about, code: "not_stored" });
  assert.equal(lobby(refused).outbox[0].problem, "not_stored");
  assert.equal(nextToSend(refused).message.message_id, "m-2");
  assert.equal(nextToSend(reduce(refused, { type: "retried", ...about })).message.message_id, "m-1");
  assert.equal(lobby(reduce(refused, { type: "taken_back", ...about })).outbox.length, 1);
});

test("a recovered line has nothing to join, and counts what was missed", () => {
  const state = after(entered, online, joined([said(1)]), lost, recovered,
    told(said(2)), told(said(3, { person: ada })), caughtUp, told(said(4)));
  assert.equal(nextToJoin(state), undefined);
  assert.deepEqual(state.back, { missed: 1, reloaded: false });
  assert.deepEqual(texts(state), ["text 1", "text 2", "text 3", "text 4"]);
});

test("a new line joins again, and where the history reaches back nothing is lost", () => {
  const state = after(entered, online, joined([said(1)]), lost, online);
  assert.equal(nextToJoin(state).roomid, "lobby");
  const again = [told(said(4)), joined([said(1), said(2), said(3), said(4)])].reduce(reduce, state);
  assert.deepEqual(texts(again), ["text 1", "text 2", "text 3", "text 4"]);
  assert.deepEqual(again.back, { missed: 3, reloaded: false });
});

test("where it does not reach back, the history is loaded anew: no gap is hidden", () => {
  const state = after(entered, online, joined([said(1)]), lost, online, told(said(99)),
    joined([said(97), said(98)], { more: true }));
  assert.deepEqual(texts(state), ["text 97", "text 98", "text 99"]);
  assert.equal(state.back.reloaded, true);
  assert.equal(lobby(state).more, true);
});

test("a history of another epoch is never mixed with the one before", () => {
  const sentAgain = { ...said(2), position: "1-bbbbbbbb" };
  const state = after(entered, online, joined([said(1), said(2)]), lost, online, joined([sentAgain]));
  assert.deepEqual(texts(state), ["text 2"]);
  assert.equal(state.back.reloaded, true);
});

test("a second loss before the room is joined again does not hide the gap", () => {
  const state = after(entered, online, joined([said(1)]), lost, online, told(said(50)), lost,
    online, joined([said(50), said(51)], { more: true }));
  assert.deepEqual(texts(state), ["text 50", "text 51"]);
  assert.equal(state.back.reloaded, true);
});

test("a message that was stored unseen leaves the outbox with the history", () => {
  const own = said(2, { person: ada, text: "hello" });
  const state = after(entered, online, joined([said(1)]), written("m-2"), lost, online,
    joined([said(1), own]));
  assert.deepEqual([lobby(state).outbox.length, texts(state)], [0, ["text 1", "hello"]]);
  assert.equal(state.back.missed, 0);
});

test("one's own coming is told once, also when that is before the answer", () => {
  const state = after(entered, online, told(message("join", 1, ada)), joined());
  assert.deepEqual(lobby(state).entries.map(({ kind }) => kind), ["arrived"]);
});

test("others come and go, once, and one's own tabs unseen", () => {
  const state = after(entered, online, joined([], { people: [ada] }),
    told(message("join", 1, ben)), told(message("join", 1, ben)),
    told(message("join", 2, ada)), told(message("broadcast_quit", 3, ada)));
  assert.deepEqual(lobby(state).entries.map(({ kind }) => kind), ["arrived", "join"]);
  assert.deepEqual(lobby(state).people.map(({ id }) => id), ["ada", "ben"]);
  const left = reduce(state, told(message("broadcast_quit", 4, ben)));
  assert.deepEqual(lobby(left).people.map(({ id }) => id), ["ada"]);
});

test("a room that is not in view counts what it is told, until it is looked at", () => {
  const both = after(entering("lobby", "garden"), online, joined(), joined([], { room: "garden" }));
  const state = [told(said(1)), told(said(2, { person: ada }))].reduce(reduce, both);
  assert.equal(state.room, "garden");
  assert.equal(lobby(state).unread, 1);
  assert.equal(lobby(reduce(state, entered)).unread, 0);
});

test("the room in view is joined first", () => {
  assert.equal(nextToJoin(after(entering("one", "two", "three"), online)).roomid, "three");
});

test("leaving a room leads to the one opened last, then to the door, with the name", () => {
  const state = after(entering("lobby", "garden"), online);
  const one = reduce(state, { type: "closed", room: "garden" });
  assert.deepEqual([one.room, one.rooms.length], ["lobby", 1]);
  const none = reduce(one, { type: "closed", room: "lobby" });
  assert.deepEqual([none.room, none.rooms.length, none.name, none.link], [null, 0, "Ada", null]);
});

test("what a closed room is still told changes nothing", () => {
  const state = after(entering("garden"), online, joined([], { room: "garden" }));
  assert.deepEqual(reduce(state, told(said(1))).rooms, state.rooms);
  assert.deepEqual(reduce(state, joined()).rooms, state.rooms);
});

test("a refusal leads to the door of the room, with its reason", () => {
  const refusal = { type: "refused", room: "lobby", code: "room_unusable" };
  const state = after(entered, refusal);
  assert.deepEqual([state.room, state.wantedRoom, state.problem], [null, "lobby", "room_unusable"]);
});

test("no more rooms open than one connection may have", () => {
  const rooms = Array.from({ length: 50 }, (_, at) => `room ${at}`);
  const state = [entering(...rooms), entering("one more")].reduce(reduce, outside);
  assert.deepEqual([state.rooms.length, state.problem], [50, "too_many_rooms"]);
  assert.equal(reduce(state, entering("room 3")).room, "room 3");
});

test("a sid with a prefix names its worker, any other names none", () => {
  assert.equal(workerOf("a1-abcdefghijklmnopqrst"), "a-1");
  assert.equal(workerOf("eu2west12-Q_bcdefghij-lmnopqrs"), "eu2west-12");
  assert.equal(workerOf("YiBHP4kQF9sCqh0SAAAA"), null);
  assert.equal(workerOf("a1-b0HP4kQF9sCqh0SAA"), "a-1");
});

test("a store tells its followers each state, the first one too", () => {
  const made = createStore(outside);
  const seen = [];
  made.follow(({ room }) => seen.push(room));
  made.dispatch(entered);
  assert.deepEqual(seen, [null, "lobby"]);
  assert.equal(made.state.room, "lobby");
});
