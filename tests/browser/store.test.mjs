// The reducer alone: events in, state out.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

// By its text: an older Node takes a .js file without a package.json for CommonJS.
const source = await readFile(new URL("../../static/js/store.js", import.meta.url), "utf8");
const { createStore, initialState, nextToSend, reduce, workerOf } = await import(
  `data:text/javascript,${encodeURIComponent(source)}`
);

const outside = initialState({ language: "en", name: "", wantedRoom: "" });
const entered = { type: "entered", name: "Ada", room: "lobby", outbox: [] };
const joined = { type: "joined", id: "ada" };
const ben = { id: "ben", username: "Ben", time: 1 };

function after(...events) {
  return events.reduce(reduce, outside);
}

function said(text, message_id, person = ben) {
  return { type: "told", event: "broadcast_say", data: { ...person, text, message_id } };
}

function written(message_id, text = "hello") {
  return { type: "written", message_id, text };
}

test("an unknown event throws, from the page and from the wire", () => {
  assert.throws(() => reduce(outside, { type: "nonsense" }), /unknown event: nonsense/);
  assert.throws(() => reduce(outside, { type: "toString" }), /unknown event/);
  const told = { type: "told", event: "broadcast_dance", data: {} };
  assert.throws(() => reduce(outside, told), /unknown event: broadcast_dance/);
});

test("no step changes the state it is given", () => {
  const frozen = Object.freeze({ ...after(entered, joined), entries: Object.freeze([]) });
  const next = reduce(frozen, said("hi", "m-1"));
  assert.equal(frozen.entries.length, 0);
  assert.equal(next.entries.length, 1);
});

test("the line is connecting, online, offline, back, online", () => {
  const events = [entered, joined, { type: "lost" }, joined, { type: "settled" }];
  const links = events.map((_, at) => after(...events.slice(0, at + 1)).link);
  assert.deepEqual(links, ["connecting", "online", "offline", "back", "online"]);
});

test("being settled does not hide that the line is lost again", () => {
  assert.equal(after(entered, joined, { type: "lost" }, { type: "settled" }).link, "offline");
});

test("a message that comes twice is shown once, but not another's of the same id", () => {
  const twice = after(entered, joined, said("hi", "m-1"), said("hi", "m-1"));
  assert.equal(twice.entries.length, 1);
  const eve = { id: "eve", username: "Eve", time: 2 };
  assert.equal(reduce(twice, said("other", "m-1", eve)).entries.length, 2);
});

test("another's message never takes mine out of the outbox", () => {
  const state = after(entered, joined, written("m-1"), said("hello", "m-1"));
  assert.equal(state.outbox.length, 1);
});

test("an own message leaves the outbox as it is told, and its ack adds nothing", () => {
  const ada = { id: "ada", username: "Ada", time: 5 };
  const told = after(entered, joined, written("m-1"), said("hello", "m-1", ada));
  assert.deepEqual([told.outbox.length, told.entries.length], [0, 1]);
  const acked = reduce(told, { type: "accepted", message_id: "m-1", time: 5 });
  assert.deepEqual([acked.outbox.length, acked.entries.length], [0, 1]);
});

test("an acknowledged message is shown also when its telling is lost, and once", () => {
  const acked = after(entered, joined, written("m-1"), { type: "accepted", message_id: "m-1", time: 9 });
  assert.deepEqual(acked.entries.map(({ text, time }) => [text, time]), [["hello", 9]]);
  const ada = { id: "ada", username: "Ada", time: 9 };
  assert.equal(reduce(acked, said("hello", "m-1", ada)).entries.length, 1);
});

test("only on a line that stands is there something to send, the oldest first", () => {
  const waiting = after(entered, written("m-1"), written("m-2"));
  assert.equal(nextToSend(waiting), undefined);
  const online = reduce(waiting, joined);
  assert.equal(nextToSend(online).message_id, "m-1");
  assert.equal(nextToSend(reduce(online, { type: "lost" })), undefined);
});

test("a refused message waits for its author and holds up no other", () => {
  const refused = after(entered, joined, written("m-1"), written("m-2"),
    { type: "rejected", message_id: "m-1", code: "text_unusable" });
  assert.equal(refused.outbox[0].problem, "text_unusable");
  assert.equal(nextToSend(refused).message_id, "m-2");
  assert.equal(reduce(refused, { type: "taken_back", message_id: "m-1" }).outbox.length, 1);
});

test("leaving forgets the room and keeps the name", () => {
  const left = after(entered, joined, said("hi", "m-1"), { type: "left" });
  assert.deepEqual([left.room, left.entries.length, left.name], [null, 0, "Ada"]);
});

test("a refusal leads to the door of the room, with its reason", () => {
  const state = after({ ...entered, room: "x" }, { type: "refused", code: "room_unusable" });
  assert.deepEqual([state.room, state.wantedRoom, state.problem], [null, "x", "room_unusable"]);
});

test("one's own join after a reconnect is a return", () => {
  const own = { type: "told", event: "join", data: { id: "ada", username: "Ada", time: 1 } };
  assert.equal(after(entered, own, joined).entries[0].kind, "join");
  assert.equal(after(entered, joined, { type: "lost" }, own).entries[0].kind, "back");
});

test("one's other tabs come and go unseen", () => {
  for (const event of ["join", "broadcast_quit"]) {
    const own = { type: "told", event, data: { id: "ada", username: "Ada", time: 1 } };
    assert.equal(after(entered, joined, own).entries.length, 0);
  }
});

test("a sid with a prefix names its worker, any other names none", () => {
  assert.equal(workerOf("a1-abcdefghijklmnopqrst"), "a-1");
  assert.equal(workerOf("eu2west12-Q_bcdefghij-lmnopqrs"), "eu2west-12");
  assert.equal(workerOf("YiBHP4kQF9sCqh0SAAAA"), null);
  assert.equal(workerOf("a1-b0HP4kQF9sCqh0SAA"), "a-1");
});

test("a store tells its followers each state, the first one too", () => {
  const store = createStore(outside);
  const seen = [];
  store.follow(({ room }) => seen.push(room));
  store.dispatch(entered);
  assert.deepEqual(seen, [null, "lobby"]);
  assert.equal(store.state.room, "lobby");
});
