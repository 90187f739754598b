/** One case as a row: how long there is left, whose it is, what can be read, what to know before. */
import { CASE_STATES, priorityMark, specimenClass } from "./case_words.js";
import { stepName } from "./case_terms.js";
import { h, icon, setContent, stateMark } from "./dom.js";
import { ago, exactTime, number } from "./format.js";
import { t, tn } from "./i18n.js";
import { ageWords, identifierText, sexWord } from "./patient.js";
import { timeLeft } from "./time_left.js";
import { hasNewImage } from "./visits.js";

/** @typedef {import("./types_cases.js").CaseLine} CaseLine */

const LIKELY = 0.5;
const COLUMNS = 7;

/** @param {string} accession */
export function caseAddress(accession) {
  return `/cases/${encodeURIComponent(accession)}`;
}

/** @param {CaseLine} line */
export function createCaseRow({ accession }) {
  const href = caseAddress(accession);
  return h("tr", { "data-key": accession, "data-href": href }, ...Array.from({ length: COLUMNS }, () => h("td", {})));
}

/**
 * @param {HTMLTableRowElement} row
 * @param {CaseLine} line
 */
export function updateCaseRow(row, line) {
  const [left, name, patient, state, marks, requester, assignee] = row.cells;
  if (!left || !name || !patient || !state || !marks || !requester || !assignee) return;
  row.classList.toggle("ready", isReady(line));
  setContent(left, h("span", { class: "two-lines" }, timeLeft(line), forecast(line)));
  const link = h("a", { href: caseAddress(line.accession), class: "slide-name" }, line.accession);
  const kind = [specimenClass(line.specimen_class), line.subspecialty].filter(Boolean).join(" · ");
  setContent(name, twoLines(link, priorityMark(line.priority), h("span", { class: "clip", title: kind }, kind)));
  setContent(patient, twoLines(h("b", { class: "clip", title: line.patient.name }, line.patient.name), identifierText(line.patient), h("span", { class: "clip" }, whoWords(line.patient))));
  setContent(state, h("span", { class: "two-lines" }, stateMark(CASE_STATES[line.state]), glasses(line)));
  setContent(marks, h("span", { class: "marks" }, ...marksOf(line)));
  setContent(requester, h("span", { class: "clip", title: line.requester }, line.requester));
  setContent(assignee, line.assignee ? h("span", { class: "clip" }, line.assignee_name) : h("span", { class: "secondary" }, t("nobody yet")));
}

/** Age and sex as far as they are known. @param {import("./types_case.js").Patient} patient */
function whoWords(patient) {
  return [patient.age !== null && ageWords(patient), patient.sex && sexWord(patient.sex)].filter(Boolean).join(", ");
}

/** Can be read now, from beginning to end. @param {CaseLine} line */
export function isReady(line) {
  return ["ready", "reading", "draft", "preliminary"].includes(line.state);
}

/** @param {CaseLine} line */
function forecast({ forecast: found, standing }) {
  if (standing.preliminary_demanded) return h("small", { class: "state failed" }, t("preliminary report required"));
  if (!found || found.probability_late < LIKELY || standing.state === "late") return null;
  const share = number(100 * found.probability_late);
  const when = found.expected_at ? exactTime(found.expected_at) : "–";
  const hint = t("{share} % of similar cases were late. Expected {time}.", { share, time: when });
  const words = found.cause ? t("will miss the goal: {step}", { step: stepName(found.cause).toLocaleLowerCase() }) : t("will miss the goal");
  return h("small", { class: "state attention", title: hint }, words);
}

/** @param {CaseLine} line */
function glasses({ slides, readable, missing }) {
  if (slides === 0) return h("small", {}, t("no glasses expected yet"));
  if (readable >= slides) return h("small", {}, tn("{count} glass", "{count} glasses", slides));
  const hint = `${t("Still missing:")}\n${missing.join("\n")}`;
  return h("small", { class: "waits", title: hint }, t("{readable} of {count} glasses, missing {barcode}", { readable, count: slides, barcode: shortened(missing) }));
}

/** Which glass, without the accession number before it. @param {string[]} missing */
function shortened(missing) {
  const [first = "", ...others] = missing.map((barcode) => barcode.split("-").slice(-2).join("-"));
  return others.length > 0 ? `${first} +${others.length}` : first;
}

/** @param {CaseLine} line */
function marksOf(line) {
  const asked = (line.questions ?? []).map((at) =>
    h("span", { class: "question", title: at.question }, icon("circle-help"), h("span", { class: "clip" }, `${at.requested_by_name}, ${ago(at.requested_at)}: ${at.question}`)),
  );
  if (asked.length > 0) return asked;
  return [
    hasNewImage(line) && noted("layers", "attention", t("new image")),
    line.answered_opinions > 0 && noted("circle-check", "done", tn("{count} opinion given", "{count} opinions given", line.answered_opinions)),
    line.awaited_opinions > 0 && noted("hourglass", "neutral", tn("{count} opinion asked", "{count} opinions asked", line.awaited_opinions)),
    line.flags > 0 && noted("triangle-alert", "attention", tn("{count} flag", "{count} flags", line.flags)),
    line.open_orders > 0 && noted("hourglass", "neutral", tn("{count} order", "{count} orders", line.open_orders)),
    line.rescans > 0 && noted("refresh-cw", "neutral", tn("{count} rescan", "{count} rescans", line.rescans)),
  ].filter((each) => each !== false);
}

/**
 * @param {string} name of the icon
 * @param {import("./types.js").Tone} tone
 * @param {string} word
 */
function noted(name, tone, word) {
  return stateMark({ icon: name, tone, word });
}

/**
 * @param {Node} first
 * @param {...(Node | string)} second
 */
function twoLines(first, ...second) {
  return h("span", { class: "two-lines" }, first, h("small", { class: "second" }, ...second));
}
