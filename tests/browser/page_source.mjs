// The page's own modules for Node, whatever the version takes a .js file without a package.json for.

import { readFile } from "node:fs/promises";

const PAGE = new URL("../../static/js/", import.meta.url);
const IMPORT = /from "\.\/(\w+\.js)"/g;

/** A module of the page, by its text, and by theirs what it imports. */
export async function load(name) {
  return import(await urlOf(name));
}

const urls = new Map();

// The same URL each time: a module that two others import is one module.
function urlOf(name) {
  if (!urls.has(name)) urls.set(name, built(name));
  return urls.get(name);
}

async function built(name) {
  const source = await readFile(new URL(name, PAGE), "utf8");
  const names = [...source.matchAll(IMPORT)].map((found) => found[1]);
  const found = await Promise.all(names.map(urlOf));
  const whole = source.replace(IMPORT, () => `from "${found.shift()}"`);
  return `data:text/javascript,${encodeURIComponent(whole)}`;
}
