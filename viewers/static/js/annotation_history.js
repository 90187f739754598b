/** What happened to an annotation: who, when, what. */
import { getJson } from "./api.js";
import { CHAPTERS, PARTS } from "./annotation_words.js";
import { h, icon } from "./dom.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";
import { showError } from "./states.js";

/** @typedef {{history: import("./annotation_types.js").Chapter[], people: Record<string, string>}} Told */

/**
 * @param {string} address of the annotation
 * @param {AbortSignal} signal
 */
export function showHistory(address, signal) {
  const body = h("div", { class: "annotation-history" }, h("p", { class: "secondary", role: "status" }, t("Fetching the history")));
  /** @type {HTMLDialogElement} */
  const dialog = h(
    "dialog",
    { class: "keys", "aria-labelledby": "annotation-history-title" },
    h("header", {}, h("h2", { id: "annotation-history-title" }, t("History")), h("button", { class: "button quiet", type: "button", "aria-label": t("Close"), onclick: () => dialog.close() }, icon("x"))),
    body,
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  const fetchIt = async () => {
    try {
      /** @type {Told} */
      const told = await getJson(`${address}/history`, signal);
      body.replaceChildren(h("ol", {}, ...told.history.map((at) => line(at, told.people)).reverse()));
    } catch (error) {
      if (!signal.aborted) showError(body, error, t("The history could not be fetched"), () => void fetchIt());
    }
  };
  void fetchIt();
}

/** @param {import("./annotation_types.js").Chapter} at @param {Record<string, string>} people */
function line(at, people) {
  const what = [...new Set(at.changed.map((name) => PARTS[name] ?? name))].join(", ");
  return h("li", {}, h("b", {}, CHAPTERS[at.kind] ?? at.kind), what && h("span", {}, what), h("span", { class: "secondary" }, `${people[at.by] ?? at.by} · ${exactTime(at.at)}`));
}
