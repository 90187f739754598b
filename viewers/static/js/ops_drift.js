/** What drifts, on the ops page: scanner, stain and figure, and reference glasses that did not come. */
import { h, setContent, stateMark } from "./dom.js";
import { DRIFT_STATES, channelName, figureName, missedWords } from "./drift_words.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { moment } from "./slide_row.js";

/** @param {import("./types_drift.js").DriftAlerts} drift */
export function showDrift({ breaches, missing }) {
  element("drift-panel").hidden = breaches.length + missing.length === 0;
  const lines = breaches.map((at) => line(channelName(at), figureName(at.figure), stateMark(DRIFT_STATES[at.state]), moment(at.began_at)));
  const missed = missing.map(({ scanner, day }) => line(scanner, missedWords(day), stateMark({ tone: "attention", icon: "triangle-alert", word: t("Missing") }), ""));
  setContent(element("drift-rows"), ...lines, ...missed);
}

/**
 * @param {string} where
 * @param {string} what
 * @param {Node} state
 * @param {Node | string} since
 */
function line(where, what, state, since) {
  return h("tr", {}, h("td", {}, where), h("td", {}, what), h("td", {}, state), h("td", {}, since));
}
