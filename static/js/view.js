// Draws the state. Reports what people do through `actions`; decides nothing.

import { inviteLink } from "./address.js";
import { drawBanner } from "./banner.js";
import { Composer } from "./composer.js";
import { Door } from "./door.js";
import { each, elementsById, setText } from "./dom.js";
import { Log } from "./log.js";
import { Side } from "./side.js";
import { otherLanguage, say, tagOf } from "./text.js";

const COPIED_FOR = 2_000; // milliseconds

export class View {
  #page = elementsById();
  #actions;
  #door;
  #side;
  #log;
  #composer;
  #drawn = { language: null, room: undefined };

  constructor(actions) {
    this.#actions = { ...actions, takeBack: (message) => this.#takeBack(message) };
    this.#door = new Door(this.#page, this.#actions);
    this.#side = new Side(this.#page, this.#actions);
    this.#log = new Log(this.#page, this.#actions);
    this.#composer = new Composer(this.#page, this.#actions);
    this.#listen();
  }

  render(state) {
    const { language, room } = this.#drawn;
    this.#drawn = state;
    if (state.language !== language) this.#speak(state);
    this.#door.render(state);
    if (state.room !== room) this.#move(state);
    if (state.room !== null) this.#drawRoom(state);
  }

  #listen() {
    const does = {
      leave: () => this.#actions.leave(),
      retry: () => this.#actions.retry(),
      invite: () => this.#invite(),
      "seek-older": () => this.#actions.seekOlder(this.#drawn.room),
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
  }

  #drawRoom(state) {
    const { room, title, link, route } = this.#page;
    room.dataset.link = state.link;
    setText(title, `#${state.room}`);
    setText(link, say(state.language, state.link));
    setText(route, [state.transport, state.worker].filter(Boolean).join(" · "));
    drawBanner(this.#page, state);
    this.#side.render(state);
    this.#log.render(state);
  }

  #move(state) {
    const inside = state.room !== null;
    this.#page.door.hidden = inside;
    this.#page.room.hidden = !inside;
    document.title = inside ? `#${state.room}` : "Rooms";
    this.#composer.open(state.room);
    if (!inside) this.#door.open(state);
  }

  #takeBack({ room, message_id, text }) {
    this.#actions.forget({ room, message_id });
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
