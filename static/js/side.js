// Which rooms are open, and who is here: beside the conversation, or over it where that is narrow.

import { button, element, setText, unseen } from "./dom.js";
import { avatar, nameOf, tagsIn } from "./faces.js";
import { roomOf } from "./store.js";
import { say, sayProblem } from "./text.js";

export class Side {
  #page;
  #actions;
  #drawn = {};

  constructor(page, actions) {
    this.#page = page;
    this.#actions = actions;
    page.opener.addEventListener("submit", (event) => this.#enter(event));
    page.toggle.addEventListener("click", () => this.#show(!this.#isShown()));
    page.shade.addEventListener("click", () => this.#show(false));
    page.side.addEventListener("keydown", (event) => event.key === "Escape" && this.#show(false));
  }

  render(state) {
    const { rooms, room, language, problem } = state;
    const drawn = this.#drawn;
    this.#drawn = { rooms, room, language, problem };
    if (drawn.room !== room) this.#hide();
    if (drawn.rooms !== rooms || drawn.room !== room || drawn.language !== language) {
      this.#drawRooms(state);
      this.#drawPeople(roomOf(state, room), language);
    }
    const { trouble } = this.#page;
    trouble.hidden = problem === null;
    setText(trouble, problem === null ? "" : sayProblem(language, problem));
  }

  #drawRooms({ rooms, room, language }) {
    const { rooms: list, elsewhere } = this.#page;
    keepFocus(list, () => list.replaceChildren(...rooms.map((one) => this.#room(one, room, language))));
    elsewhere.hidden = rooms.every(({ unread }) => unread === 0);
  }

  #room({ roomid, unread }, inView, language) {
    const made = button("place", element("span", "place-name", `#${roomid}`), () => {
      this.#actions.look(roomid);
      this.#hide();
    });
    made.setAttribute("aria-current", String(roomid === inView));
    if (unread > 0) {
      const count = element("span", "badge", String(Math.min(unread, 99)));
      count.setAttribute("aria-hidden", "true");
      made.append(count, unseen(say(language, "newer", { count: unread })));
    }
    return element("li", "", made);
  }

  #drawPeople(room, language) {
    const { people: list, here, "toggle-count": count } = this.#page;
    const sorted = inOrder(room, language);
    const total = `${sorted.length}${room.crowded ? "+" : ""}`;
    const tagOf = tagsIn(room);
    setText(here, total);
    setText(count, total);
    list.replaceChildren(...sorted.map((person) => {
      const isMe = person.id === room.me;
      const name = isMe ? `${person.username} · ${say(language, "you")}` : person.username;
      return element("li", "person", avatar(person), nameOf("name", name, isMe ? null : tagOf(person)));
    }));
  }

  #enter(event) {
    event.preventDefault();
    const { another } = this.#page;
    const room = another.value.trim().normalize("NFC");
    if (!room) return;
    another.value = "";
    this.#actions.look(room);
    this.#hide();
  }

  #hide() {
    if (this.#isShown()) this.#show(false);
  }

  #isShown() {
    return this.#page.toggle.getAttribute("aria-expanded") === "true";
  }

  #show(isShown) {
    const { room, toggle, side } = this.#page;
    toggle.setAttribute("aria-expanded", String(isShown));
    room.classList.toggle("beside", isShown);
    const next = isShown ? side.querySelector("[aria-current=true]") : toggle;
    next?.focus();
  }
}

// Oneself first, then by name.
function inOrder({ people, me }, language) {
  const isLater = (one, other) => one.username.localeCompare(other.username, language);
  return people.toSorted((one, other) => (other.id === me) - (one.id === me) || isLater(one, other));
}

// A list that is built again under somebody's fingers keeps their place in it.
function keepFocus(list, change) {
  const at = Array.from(list.children).findIndex((one) => one.contains(document.activeElement));
  change();
  if (at !== -1) list.children[at]?.firstChild.focus();
}
