// The door: a name, a room.

import { say, sayProblem } from "./text.js";

const LOBBY = "lobby";

export class Door {
  #page;
  #actions;
  #language = null;

  constructor(page, actions) {
    this.#page = page;
    this.#actions = actions;
    page.enter.addEventListener("submit", (event) => this.#enter(event));
    page.place.addEventListener("input", () => this.#labelGo());
  }

  render({ language, problem }) {
    this.#language = language;
    this.#labelGo();
    const { problem: shown, name, place } = this.#page;
    shown.hidden = problem === null;
    shown.textContent = problem === null ? "" : sayProblem(language, problem);
    const about = (field) => String(problem !== null && problem.startsWith(`${field}_`));
    name.setAttribute("aria-invalid", about("name"));
    place.setAttribute("aria-invalid", about("room"));
  }

  open({ name, wantedRoom, problem }) {
    this.#page.name.value = name;
    this.#page.place.value = wantedRoom === LOBBY ? "" : wantedRoom;
    this.#page.place.placeholder = LOBBY;
    this.#labelGo();
    const wrong = problem?.startsWith("room_") ? this.#page.place : this.#page.name;
    wrong.focus();
  }

  #labelGo() {
    const room = this.#page.place.value.trim() || LOBBY;
    this.#page.go.textContent = say(this.#language, "go", { room });
  }

  #enter(event) {
    event.preventDefault();
    const { name, place } = this.#page;
    this.#actions.enter({ name: tidy(name.value), room: tidy(place.value) || LOBBY });
  }
}

function tidy(text) {
  return text.trim().normalize("NFC");
}
