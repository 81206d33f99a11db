// Whether what handlers do reaches each client in the order in which it was done.
// node order.mjs CHECK '{"urls": [worker 0, worker 1], "rounds": 1000, …}', with the switchboard.
// Each check prints how much it saw and its first violations, as words.

import { connect, mainOf, withResolvers } from "./client.mjs";

const WINDOW = 40; // orders of one client that are under way together
const MOST_SHOWN = 10;

const order = (operation, args, keywords = {}) => [operation, args, keywords];
const emit = (event, args, keywords) => order("emit", [event, ...args], keywords);

/** A client whose log has events and acknowledgements as [name, ...arguments]. */
class Watcher {
  constructor({ socket, inbox }) {
    Object.assign(this, { socket, inbox, log: [] });
    socket.onAny((...entry) => this.log.push(entry));
    socket.on("disconnect", () => this.log.push(["disconnect"]));
  }

  get sid() {
    return this.socket.id;
  }

  /** Order it; the acknowledgement is logged as ["ack", word]. */
  do(word, ...orders) {
    const { promise, resolve, reject } = withResolvers();
    this.socket.timeout(60_000).emit("do", orders, (error, outcomes) => {
      this.log.push(["ack", word]);
      const raised = outcomes?.find((outcome) => outcome?.raised);
      error || raised ? reject(error ?? new Error(JSON.stringify(raised))) : resolve();
    });
    return promise;
  }

  /** Where each entry stands in the log, by its words; and which came twice. */
  places() {
    const places = new Map();
    for (const [place, entry] of this.log.entries()) {
      const words = entry.join(" ");
      places.set(words, [...(places.get(words) ?? []), place]);
    }
    return places;
  }
}

const websocket = { transports: ["websocket"] };

async function watchers(urls) {
  return Promise.all(urls.map(async (url) => new Watcher(await connect(url, websocket))));
}

/** Run `step(n)` for each number, a window of them at a time. */
async function inWindow(count, step) {
  let next = 0;
  const lane = async () => {
    while (next < count) await step(next++);
  };
  await Promise.all(Array.from({ length: WINDOW }, lane));
}

/** All hear a last broadcast from each of `speakers`, and with it all that came before. */
async function fence(speakers, listeners) {
  for (const [number, speaker] of speakers.entries()) {
    speaker.socket.emit("do", [emit("fence", [number], { broadcast: true })]);
    await Promise.all(
      listeners.map(({ inbox }) => inbox.until(() => inbox.all("fence").includes(number), "fence")),
    );
  }
}

/** Collects words about what is wrong. */
class Verdict {
  #violations = [];
  seen = 0;

  /** In this log, these entries came once each, in this order. */
  inOrder(places, name, ...entries) {
    let last = -1;
    for (const entry of entries) {
      const found = places.get(entry) ?? [];
      if (found.length !== 1) this.say(`${name}: "${entry}" came ${found.length} times`);
      else if (found[0] < last) this.say(`${name}: "${entry}" came before "${entries}"`);
      last = found[0] ?? last;
      this.seen += found.length;
    }
  }

  never(places, name, entry) {
    if (places.has(entry)) this.say(`${name}: "${entry}" came`);
  }

  say(words) {
    this.#violations.push(words);
  }

  result(...parties) {
    for (const { socket } of parties) socket.disconnect();
    const violations = this.#violations;
    const shown = violations.slice(0, MOST_SHOWN);
    return { seen: this.seen, wrong: violations.length, violations: shown };
  }
}

/** A pseudo-random generator of whole numbers below n, the same for the same seed (xorshift32). */
function dice(seed) {
  let state = seed | 0 || 1;
  return (sides) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % sides;
  };
}

/** The kinds of emit in a mix: its keywords or rooms, and who hears it. */
function kindsFor(speaker, { red, blue, all }) {
  const [remote] = all.filter((one) => one.url !== speaker.url);
  const without = (list) => list.filter((one) => one !== speaker);
  const either = [...new Set([...red, ...blue])];
  return [
    [(args) => emit("x", args), [speaker]],
    [(args) => emit("x", args, { to: "red" }), red],
    [(args) => emit("x", args, { to: "blue", include_self: false }), without(blue)],
    [(args) => order("emit_several", ["x", ...args], { to: ["red", "blue"] }), either],
    [(args) => emit("x", args, { broadcast: true }), all],
    [(args) => emit("x", args, { to: remote.sid }), [remote]],
    [(args) => order("emit_outside", ["x", ...args], { to: "blue" }), blue],
  ];
}

