/** Why this pathologist: what the rules weighed, in words, and why not the others. */
import { h } from "./dom.js";
import { number } from "./format.js";
import { t, tn } from "./i18n.js";
import { nameOf } from "./case_words.js";

/** @typedef {import("./types_case.js").Case} Case */
/** @typedef {Record<string, any>} Reason */

const HOW = {
  rules: t("assigned by the rules"),
  person: t("assigned by a person"),
  claim: t("took the case"),
  handover: t("took it over"),
};

/** @type {Record<string, string>} */
const RULES = {
  subspecialty: t("reads this subspecialty"),
  language: t("reads the language of the requisition"),
  load: t("has less to read"),
  only_one: t("is the only one who may have it"),
  name: t("nothing else told them apart"),
};

/** @type {Record<string, string>} */
const AGAINST = {
  not_a_pathologist: t("is no pathologist"),
  other_unit: t("works in another unit"),
  absent: t("is absent"),
  requester: t("asked for the examination"),
  consulted: t("has been asked for a second opinion"),
  subspecialty: t("does not read this subspecialty"),
  language: t("does not read the language of the requisition"),
  load: t("has more to read"),
  name: t("nothing else told them apart"),
};

/** @param {Case} now */
export function why(now) {
  const how = HOW[/** @type {keyof typeof HOW} */ (now.assigned_by ?? "rules")] ?? "";
  const others = now.why.filter((at) => at.code === "other");
  const more = now.why.find((at) => at.code === "left_out");
  return [
    h("p", {}, h("b", {}, now.assignee_name || nameOf(now, now.assignee)), ` – ${how}`),
    list(now.why.map(inFavour).filter((words) => words !== "")),
    others.length > 0 &&
      h(
        "details",
        {},
        h("summary", { "data-focus": "others" }, t("Why not the others")),
        list([...others.map((at) => `${nameOf(now, at.name)} ${AGAINST[at.rule] ?? ""}`), more ? tn("and {count} more", "and {count} more", more.count) : ""].filter(Boolean)),
      ),
  ];
}

/** @param {Reason} at */
function inFavour(at) {
  if (at.code === "said") return String(at.text ?? "");
  const words = RULES[at.code] ?? "";
  if (words === "" || !at.by) return words;
  return [words, t("counts as {cases} cases", { cases: number(at.by, Number.isInteger(at.by) ? 0 : 1) })].join(", ");
}

/** @param {string[]} lines */
function list(lines) {
  return lines.length > 0 && h("ul", { class: "lines bullets" }, ...lines.map((line) => h("li", {}, line)));
}
