/** Putting an event of a case right: it did not happen, or at another time. It stays in the log. */
import { sendJson } from "./api.js";
import { h } from "./dom.js";
import { factWords } from "./fact_words.js";
import { exactTime } from "./format.js";
import { formDialog } from "./form_dialog.js";
import { t } from "./i18n.js";
import { role } from "./page.js";

/** @typedef {{event_id: number, kind: string, occurred_at: string, source: string, data: Record<string, any>}} Happened */

const MAY = ["technician", "secretary"];
const CONCLUSIONS = ["EventCorrected", "CaseReady", "TargetWarned", "TargetBreached"];

/** Whether this reader may put it right, as far as the screen knows. @param {Happened} event */
export function mayCorrect(event) {
  return MAY.includes(role) && !CONCLUSIONS.includes(event.kind) && event.source !== "rules";
}

/**
 * What was said of an event later; the last correction counts. Empty when it stands.
 * @param {Happened} event
 * @param {Happened[]} log
 */
export function correctionWords(event, log) {
  const last = log.findLast(({ kind, data }) => kind === "EventCorrected" && data.event_id === event.event_id);
  if (!last) return "";
  const { occurred_at: at } = last.data;
  return at ? t("corrected: it happened {time}", { time: exactTime(at) }) : t("corrected: it did not happen");
}

/**
 * A small button for a line of events.
 * @param {string} accession
 * @param {Happened} event
 * @param {() => void} changed
 * @param {AbortSignal} signal
 */
export function correctionButton(accession, event, changed, signal) {
  const ask = () => void correct(accession, event, changed, signal);
  return h("button", { class: "button small quiet", type: "button", onclick: ask }, t("Correct …"));
}

/**
 * @param {string} accession
 * @param {Happened} event
 * @param {() => void} changed
 * @param {AbortSignal} signal
 */
async function correct(accession, event, changed, signal) {
  const address = `/api/v1/cases/${encodeURIComponent(accession)}/events/${event.event_id}/correct`;
  const done = await formDialog({
    title: t("Correct an event"),
    detail: [
      h("p", {}, h("b", {}, `${accession} · ${factWords(event.kind)} · ${exactTime(event.occurred_at)}`)),
      h("p", { class: "secondary" }, t("The event stays in the log beside the correction. What follows from it is worked out anew.")),
    ],
    fields: [
      { name: "how", label: t("What is right"), kind: "choice", options: [{ value: "never", words: t("It did not happen") }, { value: "moved", words: t("It happened at another time") }] },
      { name: "occurred_at", label: t("When it happened"), kind: "moment", optional: true, hint: t("Only for another time.") },
      { name: "reason", label: t("Reason") },
    ],
    action: t("Correct the event"),
    send: ({ how, occurred_at: at, reason }) => sendJson("POST", address, { reason, occurred_at: how === "moved" ? required(at) : null }, signal),
  });
  if (done) changed();
}

/** Another time needs one: without, it would say that the event never happened. @param {string | null} at */
function required(at) {
  return at ?? "";
}