/** Two speakers on two workers, and what each of six clients must hear of all their mixes. */
async function mixes({ urls, rounds, seed }) {
  const places = [0, 0, 0, 1, 1, 1].map((slot) => urls[slot]);
  const all = await watchers(places);
  all.forEach((one, number) => Object.assign(one, { url: places[number], name: number, due: [] }));
  const [one, two, three, four, five, six] = all;
  const rooms = { red: [one, two, four, five], blue: [one, three, five, six], all };
  for (const name of ["red", "blue"])
    await Promise.all(rooms[name].map((member) => member.do("", order("join", [name]))));
  const throwDice = dice(seed);
  const speakers = [one, four];
  const plans = speakers.map((speaker) => planned(speaker, { rooms, rounds, throwDice }));
  await Promise.all(
    speakers.map((speaker, number) =>
      inWindow(rounds / 2, (round) =>
        speaker.do(`${speaker.name} ${round}`, ...plans[number][round]),
      ),
    ),
  );
  await fence([one, four], all);
  return judgeMixes(all);
}

/** All that one speaker will order, and with it what everybody is due to hear. */
function planned(speaker, { rooms, rounds, throwDice }) {
  const kinds = kindsFor(speaker, rooms);
  const mix = (_, round) =>
    Array.from({ length: 1 + throwDice(3) }, (_, part) => {
      const [make, hearers] = kinds[throwDice(kinds.length)];
      const args = [speaker.name, round, part];
      for (const hearer of hearers) hearer.due.push(args);
      return make(args);
    });
  return Array.from({ length: rounds / 2 }, mix);
}

function judgeMixes(all) {
  const verdict = new Verdict();
  const maps = all.map((watcher) => watcher.places());
  for (const [number, watcher] of all.entries())
    for (const mix of together(watcher.due))
      verdict.inOrder(maps[number], number, ...mix, ...ackOf(watcher, mix));
  judgeSurplus(verdict, all);
  for (const [a, first] of maps.entries())
    for (const second of maps.slice(a + 1)) judgePair(verdict, first, second);
  return verdict.result(...all);
}

/** Entries of one handler, together and in order. */
function together(due) {
  const mixes = new Map();
  for (const [speaker, round, part] of due) {
    const key = `${speaker} ${round}`;
    mixes.set(key, [...(mixes.get(key) ?? []), `x ${speaker} ${round} ${part}`]);
  }
  return mixes.values();
}

function ackOf(watcher, [entry]) {
  const [, speaker, round] = entry.split(" ");
  return Number(speaker) === watcher.name ? [`ack ${speaker} ${round}`] : [];
}

function judgeSurplus(verdict, all) {
  for (const { name, log, due } of all) {
    const heard = log.filter(([event]) => event === "x").length;
    if (heard !== due.length) verdict.say(`${name} heard ${heard} of ${due.length}`);
  }
}

/** What two clients both heard, they heard in one order. */
function judgePair(verdict, first, second) {
  let last = -1;
  for (const [entry, [place]] of [...first].sort(([, [a]], [, [b]]) => a - b)) {
    if (!entry.startsWith("x ") || !second.has(entry)) continue;
    const [other] = second.get(entry);
    if (other < last) verdict.say(`two clients disagree about "${entry}" of place ${place}`);
    last = Math.max(last, other);
  }
}

/** Two workers speak into one room at once: all members hear the same sequence. */
async function oneOrder({ urls, rounds }) {
  const all = await watchers([...urls, ...urls]);
  await Promise.all(all.map((member) => member.do("", order("join", ["agora"]))));
  await Promise.all(
    all.map((speaker, name) =>
      inWindow(rounds / all.length, (n) => speaker.do(n, emit("x", [name, n], { to: "agora" }))),
    ),
  );
  await fence(all, all);
  const heard = all.map(({ log }) => log.filter(([name]) => name === "x").join(" "));
  const verdict = new Verdict();
  heard.forEach((one, name) => one === heard[0] || verdict.say(`${name} heard another order`));
  verdict.seen = all[0].log.filter(([name]) => name === "x").length;
  return verdict.result(...all);
}

/** emit → return: the event is there before the acknowledgement, whatever the emit was to. */
async function acks({ urls, rounds }) {
  const [client, other] = await watchers(urls);
  await client.do("", order("join", ["here"]));
  await Promise.all([client, other].map((one) => one.do("", order("join", ["both"]))));
  const ways = [{}, { to: "here" }, { to: "both" }, { broadcast: true }, { to: client.sid }];
  await inWindow(rounds, (n) => client.do(n, emit("x", [n], ways[n % ways.length])));
  const verdict = new Verdict();
  const places = client.places();
  for (let n = 0; n < rounds; n++) verdict.inOrder(places, "client", `x ${n}`, `ack ${n}`);
  return verdict.result(client, other);
}

/** emit → disconnect, of oneself and of a client of the other worker. */
async function goodbyes({ urls, rounds }) {
  const verdict = new Verdict();
  const lanes = 20;
  const [chief] = await watchers(urls);
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      const [guest] = await watchers([urls[lane % urls.length]]);
      await new Promise((resolve) => openBeside(guest.socket).once("connect", resolve));
      for (let n = lane; n < rounds; n += lanes) await sayGoodbye(verdict, { chief, guest, n });
      guest.socket.io._close();
    }),
  );
  return verdict.result(chief);
}

/** A second namespace on the same transport keeps it when the first is disconnected. */
function openBeside(socket) {
  return socket.io.socket("/other").connect();
}

