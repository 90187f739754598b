/** Months, weeks, shares, reasons and groups as people say them. */
import { specimenClass, PRIORITIES } from "./case_words.js";
import { stepName } from "./case_terms.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { language } from "./page.js";

const LOCALE = language === "da" ? "da-DK" : "en-GB";
const LONG = new Intl.DateTimeFormat(LOCALE, { month: "long", year: "numeric", timeZone: "UTC" });
const SHORT = new Intl.DateTimeFormat(LOCALE, { month: "short", timeZone: "UTC" });

/** The four that hospitals publish, and the rest. @type {Record<string, string>} */
const REASONS = {
  size: t("Size: many glasses"),
  complexity: t("Complexity: orders, second opinions, long reading"),
  prioritisation: t("Prioritisation: others went first"),
  busyness: t("Busyness: waited for hands"),
  other: t("None of the four: rescans, machines"),
};

/** @type {Record<string, string>} */
const BY = {
  "priority": t("Priority"),
  "priority+specimen_class": t("Priority and kind"),
  "specimen_class": t("Kind"),
  "site": t("Site"),
  "unit": t("Unit"),
};

export const GROUPINGS = Object.keys(BY);

/** @param {string} by */
export function groupingName(by) {
  return BY[by] ?? by;
}

/** @param {string} month 2026-11 */
export function monthName(month) {
  return LONG.format(new Date(`${month}-01T00:00:00Z`));
}

/**
 * A week or a month, short.
 * @param {string} key 2026-W45 or 2026-11
 */
export function periodName(key) {
  const week = key.split("-W")[1];
  return week ? t("week {number}", { number: Number(week) }) : SHORT.format(new Date(`${key}-01T00:00:00Z`));
}

/** Where there is little room. @param {string} key */
export function periodShort(key) {
  const week = key.split("-W")[1];
  return week ? String(Number(week)) : periodName(key);
}

/** @param {number | null} value of a hundred @param {number} [decimals] */
export function percent(value, decimals = 1) {
  return value === null ? "–" : t("{number} %", { number: number(value, decimals) });
}

/** @param {string} reason */
export function reasonName(reason) {
  return REASONS[reason] ?? reason;
}

/**
 * @param {string} by
 * @param {string[]} key
 */
export function groupName(by, key) {
  return by.split("+").map((kind, at) => wordOf(kind, key[at] ?? "")).join(" · ");
}

/** @param {string} kind @param {string} code */
function wordOf(kind, code) {
  if (kind === "priority") return PRIORITIES[/** @type {import("./types_case.js").Priority} */ (code)]?.word ?? code;
  if (kind === "specimen_class") return specimenClass(code);
  return code === "" ? t("not said") : code;
}

/** In the middle of a sentence. @param {string} step */
export function stepInside(step) {
  const name = stepName(step);
  return name.charAt(0).toLowerCase() + name.slice(1);
}
