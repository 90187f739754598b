/** What stands in the way of an answer, first on the page while there is something. */
import { h, icon } from "./dom.js";
import { formDialog } from "./form_dialog.js";
import { t, tn } from "./i18n.js";
import { closeFlag } from "./case_flags.js";
import { isNew } from "./case_glasses.js";
import { actButton, showPart } from "./case_parts.js";
import { wayWords } from "./case_sign.js";
import { dueWords } from "./time_left.js";

/** @typedef {import("./case_store.js").CaseStore} CaseStore */

const TOMORROW_MS = 24 * 3600 * 1000;
const NOT_READABLE = ["available", "glass_only", "archived", "cancelled", "withdrawn"];

/**
 * @param {CaseStore} store
 * @param {boolean} own
 */
export function showWay(store, own) {
  const { now } = store;
  const missing = now.reports.length > 0 ? [] : now.slides.filter((at) => !NOT_READABLE.includes(at.state));
  const fresh = now.slides.filter((at) => isNew(at, now.opened_at));
  const demanded = now.standing.preliminary_demanded && now.reports.length === 0;
  const about = [now.standing_in_the_way, missing.map((at) => at.barcode), fresh.map((at) => at.slide_id), demanded, now.responsible, now.may];
  const lines = () => [
    demanded && line("circle-alert", "failed", demandWords(now.due_at), mayWriteEarly(store) && actButton(t("Write a preliminary report"), () => void sendPreliminary(store), { key: "p" })),
    ...now.standing_in_the_way.map((each) => line("triangle-alert", "attention", wayWords(now, each), closer(store, each))),
    missing.length > 0 && line("hourglass", "neutral", tn("{count} glass cannot be read yet", "{count} glasses cannot be read yet", missing.length)),
    fresh.length > 0 && line("circle-dot", "neutral", tn("{count} new image since the case was opened", "{count} new images since the case was opened", fresh.length)),
  ];
  const urgent = demanded || now.standing_in_the_way.length > 0;
  const build = () => {
    const found = lines().filter(Boolean);
    return found.length === 0 ? null : { body: found, tone: urgent ? "attention" : "neutral" };
  };
  showPart("way", about, build, own);
}

/** @param {string | null} due */
function demandWords(due) {
  const time = due ? dueWords(due) : "";
  return t("The goal was exceeded ({time}). The requester is owed a preliminary report with the reason and a new date.", { time });
}

/**
 * @param {string} name
 * @param {string} tone
 * @param {string} words
 * @param {Node | false | null} [act]
 */
function line(name, tone, words, act) {
  return h("p", { class: "way-line" }, h("span", { class: `state ${tone}` }, icon(name), h("span", {}, words)), act);
}

/**
 * @param {CaseStore} store
 * @param {string} each
 */
function closer(store, each) {
  const flag = store.now.flags.find((at) => each === `flag:${at.flag_id}`);
  if (!flag || !store.now.may.report) return null;
  return actButton(t("Seen, close"), () => void closeFlag(store, flag), { focus: `way ${each}` });
}

/** @param {CaseStore} store */
export function mayWriteEarly({ now }) {
  return now.responsible && now.may.report && now.reports.length === 0;
}

/** @param {CaseStore} store */
export function sendPreliminary(store) {
  const { now } = store;
  const tomorrow = new Date(Date.now() + TOMORROW_MS);
  const expected = `${new Date(tomorrow.getTime() - tomorrow.getTimezoneOffset() * 60_000).toISOString().slice(0, 10)}T15:00`;
  return formDialog({
    title: t("Preliminary report"),
    detail: [h("p", {}, t("It is sent to {requester} at once. The case stays open.", { requester: now.requester || t("the requester") }))],
    fields: [
      { name: "text", label: t("Text"), kind: "long", value: now.draft?.text ?? "" },
      { name: "reason", label: t("Why the final report waits") },
      { name: "expected_at", label: t("Final report expected"), kind: "moment", value: expected },
    ],
    action: t("Send the preliminary report"),
    final: true,
    send: (said) => store.act("preliminary", said),
  });
}
