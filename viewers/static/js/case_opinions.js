/** Second opinions on the case: asked of others, asked of me, answered. */
import { getJson } from "./api.js";
import { h, icon } from "./dom.js";
import { exactTime } from "./format.js";
import { formDialog } from "./form_dialog.js";
import { t } from "./i18n.js";
import { actButton, showPart } from "./case_parts.js";
import { AGREEMENTS } from "./case_terms.js";
import { nameOf } from "./case_words.js";

/** @typedef {import("./case_store.js").CaseStore} CaseStore */
/** @typedef {import("./types_case.js").Case} Case */
/** @typedef {import("./types_case.js").Consultation} Consultation */

/**
 * @param {CaseStore} store
 * @param {boolean} own
 */
export function showOpinions(store, own) {
  const { now } = store;
  const ask = mayAsk(now) && actButton(t("Ask a colleague"), () => void askColleague(store), { key: "k", icon: "circle-dot" });
  const build = () => (now.consultations.length === 0 && !ask ? null : { body: [lines(store)], acts: [ask] });
  showPart("opinions", [now.consultations, now.may, mayAsk(now)], build, own);
}

/** @param {Case} now */
export function mayAsk(now) {
  return now.responsible && now.may.report && now.state !== "cancelled" && now.state !== "rejected";
}

/** The open question that whoever looks may answer. @param {CaseStore} store */
export function openQuestion({ now, me }) {
  if (!now.may.answer) return undefined;
  const open = now.consultations.filter((at) => !at.answered_at && !at.closed_at);
  return open.find((at) => at.consultant === me || at.asked === me) ?? open.find((at) => !at.accepted_at && at.requested_by !== me);
}

/** @param {CaseStore} store */
function lines(store) {
  const { consultations } = store.now;
  if (consultations.length === 0) return h("p", { class: "secondary" }, t("Nobody has been asked."));
  return h("ul", { class: "lines" }, ...consultations.map((at) => line(store, at)));
}

/**
 * @param {CaseStore} store
 * @param {Consultation} at
 */
function line(store, at) {
  const { now } = store;
  const open = !at.answered_at && !at.closed_at;
  const asked = [
    t("asked by {name} {time}", { name: nameOf(now, at.requested_by), time: exactTime(at.requested_at) }),
    open && at.due && t("answer wanted by {time}", { time: exactTime(at.due) }),
  ];
  return h(
    "li",
    { class: "opinion" },
    h("p", {}, state(at), " ", h("b", {}, nameOf(now, at.consultant || at.asked)), " ", h("span", { class: "secondary" }, asked.filter(Boolean).join(" · "))),
    h("p", { class: "written question" }, at.question),
    at.slides.length > 0 && h("p", { class: "secondary" }, at.slides.join(", ")),
    at.opinion && h("blockquote", { class: "written" }, at.agreement && h("b", {}, `${AGREEMENTS[at.agreement]}. `), at.opinion),
    at.closed_at && at.reason && h("p", { class: "secondary" }, at.reason),
    open && at === openQuestion(store) && h("p", { class: "acts" }, ...answerButtons(store, at)),
    open && now.responsible && h("p", { class: "acts" }, actButton(t("Withdraw"), () => void withdraw(store, at), { quiet: true, focus: `withdraw ${at.consultation_id}` })),
  );
}

/** @param {Consultation} at */
function state(at) {
  if (at.answered_at) return h("span", { class: "state done", title: exactTime(at.answered_at) }, icon("circle-check"), t("Answered"));
  if (at.closed_at) return h("span", { class: "state neutral" }, icon("circle-dashed"), t("Ended without an answer"));
  if (at.accepted_at) return h("span", { class: "state neutral" }, icon("hourglass"), t("Accepted"));
  return h("span", { class: "state attention" }, icon("clock"), at.await_before_signing ? t("Awaited before signing") : t("Asked"));
}

/**
 * @param {CaseStore} store
 * @param {Consultation} at
 */
function answerButtons(store, at) {
  const decline = actButton(t("Decline"), () => void declineIt(store, at), { quiet: true });
  return at.accepted_at ? [decline] : [decline, actButton(t("Answer at once"), () => void answer(store, at), { quiet: true })];
}

/**
 * @param {CaseStore} store
 * @param {Consultation} at
 */
export function answer(store, at) {
  return formDialog({
    title: t("Answer the question"),
    detail: [h("p", { class: "written question" }, at.question)],
    fields: [
      { name: "opinion", label: t("Your opinion"), kind: "long" },
      { name: "agreement", label: t("Against the asker's own view"), kind: "choice", optional: true, options: [{ value: "", words: "–" }, ...Object.entries(AGREEMENTS).map(([value, words]) => ({ value, words }))] },
    ],
    action: t("Send the answer"),
    send: ({ opinion, agreement }) => store.act(`consultations/${at.consultation_id}/answer`, { opinion, agreement: agreement || null }),
  });
}

/**
 * @param {CaseStore} store
 * @param {Consultation} at
 */
function declineIt(store, at) {
  const fields = [{ name: "reason", label: t("Reason") }];
  return formDialog({ title: t("Decline the question"), fields, action: t("Decline"), send: (said) => store.act(`consultations/${at.consultation_id}/decline`, said) });
}

/**
 * @param {CaseStore} store
 * @param {Consultation} at
 */
function withdraw(store, at) {
  const fields = [{ name: "reason", label: t("Reason") }];
  return formDialog({ title: t("Withdraw the question"), fields, action: t("Withdraw"), send: (said) => store.act(`consultations/${at.consultation_id}/withdraw`, said) });
}

/** @param {CaseStore} store */
export async function colleagueOptions(store) {
  /** @type {import("./types_case.js").Colleague[] | {colleagues: import("./types_case.js").Colleague[]}} */
  const found = await getJson(`/api/v1/colleagues?for=${encodeURIComponent(store.accession)}`, store.signal);
  const list = Array.isArray(found) ? found : found.colleagues;
  return list.map((at) => {
    const more = [at.unit, at.subspecialties.join(", "), at.absent ? t("absent") : ""].filter(Boolean).join(", ");
    return { value: at.name, words: `${at.full_name || at.name}${more ? ` (${more})` : ""}` };
  });
}

/** @param {CaseStore} store */
export async function askColleague(store) {
  const options = await colleagueOptions(store).catch(() => []);
  const slides = store.now.slides.map((at) => ({ value: at.barcode, words: `${at.stain} ${at.block} (${at.barcode})` }));
  return formDialog({
    title: t("Ask a colleague"),
    fields: [
      { name: "asked", label: t("Who"), kind: "choice", options: options.filter(({ value }) => value !== store.me) },
      { name: "question", label: t("Question"), kind: "long" },
      { name: "slides", label: t("Which glasses (none: the whole case)"), kind: "several", options: slides },
      { name: "await_before_signing", label: t("Do not sign before the answer"), kind: "check", value: true },
    ],
    action: t("Ask"),
    send: (said) => store.act("consultations", { ...said, distance: "internal" }),
  });
}
