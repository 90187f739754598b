/** What a case is and where it stands, as a person would say it: every screen of cases uses these. */
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("./words.js").StateWords} StateWords */

/** @type {Record<import("./types_case.js").CaseState, StateWords>} */
export const CASE_STATES = {
  ordered: { tone: "neutral", icon: "circle-dashed", word: t("Ordered") },
  received: { tone: "neutral", icon: "inbox", word: t("Received") },
  in_lab: { tone: "neutral", icon: "hourglass", word: t("In the laboratory") },
  scanning: { tone: "neutral", icon: "hourglass", word: t("Being scanned") },
  ready: { tone: "neutral", icon: "circle-dot", word: t("Ready to read") },
  reading: { tone: "neutral", icon: "circle-dot", word: t("Being read") },
  awaiting: { tone: "neutral", icon: "clock", word: t("Waiting for something") },
  draft: { tone: "neutral", icon: "circle-dot", word: t("Draft written") },
  preliminary: { tone: "neutral", icon: "circle-dot", word: t("Preliminary report sent") },
  signed: { tone: "done", icon: "circle-check", word: t("Signed") },
  distributed: { tone: "done", icon: "circle-check", word: t("Reported") },
  supplementing: { tone: "neutral", icon: "circle-dot", word: t("Supplement in progress") },
  correcting: { tone: "attention", icon: "triangle-alert", word: t("Correction in progress") },
  cancelled: { tone: "neutral", icon: "circle-dashed", word: t("Cancelled") },
  rejected: { tone: "attention", icon: "circle-x", word: t("Rejected") },
};

/** @type {Record<import("./types_case.js").Priority, StateWords>} */
export const PRIORITIES = {
  routine: { tone: "neutral", icon: "circle-dashed", word: t("Routine") },
  package: { tone: "attention", icon: "circle-alert", word: t("Cancer package") },
  urgent: { tone: "failed", icon: "circle-alert", word: t("Urgent") },
};

/** @type {Record<import("./types_case.js").ReportKind, string>} */
export const REPORT_KINDS = {
  preliminary: t("Preliminary report"),
  final: t("Final report"),
  supplementary: t("Supplementary report"),
  corrected: t("Corrected report"),
};

/** @type {Record<string, string>} */
const SPECIMEN_CLASSES = {
  biopsy: t("Biopsy"),
  resection: t("Surgical specimen"),
  cytology: t("Cytology"),
  cytology_head_neck: t("Cytology, head and neck"),
  cytology_cervix: t("Cytology, cervix"),
  frozen: t("Frozen section"),
  bone_biopsy: t("Bone biopsy"),
  bone_resection: t("Bone resection"),
};

/** @param {string} code */
export function specimenClass(code) {
  return SPECIMEN_CLASSES[code] ?? code;
}

/**
 * Urgent is said loudly, routine quietly.
 * @param {import("./types_case.js").Priority} priority
 */
export function priorityMark(priority) {
  const { tone, icon: name, word } = PRIORITIES[priority];
  const loud = priority === "routine" ? "" : " loud";
  return h("span", { class: `priority ${tone}${loud}` }, priority !== "routine" && icon(name), h("span", {}, word));
}

/**
 * Full names where they are known.
 * @param {{people?: Record<string, string>}} now
 * @param {string} name
 */
export function nameOf(now, name) {
  return now.people?.[name] || name;
}
