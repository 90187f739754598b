/** Reports that went out, newest first, and preliminary answers: to be read, never changed. */
import { h, icon } from "./dom.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";
import { codeChips } from "./case_codes.js";
import { REPORT_KINDS, nameOf } from "./case_words.js";

/** @typedef {import("./types_case.js").Case} Case */
/** @typedef {import("./types_case.js").Report} Report */

/** @param {Case} now */
export function versions(now) {
  const newest = now.reports.length;
  return [
    ...now.reports.toReversed().map((report) => version(report, now, report.version === newest)),
    ...now.preliminaries.toReversed().map((at) =>
      fold(
        [h("b", {}, REPORT_KINDS.preliminary), h("span", { class: "secondary" }, ` ${nameOf(now, at.by)} ${exactTime(at.at)}`)],
        [h("p", { class: "written" }, at.text), h("p", { class: "secondary" }, at.reason, " · ", t("final report expected {time}", { time: exactTime(at.expected_at) }))],
        newest === 0,
        "preliminary",
      ),
    ),
  ];
}

/**
 * @param {Report} report
 * @param {Case} now
 * @param {boolean} open
 */
function version(report, now, open) {
  const who = [
    t("version {number}", { number: report.version }),
    t("signed by {name} {time}", { name: nameOf(now, report.signed_by), time: exactTime(report.signed_at) }),
  ];
  const head = [
    h("b", {}, REPORT_KINDS[report.kind]),
    h("span", { class: "secondary" }, ` ${who.join(" · ")} · `),
    delivery(report),
  ];
  return fold(
    head,
    [
      h("p", { class: "written" }, report.text),
      codeChips(report.codes),
      report.overridden.length > 0 && h("p", { class: "state attention" }, icon("triangle-alert"), h("span", {}, t("Signed although something stood open: {reason}", { reason: report.override_reason }))),
    ],
    open,
    `version-${report.version}`,
  );
}

/** @param {Report} report */
function delivery(report) {
  if (report.acknowledged_at) return h("span", { class: "state done", title: exactTime(report.acknowledged_at) }, icon("circle-check"), t("received by the requester"));
  if (report.distributed_at) return h("span", { class: "state done", title: exactTime(report.distributed_at) }, icon("circle-check"), t("sent to the requester"));
  return h("span", { class: "state neutral" }, icon("hourglass"), t("on its way to the requester"));
}

/**
 * @param {import("./dom.js").Child[]} head
 * @param {import("./dom.js").Child[]} body
 * @param {boolean} open
 * @param {string} focus
 */
function fold(head, body, open, focus) {
  return h("details", { class: `version${open ? " newest" : ""}`, open }, h("summary", { "data-focus": focus }, ...head), ...body);
}
