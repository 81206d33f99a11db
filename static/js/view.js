// Draws the state. Reports what people do through `actions`; decides nothing.

import { Composer } from "./composer.js";
import { inviteLink } from "./address.js";
import { Log } from "./log.js";
import { otherLanguage, say, sayProblem, tagOf } from "./text.js";

const COPIED_FOR = 2_000; // milliseconds
const LOBBY = "lobby";

export class View {
  #page = elementsById();
  #actions;
  #log;
  #composer;
  #drawn = { language: null, room: undefined };

  constructor(actions) {
    this.#actions = { ...actions, takeBack: (message) => this.#takeBack(message) };
    this.#log = new Log(this.#page, this.#actions);
    this.#composer = new Composer(this.#page, this.#actions);
    this.#listen();
  }

  render(state) {
    const { language, room } = this.#drawn;
    this.#drawn = state;
    if (state.language !== language) this.#speak(state);
    if (state.room !== room) this.#move(state);
    this.#drawDoor(state);
    if (state.room !== null) this.#drawRoom(state);
  }

  #listen() {
    const { enter, place } = this.#page;
    enter.addEventListener("submit", (event) => this.#enter(event));
    place.addEventListener("input", () => this.#labelGo());
    const does = {
      leave: () => this.#actions.leave(),
      retry: () => this.#actions.retry(),
      invite: () => this.#invite(),
      "scroll-down": () => this.#log.scrollDown(),
      "switch-language": () => this.#actions.switchLanguage(),
    };
    each("[data-does]", (one) => one.addEventListener("click", does[one.dataset.does]));
  }

  #speak({ language }) {
    const word = (key) => say(language, key);
    document.documentElement.lang = tagOf(language);
    each("[data-text]", (one) => { one.textContent = word(one.dataset.text); });
    each("[data-label]", (one) => one.setAttribute("aria-label", word(one.dataset.label)));
    each("[data-placeholder]", (one) => { one.placeholder = word(one.dataset.placeholder); });
    each("[data-does=switch-language]", (one) => {
      one.textContent = word("switch_to");
      one.setAttribute("aria-label", word("switch_label"));
      one.lang = tagOf(otherLanguage(language));
    });
    this.#page["invite-label"].textContent = word("invite_short");
    this.#labelGo();
  }

  #drawDoor({ language, problem }) {
    const shown = this.#page.problem;
    shown.hidden = problem === null;
    shown.textContent = problem === null ? "" : sayProblem(language, problem);
    const about = (field) => String(problem !== null && problem.startsWith(`${field}_`));
    this.#page.name.setAttribute("aria-invalid", about("name"));
    this.#page.place.setAttribute("aria-invalid", about("room"));
  }

  #drawRoom(state) {
    const { room, title, link, route, banner } = this.#page;
    room.dataset.link = state.link;
    setText(title, `#${state.room}`);
    setText(link, say(state.language, state.link));
    setText(route, [state.transport, state.worker].filter(Boolean).join(" · "));
    banner.hidden = state.link !== "offline";
    this.#log.render(state);
  }

  #move(state) {
    const inside = state.room !== null;
    this.#page.door.hidden = inside;
    this.#page.room.hidden = !inside;
    document.title = inside ? `#${state.room}` : "Rooms";
    this.#composer.open(state.room);
    if (!inside) this.#openDoor(state);
  }

  #openDoor({ name, wantedRoom, problem }) {
    this.#page.name.value = name;
    this.#page.place.value = wantedRoom === LOBBY ? "" : wantedRoom;
    this.#page.place.placeholder = LOBBY;
    this.#labelGo();
    const wrong = problem?.startsWith("room_") ? this.#page.place : this.#page.name;
    wrong.focus();
  }

  #labelGo() {
    const room = this.#page.place.value.trim() || LOBBY;
    this.#page.go.textContent = say(this.#drawn.language, "go", { room });
  }

  #enter(event) {
    event.preventDefault();
    const { name, place } = this.#page;
    this.#actions.enter({ name: tidy(name.value), room: tidy(place.value) || LOBBY });
  }

  #takeBack({ message_id, text }) {
    this.#actions.forget(message_id);
    this.#composer.takeBack(text);
  }

  async #invite() {
    const { language, room } = this.#drawn;
    const link = inviteLink(room);
    // The clipboard exists only over TLS or on this machine; elsewhere people copy by hand.
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      window.prompt(say(language, "copy_by_hand"), link);
      return;
    }
    const label = this.#page["invite-label"];
    label.textContent = say(language, "copied");
    setTimeout(() => { label.textContent = say(this.#drawn.language, "invite_short"); }, COPIED_FOR);
  }
}

function elementsById() {
  return Object.fromEntries(Array.from(document.querySelectorAll("[id]"), (one) => [one.id, one]));
}

function each(selector, act) {
  document.querySelectorAll(selector).forEach(act);
}

// Setting the same text again would make a screen reader say it again.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tidy(text) {
  return text.trim().normalize("NFC");
}
