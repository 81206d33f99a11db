// What is to know about the line, in a sentence.

import { setText } from "./dom.js";
import { say } from "./text.js";

const SENTENCES = {
  offline: (language) => say(language, "offline_hint"),
  catching: (language) => say(language, "catching_hint"),
  back: (language, back) => returned(language, back),
};

export function drawBanner({ banner, news, retry }, { language, link, back }) {
  const sentence = SENTENCES[link];
  banner.hidden = sentence === undefined;
  banner.dataset.kind = link;
  retry.hidden = link !== "offline";
  setText(news, sentence ? sentence(language, back) : "");
}

function returned(language, { missed, reloaded }) {
  if (reloaded) return say(language, "reloaded");
  if (missed === 0) return say(language, "missed_none");
  return say(language, missed === 1 ? "missed_one" : "missed_many", { count: missed });
}
