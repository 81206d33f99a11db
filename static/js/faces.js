// How a person is told from another: colour, initials, and a tag for namesakes.

import { element } from "./dom.js";

export function avatar({ id, username }) {
  const made = element("span", "avatar", initials(username));
  made.setAttribute("aria-hidden", "true");
  made.style.setProperty("--hue", hueOf(id));
  return made;
}

export function hueOf(id) {
  const sum = [...id].reduce((hash, one) => (hash * 31 + one.codePointAt(0)) % 9973, 7);
  return String((sum * 47) % 360);
}

/** A function that gives the tag of a person, or null for one whose name nobody else here has. */
export function tagsIn({ entries, people }) {
  const ids = new Map();
  const shared = new Set();
  for (const { id, username } of [...people, ...entries]) {
    if (!ids.has(username)) ids.set(username, id);
    else if (ids.get(username) !== id) shared.add(username);
  }
  return ({ id, username }) => (shared.has(username) ? id.slice(0, 3) : null);
}

/** A name, with its tag. */
export function nameOf(className, name, tag) {
  const made = element("span", className, name);
  if (tag) made.append(" ", element("span", "tag", tag));
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