async function sayGoodbye(verdict, { chief, guest, n }) {
  const { socket } = guest;
  guest.log = [];
  if (!socket.connected) await new Promise((done) => socket.once("connect", done).connect());
  await guest.do("", order("join", [`guests ${n}`]));
  const ways = [{ to: socket.id }, { to: `guests ${n}` }, { broadcast: true }];
  const last = new Promise((resolve) => socket.once("disconnect", resolve));
  const orders = [emit("x", [n], ways[n % ways.length]), order("disconnect", [socket.id])];
  const speaker = n % 2 ? guest : chief;
  speaker.socket.emit("do", orders);
  await last;
  verdict.inOrder(guest.places(), `guest ${n}`, `x ${n}`, "disconnect");
}

/** emit → close_room → emit: members on both workers hear the first alone. */
async function closings({ urls, rounds }) {
  const [chief, ...members] = await watchers([urls[0], ...urls]);
  await enterAll(members, rounds, "closed");
  await inWindow(rounds, (n) => {
    const to = `closed ${n}`;
    return chief.do(n, emit("x", [n], { to }), order("close", [to]), emit("late", [n], { to }));
  });
  await fence([chief], members);
  const verdict = new Verdict();
  members.forEach((member, name) => judgeLast(verdict, member, { name, rounds }));
  return verdict.result(chief, ...members);
}

async function enterAll(members, rounds, prefix) {
  const joins = Array.from({ length: rounds }, (_, n) => order("join", [`${prefix} ${n}`]));
  await Promise.all(members.map((member) => member.do("", ...joins)));
}

function judgeLast(verdict, member, { name, rounds }) {
  const places = member.places();
  for (let n = 0; n < rounds; n++) {
    verdict.inOrder(places, name, `x ${n}`);
    verdict.never(places, name, `late ${n}`);
  }
}

/** emit → leave → emit: who left hears the first alone, who stayed hears both; also from afar. */
async function leavings({ urls, rounds }) {
  const [chief, leaver, stayer] = await watchers([urls[0], urls[1], urls[1]]);
  await enterAll([leaver, stayer], rounds, "left");
  await inWindow(rounds, (n) => {
    const to = `left ${n}`;
    const fromAfar = [chief, order("quit", [leaver.sid, to])];
    const [speaker, leave] = n % 2 ? fromAfar : [leaver, order("leave", [to])];
    return speaker.do(n, emit("x", [n], { to }), leave, emit("late", [n], { to }));
  });
  await fence([chief, leaver], [leaver, stayer]);
  const verdict = new Verdict();
  judgeLast(verdict, leaver, { name: "leaver", rounds });
  const places = stayer.places();
  for (let n = 0; n < rounds; n++) verdict.inOrder(places, "stayer", `x ${n}`, `late ${n}`);
  return verdict.result(chief, leaver, stayer);
}

/** A client joins and speaks in one burst: it hears itself, and so does one who was there. */
async function bursts({ urls, rounds }) {
  const [client, there] = await watchers(urls);
  await enterAll([there], rounds, "burst");
  await inWindow(rounds, (n) => {
    client.do(`joined ${n}`, order("join", [`burst ${n}`]));
    return client.do(n, emit("x", [n], { to: `burst ${n}` }));
  });
  await fence([client], [client, there]);
  const verdict = new Verdict();
  const [mine, theirs] = [client.places(), there.places()];
  for (let n = 0; n < rounds; n++) {
    verdict.inOrder(mine, "client", `x ${n}`, `ack ${n}`);
    verdict.inOrder(theirs, "there", `x ${n}`);
  }
  return verdict.result(client, there);
}

/** A client of the other worker is put into a room, which then hears something. */
async function entries({ urls, rounds }) {
  const [chief, guest] = await watchers(urls);
  await inWindow(rounds, (n) => {
    const to = `entered ${n}`;
    const early = emit("early", [n], { to });
    return chief.do(n, early, order("enter", [guest.sid, to]), emit("x", [n], { to }));
  });
  await fence([chief], [guest]);
  const verdict = new Verdict();
  const places = guest.places();
  for (let n = 0; n < rounds; n++) {
    verdict.never(places, "guest", `early ${n}`);
    verdict.inOrder(places, "guest", `x ${n}`);
  }
  return verdict.result(chief, guest);
}

/** Who has been told that it is in a room hears all that another worker says there from then on. */
async function welcomes({ urls, rounds }) {
  const [guest, chief] = await watchers(urls);
  await inWindow(rounds, async (n) => {
    await guest.do(`joined ${n}`, order("join", [`welcome ${n}`]));
    await chief.do(n, emit("x", [n], { to: `welcome ${n}` }));
  });
  await fence([chief], [guest]);
  const verdict = new Verdict();
  const places = guest.places();
  for (let n = 0; n < rounds; n++)
    verdict.inOrder(places, "guest", `ack joined ${n}`, `x ${n}`);
  return verdict.result(guest, chief);
}

mainOf({ mixes, oneOrder, acks, goodbyes, closings, leavings, bursts, entries, welcomes });
