/** What has happened, newest first; fetched when it is unfolded. */
import { getJson } from "./api.js";
import { h } from "./dom.js";
import { correctionButton, correctionWords, mayCorrect } from "./event_correction.js";
import { factWords } from "./fact_words.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";
import { nameOf } from "./case_words.js";
import { findingWords } from "./quality_words.js";
import { element } from "./page.js";

/** @typedef {{event_id: number, kind: string, data: Record<string, unknown>, occurred_at: string, received_at: string, actor: string, source: string, backdated?: boolean}} Happened */

const MOST = 400;

/** @param {import("./case_store.js").CaseStore} store */
export function startHistory(store) {
  const place = h("div", { class: "history-lines" });
  const fold = h("details", {}, h("summary", {}, t("Show every event")), place);
  element("history-body").replaceChildren(fold);
  element("history").hidden = false;
  const refresh = () => void fill(store, place);
  fold.addEventListener("toggle", () => fold.open && refresh());
  store.addEventListener("change", () => fold.open && refresh());
}

/**
 * @param {import("./case_store.js").CaseStore} store
 * @param {HTMLElement} place
 */
async function fill(store, place) {
  try {
    /** @type {{events: Happened[]}} */
    const { events } = await getJson(`${store.address}/events`, store.signal);
    const lines = events.toReversed().slice(0, MOST);
    place.replaceChildren(h("ol", { class: "lines" }, ...lines.map((at) => line(at, store, correctionWords(at, events)))));
  } catch {
    if (!store.signal.aborted) place.replaceChildren(h("p", { class: "secondary" }, t("The events could not be fetched.")));
  }
}

/**
 * @param {Happened} at
 * @param {import("./case_store.js").CaseStore} store
 * @param {string} corrected what was said of it later
 */
function line(at, store, corrected) {
  const { now, signal } = store;
  const { barcode, reason, finding } = at.data;
  const found = typeof finding === "string" ? findingWords(finding) : "";
  const about = [barcode, found, reason].filter((each) => typeof each === "string" && each !== "").join(" · ");
  const entered = at.backdated ? t("entered {time}", { time: exactTime(at.received_at) }) : "";
  return h(
    "li",
    {},
    h("time", { datetime: at.occurred_at, class: "secondary" }, exactTime(at.occurred_at)),
    " ",
    h(corrected ? "s" : "span", {}, factWords(at.kind)),
    corrected !== "" && h("b", { class: "corrected" }, ` ${corrected}`),
    h("small", {}, ` ${[about, nameOf(now, at.actor), entered].filter(Boolean).join(" · ")}`),
    mayCorrect(at) && correctionButton(now.accession, at, () => void store.load(true), signal),
  );
}
