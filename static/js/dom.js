// Elements. Text of people becomes text nodes, never markup.

const SVG = "http://www.w3.org/2000/svg";

export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

export function button(className, label, onClick) {
  const made = element("button", className, label);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

/** A drawing of one line, which says what it means. */
export function sign(className, path, meaning) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  const made = element("span", className, svg);
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", meaning);
  made.title = meaning;
  return made;
}

/** For those who listen alone. */
export function unseen(text) {
  return element("span", "unseen", text);
}

export function elementsById() {
  return Object.fromEntries(Array.from(document.querySelectorAll("[id]"), (one) => [one.id, one]));
}

export function each(selector, act) {
  document.querySelectorAll(selector).forEach(act);
}

// Setting the same text again would make a screen reader say it again.
export function setText(made, text) {
  if (made.textContent !== text) made.textContent = text;
}
