// Builds what the log shows. Text of people becomes text nodes, never markup.

import { localeOf, say } from "./text.js";

const LINK = /https?:\/\/[^\s<>"'，。！？；：）】》]+[^\s<>"'，。！？；：）】》.,!?;:)\]]/g;

export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

/** One message. `follows`: of the same person as the line before; `tag`: tells namesakes apart. */
export function sayLine(entry, { language, mine, follows, tag }) {
  const author = element("span", "author", mine ? say(language, "you") : entry.username);
  if (tag) author.append(" ", element("span", "tag", tag));
  const bubble = element("div", "bubble", paragraph(entry.text), timeOf(entry, language));
  const line = element("article", "say", element("div", "stack", author, bubble));
  if (!mine) line.prepend(avatar(entry));
  line.classList.toggle("mine", mine);
  line.classList.toggle("follows", follows);
  line.style.setProperty("--hue", hueOf(entry.id));
  return line;
}

export function noticeLine(entry, { language, mine }) {
  const line = element("p", "notice", noticeText(entry, { language, mine }), " ");
  line.append(timeOf(entry, language));
  return line;
}

/** A message that is still here. `takeBack` puts it back into the box. */
export function waitingLine(message, { note, label, takeBack }) {
  const bubble = element("div", "bubble", paragraph(message.text));
  const state = element("p", "state", note);
  if (label) state.append(" ", button(label, takeBack));
  const line = element("article", "say mine waiting", element("div", "stack", bubble, state));
  line.classList.toggle("rejected", message.problem !== null);
  return line;
}

function button(label, onClick) {
  const made = element("button", "inline", label);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

function noticeText({ kind, username }, { language, mine }) {
  if (kind === "quit") return say(language, "quit", { name: username });
  if (kind === "back") return say(language, "you_are_back");
  return mine ? say(language, "you_joined") : say(language, "joined", { name: username });
}

function avatar({ username }) {
  const made = element("span", "avatar", initials(username));
  made.setAttribute("aria-hidden", "true");
  return made;
}

function initials(name) {
  const firsts = name.split(/\s+/).map((word) => firstLetter(word));
  const two = firsts.length > 1 && firsts.slice(0, 2).every((one) => /^\p{Letter}/u.test(one));
  return (two ? firsts[0] + firsts[1] : firsts[0]).toUpperCase();
}

function firstLetter(word) {
  return [...new Intl.Segmenter().segment(word)][0]?.segment ?? "";
}

function hueOf(id) {
  const sum = [...id].reduce((hash, one) => (hash * 31 + one.codePointAt(0)) % 9973, 7);
  return String((sum * 47) % 360);
}

function timeOf({ time }, language) {
  const date = new Date(time);
  const made = element("time", "time", format(language, { timeStyle: "short" }, date));
  made.dateTime = date.toISOString();
  made.title = format(language, { dateStyle: "full", timeStyle: "medium" }, date);
  return made;
}

function format(language, options, date) {
  return new Intl.DateTimeFormat(localeOf(language), options).format(date);
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
