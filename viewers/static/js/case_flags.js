/** What somebody wants seen before the report is signed, and the pauses of the net clock. */
import { h, icon } from "./dom.js";
import { exactTime } from "./format.js";
import { formDialog } from "./form_dialog.js";
import { t } from "./i18n.js";
import { actButton, showPart } from "./case_parts.js";
import { PAUSE_REASONS } from "./case_terms.js";
import { nameOf } from "./case_words.js";

/** @typedef {import("./case_store.js").CaseStore} CaseStore */
/** @typedef {import("./types_case.js").Flag} Flag */
/** @typedef {import("./types_case.js").Pause} Pause */

/**
 * @param {CaseStore} store
 * @param {boolean} own
 */
export function showFlags(store, own) {
  const { now } = store;
  const raise = mayFlag(store) && actButton(t("Raise a flag"), () => void raiseFlag(store), { key: "m", icon: "triangle-alert" });
  const flags = now.flags.toSorted((one, other) => Number(Boolean(one.closed_at)) - Number(Boolean(other.closed_at)));
  const body = () => (flags.length === 0 ? h("p", { class: "secondary" }, t("No flags.")) : h("ul", { class: "lines" }, ...flags.map((flag) => line(store, flag))));
  showPart("flags", [now.flags, now.responsible, now.may], () => (flags.length === 0 && !raise ? null : { body: [body()], acts: [raise] }), own);
  showPausesOf(store, own);
}

/** @param {CaseStore} store */
export function mayFlag({ now }) {
  return now.may.report || now.may.answer || now.may.run_lab || now.may.enter;
}

/**
 * @param {CaseStore} store
 * @param {Flag} flag
 */
function line(store, flag) {
  const { now } = store;
  const glass = now.slides.find((at) => at.barcode === flag.barcode);
  return h(
    "li",
    {},
    h(
      "p",
      {},
      flagState(flag),
      " ",
      h("b", {}, flag.text),
      h("span", { class: "secondary" }, ` ${[glass ? `${glass.stain} ${glass.block}` : flag.barcode, nameOf(now, flag.raised_by), exactTime(flag.raised_at)].filter(Boolean).join(" · ")}`),
      !flag.closed_at && now.may.report && actButton(t("Seen, close"), () => void closeFlag(store, flag), { quiet: true, focus: `close ${flag.flag_id}` }),
    ),
    flag.closed_at && h("p", { class: "secondary" }, `${flag.reason} · ${nameOf(now, flag.closed_by)} ${exactTime(flag.closed_at)}`),
  );
}

/** @param {Flag} flag */
function flagState(flag) {
  if (flag.closed_at) return h("span", { class: "state done" }, icon("circle-check"), t("Seen"));
  if (flag.severity === "must_see") return h("span", { class: "state attention" }, icon("triangle-alert"), t("Must be seen"));
  return h("span", { class: "state neutral" }, icon("info"), t("Note"));
}

/** @param {CaseStore} store */
export function raiseFlag(store) {
  const focused = document.activeElement?.getAttribute("data-barcode") ?? "";
  return formDialog({
    title: t("Raise a flag"),
    fields: [
      { name: "text", label: t("What is to be seen") },
      { name: "severity", label: t("How much it matters"), kind: "choice", value: "must_see", options: [{ value: "must_see", words: t("Must be seen before signing") }, { value: "note", words: t("Note") }] },
      { name: "barcode", label: t("Glass"), kind: "choice", value: focused, optional: true, options: [{ value: "", words: t("The whole case") }, ...store.now.slides.map((at) => ({ value: at.barcode, words: `${at.stain} ${at.block} (${at.barcode})` }))] },
    ],
    action: t("Raise a flag"),
    send: (said) => store.act("flags", said),
  });
}

/**
 * @param {CaseStore} store
 * @param {Flag} flag
 */
export function closeFlag(store, flag) {
  return formDialog({
    title: t("Close the flag"),
    detail: [h("p", { class: "written question" }, flag.text)],
    fields: [{ name: "reason", label: t("What you saw, and what you make of it") }],
    action: t("Seen, close"),
    send: (said) => store.act(`flags/${flag.flag_id}/close`, said),
  });
}

/**
 * @param {CaseStore} store
 * @param {boolean} own
 */
function showPausesOf(store, own) {
  const { now } = store;
  const lines = () => h("ul", { class: "lines" }, ...now.pauses.map((pause) => pauseLine(store, pause)));
  showPart("pauses", [now.pauses, now.may], () => (now.pauses.length === 0 ? null : { body: [lines()] }), own);
}

/**
 * @param {CaseStore} store
 * @param {Pause} pause
 */
function pauseLine(store, pause) {
  const span = [exactTime(pause.began_at), pause.ended_at ? exactTime(pause.ended_at) : t("still")].join(" – ");
  const resume = () => void formDialog({ title: t("End the pause"), fields: [{ name: "evidence", label: t("What has come") }], action: t("End the pause"), send: (said) => store.act(`pauses/${pause.pause_id}/resume`, said) });
  const may = !pause.ended_at && (store.now.may.report || store.now.may.enter);
  return h("li", {}, h("b", {}, PAUSE_REASONS[pause.reason] ?? ""), h("span", { class: "secondary" }, ` ${span} · ${pause.evidence} · ${nameOf(store.now, pause.actor)}`), may && actButton(t("End the pause"), resume, { quiet: true }));
}

/** @param {CaseStore} store */
export function pauseClock(store) {
  return formDialog({
    title: t("Pause the net clock"),
    detail: [h("p", {}, t("The gross time runs on and stays the headline. Waiting inside the department is never a pause."))],
    fields: [
      { name: "reason", label: t("What is waited for"), kind: "choice", options: Object.entries(PAUSE_REASONS).map(([value, words]) => ({ value, words })) },
      { name: "evidence", label: t("What it is linked to"), hint: t("The question sent, or the requisition elsewhere.") },
    ],
    action: t("Pause"),
    send: (said) => store.act("pauses", said),
  });
}
