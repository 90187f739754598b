/** Signing: says whose report goes where, what is overridden, and asks for the password once more. */
import { ApiError } from "./api.js";
import { h, icon } from "./dom.js";
import { formDialog } from "./form_dialog.js";
import { t } from "./i18n.js";
import { codeChips } from "./case_codes.js";
import { REPORT_KINDS, nameOf } from "./case_words.js";
import { patientLine } from "./patient.js";
import { refusalWords } from "./refusal_words.js";

/** @typedef {import("./case_store.js").CaseStore} CaseStore */
/** @typedef {import("./types_case.js").Case} Case */

/**
 * @param {CaseStore} store
 * @param {import("./case_draft.js").Written} written
 */
export function signDialog(store, written) {
  const { now } = store;
  const way = now.standing_in_the_way;
  return formDialog({
    title: t("Sign: {kind}", { kind: REPORT_KINDS[written.kind] }),
    detail: [
      h("div", { class: "sign-who" }, patientLine(now.patient), h("b", {}, now.accession)),
      h("blockquote", { class: "written" }, written.text),
      codeChips(written.codes),
      ...wayLines(now),
      h("p", {}, whatHappens(now, written.kind)),
    ],
    fields: [
      ...(way.length > 0 ? [{ name: "override_reason", label: t("Why you sign all the same") }] : []),
      { name: "password", label: t("Your password"), kind: /** @type {const} */ ("password") },
    ],
    action: t("Sign and send"),
    final: true,
    send: ({ password, override_reason: reason = "" }) => store.act("sign", { ...written, password, overridden: reason ? way : [], override_reason: reason }),
    refused: signRefused,
  });
}

/**
 * @param {Case} now
 * @param {import("./types_case.js").ReportKind} kind
 */
function whatHappens(now, kind) {
  const to = { requester: now.requester || t("the requester") };
  if (kind === "supplementary") return t("The supplement is sent to {requester}, beside the report that is out. It cannot be changed afterwards.", to);
  if (kind === "corrected") return t("The correction is sent to {requester} and replaces the report that is out, which stays readable. It cannot be changed afterwards.", to);
  return t("The report is sent to {requester} and the turnaround clock stops. It cannot be changed afterwards, only supplemented or corrected.", to);
}

/** What stands in the way, as sentences. @param {Case} now */
export function wayLines(now) {
  return now.standing_in_the_way.map((each) => h("p", { class: "state attention" }, icon("triangle-alert"), h("span", {}, wayWords(now, each))));
}

/**
 * @param {Case} now
 * @param {string} each `flag:ID` or `consultation:ID`
 */
export function wayWords(now, each) {
  const [kind, id] = [each.slice(0, each.indexOf(":")), each.slice(each.indexOf(":") + 1)];
  const flag = kind === "flag" && now.flags.find((at) => at.flag_id === id);
  if (flag) return t("Must be seen: {text}", { text: flag.text });
  const opinion = now.consultations.find((at) => at.consultation_id === id);
  return opinion ? t("{name} has not answered: {question}", { name: nameOf(now, opinion.consultant || opinion.asked), question: opinion.question }) : t("Something stands open.");
}

/** @param {unknown} error */
function signRefused(error) {
  if (!(error instanceof ApiError)) return refusalWords(error);
  if (error.status === 429) return t("Too many tries. Wait a minute, then try again.");
  if (error.code === "step_up") return t("The password is not right. Nothing has been signed.");
  return refusalWords(error);
}
