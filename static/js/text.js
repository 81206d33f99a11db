// How the page says its words: which language, which values in them.

import { words } from "./words.js";

const DAY = 24 * 60 * 60_000; // milliseconds

export const languages = Object.keys(words);

/** The first of the browser's languages that the page speaks, else English. */
export function pickLanguage(wanted) {
  const known = wanted.map((tag) => tag.slice(0, 2).toLowerCase());
  return known.find((language) => languages.includes(language)) ?? "en";
}

export function otherLanguage(language) {
  return language === "en" ? "zh" : "en";
}

/** The language as HTML names it. */
export function tagOf(language) {
  return language === "zh" ? "zh-Hans" : language;
}

/** How to write times: as the browser's own language does (British and American English differ). */
export function localeOf(language, wanted = navigator.languages) {
  return wanted.find((tag) => pickLanguage([tag]) === language) ?? language;
}

/** In one language, with {values} put in. A key that does not exist throws. */
export function say(language, key, values = {}) {
  const sentence = words[language][key];
  if (sentence === undefined) throw new Error(`no text for ${key}`);
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** What the server refused, by its code; a code this page does not know is shown as it came. */
export function sayProblem(language, code) {
  const key = Object.hasOwn(words[language], code) ? code : "other_problem";
  return say(language, key, { code });
}

/** "14:05", as the language writes it. */
export function sayTime(language, time) {
  return formatted(language, { timeStyle: "short" }, time);
}

/** Day and time in full. */
export function sayMoment(language, time) {
  return formatted(language, { dateStyle: "full", timeStyle: "medium" }, time);
}

/** "Today", "Yesterday", or the date. */
export function sayDay(language, time, now = Date.now()) {
  const days = Math.round((midnight(now) - midnight(time)) / DAY);
  if (days === 0) return say(language, "today");
  if (days === 1) return say(language, "yesterday");
  return formatted(language, { weekday: "long", day: "numeric", month: "long" }, time);
}

/** The start of a moment's day here, in milliseconds. */
export function midnight(time) {
  return new Date(time).setHours(0, 0, 0, 0);
}

function formatted(language, options, time) {
  return formatOf(localeOf(language), options).format(time);
}

const formats = new Map();

// Building a format is slow, and a log has a thousand times of day.
function formatOf(locale, options) {
  const key = `${locale} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale, options));
  return formats.get(key);
}
