/** The one thing to do next with a case: take it, open it, write, sign, answer, go on. */
import { getJson } from "./api.js";
import { t } from "./i18n.js";
import { firstSlide } from "./case_glasses.js";
import { answer, openQuestion } from "./case_opinions.js";
import { say } from "./case_parts.js";
import { refusalWords } from "./refusal_words.js";
import { role } from "./page.js";

/** @typedef {import("./case_store.js").CaseStore} CaseStore */
/** @typedef {import("./case_banner.js").Primary} Primary */

/**
 * @param {CaseStore} store
 * @param {import("./case_report.js").ReportEditor} editor
 * @param {(words: string) => void} complain
 * @returns {Primary | null}
 */
export function primaryOf(store, editor, complain) {
  const { now } = store;
  const tell = (/** @type {Promise<unknown>} */ doing) => void doing.catch((error) => complain(refusalWords(error)));
  const question = openQuestion(store);
  if (question && !question.accepted_at) return { word: t("Accept the question"), key: "a", icon: "circle-check", act: () => tell(store.act(`consultations/${question.consultation_id}/accept`)) };
  if (question) return { word: t("Answer the question"), key: "a", icon: "circle-check", act: () => void answer(store, question) };
  if (mayClaim(store)) return { word: t("Take the case"), key: "a", icon: "circle-dot", act: () => tell(store.act("claim")) };
  if (!now.responsible || !now.may.report) return null;
  if (!now.opened_at) return { word: t("Begin reading"), key: "o", icon: "circle-dot", act: () => tell(beginReading(store)) };
  if (editor.hasText) return { word: t("Sign…"), key: "Ctrl+Enter", icon: "circle-check", act: () => tell(editor.sign()) };
  if (editor.kind !== null) return { word: t("Write the report"), key: "w", icon: "list", act: () => editor.focus() };
  return { word: t("Next case"), key: "n", icon: "chevron-right", act: () => tell(nextCase(store)) };
}

/** @param {CaseStore} store */
export function mayClaim({ now }) {
  return now.assignee === "" && now.may.assign && role === "pathologist" && !["cancelled", "rejected", "distributed"].includes(now.state);
}

/** Opens the case, if that is still to be done, and goes to its first image. @param {CaseStore} store */
export async function beginReading(store) {
  await openCase(store);
  const address = firstSlide(store.now);
  if (address) location.assign(address);
}

/** The moment its pathologist begins is one of the clocks' moments. @param {CaseStore} store */
export async function openCase(store) {
  const { now } = store;
  if (now.responsible && now.may.report && !now.opened_at && !["cancelled", "rejected"].includes(now.state)) await store.act("open");
}

/** The next of my cases, by who will miss the goal first. @param {CaseStore} store */
export async function nextCase(store) {
  /** @type {{cases: import("./types_case.js").CaseRow[]}} */
  const { cases } = await getJson("/api/v1/cases?list=mine", store.signal);
  const waiting = cases.filter((row) => !["signed", "distributed"].includes(row.state) || row.accession === store.accession);
  const at = waiting.findIndex((row) => row.accession === store.accession);
  const next = waiting.filter((row) => row.accession !== store.accession)[Math.max(0, at)] ?? waiting.find((row) => row.accession !== store.accession);
  if (next) location.assign(`/cases/${encodeURIComponent(next.accession)}`);
  else say(t("No more cases wait for you."));
  return Boolean(next);
}
