// Builds the lines of a conversation.

import { button, element, sign } from "./dom.js";
import { avatar, hueOf, nameOf } from "./faces.js";
import { say, sayDay, sayMoment, sayTime } from "./text.js";

const LINK = /https?:\/\/[^\s<>"'，。！？；：）】》]+[^\s<>"'，。！？；：）】》.,!?;:)\]]/g;
const CHECK = "M4.5 13l4.8 4.8L19.5 7.2";
const CLOCK = "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 7.5V12l3 2";

/** One message. `follows`: of the same person as the line before; `tag`: tells namesakes apart. */
export function sayLine(entry, { language, mine, follows, tag }) {
  const author = nameOf("author", mine ? say(language, "you") : entry.username, tag);
  const tick = mine ? sign("tick", CHECK, say(language, "stored")) : "";
  const bubble = element("div", "bubble", paragraph(entry.text), foot(entry, { language, tick }));
  const line = element("article", "say", element("div", "stack", author, bubble));
  if (!mine) line.prepend(avatar(entry));
  line.classList.toggle("mine", mine);
  line.classList.toggle("follows", follows);
  line.style.setProperty("--hue", hueOf(entry.id));
  return line;
}

export function noticeLine(entry, { language, mine, tag }) {
  const line = element("p", "notice", noticeText(entry, { language, mine, tag }), " ");
  line.append(timeOf(entry, language));
  return line;
}

/** What begins a day: its name. */
export function dayLine({ time }, { language }) {
  return element("p", "day", element("span", "", sayDay(language, time)));
}

/** A message that is still here. `note`: why; `choices`: what its author can do, as [label, act]. */
export function pendingLine(message, { language, note, choices }) {
  const tick = sign("tick", CLOCK, say(language, "sending"));
  const bubble = element("div", "bubble", paragraph(message.text), foot(message, { language, tick }));
  const line = element("article", "say mine pending", element("div", "stack", bubble));
  const state = element("p", "state", note);
  state.append(...choices.flatMap(([label, act]) => [" ", button("inline", label, act)]));
  if (note) bubble.after(state);
  line.classList.toggle("waiting", note !== "");
  line.classList.toggle("rejected", message.problem !== null);
  return line;
}

function noticeText({ kind, username }, { language, mine, tag }) {
  const name = tag ? `${username} (${tag})` : username;
  if (kind === "quit") return say(language, "quit", { name });
  return mine ? say(language, "you_joined") : say(language, "joined", { name });
}

function foot(message, { language, tick }) {
  return element("span", "foot-line", timeOf(message, language), tick);
}

function timeOf({ time }, language) {
  const made = element("time", "time", sayTime(language, time));
  made.dateTime = new Date(time).toISOString();
  made.title = sayMoment(language, time);
  return made;
}

function paragraph(text) {
  const made = element("p", "text");
  let rest = 0;
  for (const { 0: url, index } of text.matchAll(LINK)) {
    made.append(text.slice(rest, index), anchor(url));
    rest = index + url.length;
  }
  made.append(text.slice(rest));
  return made;
}

function anchor(url) {
  const made = element("a", "", url);
  made.href = url;
  made.target = "_blank";
  made.rel = "noopener noreferrer nofollow";
  return made;
}
