/** The goals as a table; whoever may change them does it in place. */
import { PRIORITIES, specimenClass } from "./case_words.js";
import { h, setContent } from "./dom.js";
import { t } from "./i18n.js";
import { element } from "./page.js";

/** @typedef {import("./types_policy.js").Policy} Policy */
/** @typedef {import("./types_policy.js").Target} Target */

/** @type {[import("./types_policy.js").TimeUnit, string][]} */
const UNITS = [
  ["working_days", t("working days")],
  ["calendar_days", t("calendar days")],
  ["minutes", t("minutes")],
];

/** @type {Record<string, string>} */
const DISTANCES = {
  internal: t("Opinion in the department"),
  regional: t("Opinion in the region"),
  national: t("Opinion elsewhere in the country"),
  abroad: t("Opinion abroad"),
};

/** What svartid comes with is known here; what a laboratory writes is shown as written. @type {Record<string, string>} */
const BASES = {
  "Gävleborg, answer by phone": t("Gävleborg, answer by phone"),
  "RJAH, decalcified": t("Robert Jones and Agnes Hunt Hospital, decalcified"),
  "Manchester: 1 to 3 working days": t("Manchester: 1 to 3 working days"),
  "Danish Pathology Society, as stated by Hvidovre": t("Danish Pathology Society, as stated by Hvidovre"),
  "Danish Health Authority; the percent is assumed": t("Danish Health Authority; the percent is assumed"),
  "Hvidovre; the Danish Health Authority says 10": t("Hvidovre; the Danish Health Authority says 10"),
  "as routine tissue": t("as routine tissue"),
  "stained to readable": "",
  "a fully digital laboratory answers 88.9 % within 24 h": t("A fully digital laboratory answers 88.9 % within 24 h"),
};

/**
 * @param {Policy} policy
 * @param {boolean} may change it
 * @param {() => void} changed
 */
export function showGoals(policy, may, changed) {
  const columns = [t("Priority"), t("Kind"), t("Goal"), t("For"), t("Founded on")];
  const rows = [
    ...policy.targets.map((target) => row(who(target), kinds(target), target)),
    row(t("All others"), t("Any kind"), policy.fallback),
    ...Object.entries(policy.digitisation).map(([priority, target]) => row(priorityWord(priority), t("Scanning: stained to readable"), target)),
    ...Object.entries(policy.consultation).map(([distance, target]) => row(t("Any priority"), DISTANCES[distance] ?? distance, target)),
  ];
  setContent(element("goals"), h("thead", {}, h("tr", {}, ...columns.map((word) => h("th", { scope: "col" }, word)))), h("tbody", {}, ...rows));

  /**
   * @param {string} first
   * @param {string} second
   * @param {Target} target
   */
  function row(first, second, target) {
    const about = `${first}, ${second}`;
    const [ours, assumed] = [t("ours"), t("assumed")];
    const basis = BASES[target.basis] ?? target.basis;
    const founded = target.mark === "stated" ? basis : `${basis || ours} (${assumed})`;
    const cells = may ? [amount(target, about), share(target, about)] : [goalWords(target), t("{number} %", { number: target.percent })];
    return h("tr", {}, h("th", { scope: "row" }, first), h("td", { class: "kind" }, second), h("td", {}, cells[0]), h("td", {}, cells[1]), h("td", { class: "kind secondary" }, founded));
  }

  /** @param {Target} target @param {string} about */
  function amount(target, about) {
    const unit = h("select", { "aria-label": t("{goal}: unit", { goal: about }), onchange: () => set(() => (target.unit = /** @type {Target["unit"]} */ (unit.value))) }, ...UNITS.map(([value, word]) => h("option", { value, selected: value === target.unit }, word)));
    return h("span", {}, field(target.amount, 1, 100_000, t("{goal}: how long", { goal: about }), (value) => (target.amount = value)), " ", unit);
  }

  /** @param {Target} target @param {string} about */
  function share(target, about) {
    return h("span", {}, field(target.percent, 1, 100, t("{goal}: for how many of a hundred", { goal: about }), (value) => (target.percent = value)), " %");
  }

  /**
   * @param {number} value
   * @param {number} min
   * @param {number} max
   * @param {string} label
   * @param {(value: number) => void} keep
   */
  function field(value, min, max, label, keep) {
    const input = h("input", { type: "number", value, min, max, step: 1, required: true, "aria-label": label });
    input.addEventListener("change", () => {
      if (!input.reportValidity()) return;
      set(() => keep(input.valueAsNumber));
      input.classList.toggle("changed", input.value !== input.defaultValue);
    });
    return input;
  }

  /** @param {() => void} change */
  function set(change) {
    change();
    changed();
  }
}

/** @param {Target} target */
function goalWords({ amount, unit }) {
  return `${amount} ${UNITS.find(([value]) => value === unit)?.[1] ?? unit}`;
}

/** @param {Target} target */
function who({ priority }) {
  return priority ? priorityWord(priority) : t("Any priority");
}

/** @param {string} priority */
function priorityWord(priority) {
  return PRIORITIES[/** @type {import("./types_case.js").Priority} */ (priority)]?.word ?? priority;
}

/** @param {Target} target */
function kinds({ classes }) {
  return classes.length > 0 ? classes.map(specimenClass).join(", ") : t("Any kind");
}
