/** Drift: how scanners and models measure over time. */
import { getJson } from "./api.js";
import { h, setContent, stateMark } from "./dom.js";
import { showChannel } from "./drift_charts.js";
import { DRIFT_STATES, channelName, figureName, missedWords } from "./drift_words.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { showError, showState } from "./states.js";

/** @typedef {import("./types_drift.js").Drift} Drift */
/** @typedef {import("./types_drift.js").Kept} Kept */

const leaving = new AbortController();
const { signal } = leaving;
window.addEventListener("pagehide", (event) => event.persisted || leaving.abort());
const WORST = ["out", "shifted", "steady", "learning"];
let chosen = "";

async function load() {
  try {
    /** @type {Drift} */
    const told = await getJson("/api/v1/quality/drift", signal);
    element("drift").hidden = told.channels.length === 0;
    if (told.channels.length === 0) {
      showState(element("state"), "clock", t("Nothing has been evaluated yet: it is done every day, once the checks have run on slides."));
      return;
    }
    element("state").replaceChildren();
    show(told);
  } catch (error) {
    if (!signal.aborted) showError(element("state"), error, t("Drift could not be fetched"), () => void load());
  }
}

/** @param {Drift} told */
function show({ channels, breaches }) {
  const sorted = [...channels].sort((one, other) => rank(one) - rank(other));
  setContent(element("evaluated"), t("Evaluated {time}", { time: exactTime(channels.map(({ at }) => at).sort().at(-1) ?? "") }));
  const rows = sorted.map((kept) => h("tr", {}, h("th", { scope: "row" }, choice(kept)), h("td", {}, mark(kept))));
  const heads = [t("Scanner and stain"), t("State")];
  element("channels").replaceChildren(h("thead", {}, h("tr", {}, ...heads.map((word) => h("th", { scope: "col" }, word)))), h("tbody", {}, ...rows));
  showBreaches(breaches);
  const first = sorted[0];
  if (first) choose(first);
}

/** @param {Kept} kept */
function rank(kept) {
  return kept.missing ? 0.5 : WORST.indexOf(kept.state);
}

/** @param {Kept} kept */
function mark(kept) {
  const state = stateMark(DRIFT_STATES[kept.state]);
  return kept.missing ? h("span", {}, state, " ", stateMark({ tone: "attention", icon: "triangle-alert", word: missedWords(kept.missing) })) : state;
}

/** @param {Kept} kept */
function choice(kept) {
  return h("button", { type: "button", "data-channel": key(kept), onclick: () => choose(kept) }, channelName(kept));
}

/** @param {Kept} kept */
function choose(kept) {
  chosen = key(kept);
  for (const button of element("channels").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.channel === chosen));
  showChannel(kept);
}

/** @param {import("./types_drift.js").Channel} channel */
function key({ scanner, stain, series }) {
  return [scanner, stain, series].join("|");
}

/** @param {import("./types_drift.js").Breach[]} breaches */
function showBreaches(breaches) {
  const lines = breaches.map((at) => {
    const when = at.ended_at === null ? t("since {time}", { time: exactTime(at.began_at) }) : t("{from} to {until}", { from: exactTime(at.began_at), until: exactTime(at.ended_at) });
    const state = at.ended_at === null ? DRIFT_STATES[at.state] : { ...DRIFT_STATES.steady, word: t("Over") };
    return h("li", {}, stateMark(state), h("small", {}, `${channelName(at)}: ${figureName(at.figure)}, ${when}`));
  });
  setContent(element("breaches"), ...(lines.length > 0 ? lines : [h("li", {}, t("Nothing has drifted."))]));
}

await load();
