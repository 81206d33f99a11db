// What one has said and the server has not stored yet, below the conversation.

import { pendingLine } from "./lines.js";
import { say, sayProblem } from "./text.js";

const FOR_LATER = ["not_stored", "unavailable"]; // refusals that may end by themselves

export class Outbox {
  #place;
  #actions;
  #drawn = {};

  constructor(place, actions) {
    this.#place = place;
    this.#actions = actions;
  }

  /** Whether there is one more than before. */
  render({ roomid, outbox }, { language, link }) {
    const drawn = this.#drawn;
    const isSame = drawn.outbox === outbox && drawn.language === language && drawn.link === link;
    this.#drawn = { outbox, language, link };
    if (isSame) return false;
    const lines = outbox.map((message) => this.#line({ room: roomid, ...message }, language, link));
    this.#place.replaceChildren(...lines);
    return outbox.length > (drawn.outbox?.length ?? 0);
  }

  #line(message, language, link) {
    const { problem } = message;
    const note = problem ? sayProblem(language, problem) : waitOf(message, language, link);
    return pendingLine(message, { language, note, choices: this.#choices(message, language) });
  }

  #choices(message, language) {
    const { problem } = message;
    const again = [say(language, "try_again"), () => this.#actions.sendAgain(message)];
    const edit = [say(language, "take_back"), () => this.#actions.takeBack(message)];
    if (problem === null) return [];
    return FOR_LATER.includes(problem) ? [again, edit] : [edit];
  }
}

function waitOf({ hitch }, language, link) {
  if (link === "offline" || link === "connecting") return say(language, "waiting");
  return hitch ? say(language, hitch) : "";
}
