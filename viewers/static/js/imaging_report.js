/** A structured report as a nested list: what it is about and what it says (PS3.3 C.17.3). */
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { items, numbers, text } from "./imaging_tags.js";

/** @typedef {import("./types_imaging.js").Dataset} Dataset */

const DEEPEST = 40;

/** @param {Dataset} dataset */
export function isReport(dataset) {
  return text(dataset, "0040A040") === "CONTAINER";
}

/**
 * The report's title and what is in it.
 * @param {Dataset} dataset
 */
export function reportView(dataset) {
  const state = [stateWords(text(dataset, "0040A491")), stateWords(text(dataset, "0040A493"))].filter(Boolean).join(", ");
  return h(
    "article",
    { class: "report" },
    h("h2", {}, meaning(dataset, "0040A043") || t("Structured report")),
    state && h("p", { class: "secondary" }, state),
    list(dataset, 0),
  );
}

/** @param {string} code of completion and verification */
function stateWords(code) {
  /** @type {Record<string, string>} */
  const words = { COMPLETE: t("Finished"), PARTIAL: t("Not finished"), VERIFIED: t("Verified"), UNVERIFIED: t("Not verified") };
  return words[code] ?? "";
}

/**
 * @param {Dataset} node
 * @param {number} depth
 * @returns {HTMLElement | null}
 */
function list(node, depth) {
  const children = items(node, "0040A730");
  if (children.length === 0) return null;
  if (depth >= DEEPEST) return h("p", { class: "secondary" }, t("More lies deeper than is shown here."));
  return h("ul", {}, ...children.map((child) => entry(child, depth + 1)));
}

/**
 * @param {Dataset} node
 * @param {number} depth
 * @returns {HTMLElement}
 */
function entry(node, depth) {
  const name = meaning(node, "0040A043");
  const value = valueOf(node);
  const words = [name && h("span", { class: "concept" }, value ? `${name}: ` : name), value && h("span", { class: "value" }, value)];
  return h("li", { class: text(node, "0040A040") === "CONTAINER" ? "chapter" : "" }, ...words, list(node, depth));
}

/**
 * What a node says, in words.
 * @param {Dataset} node
 */
export function valueOf(node) {
  switch (text(node, "0040A040")) {
    case "TEXT":
      return text(node, "0040A160");
    case "NUM":
      return items(node, "0040A300").map(measured).join(", ") || t("no value");
    case "CODE":
      return meaning(node, "0040A168");
    case "PNAME":
      return text(node, "0040A123");
    case "DATE":
      return dateWords(text(node, "0040A121"));
    case "TIME":
      return timeWords(text(node, "0040A122"));
    case "DATETIME":
      return [dateWords(text(node, "0040A120").slice(0, 8)), timeWords(text(node, "0040A120").slice(8))].filter(Boolean).join(" ");
    case "IMAGE":
      return t("an image");
    case "SCOORD":
    case "SCOORD3D":
      return t("a place in an image");
    case "COMPOSITE":
    case "WAVEFORM":
      return t("another object");
    default:
      return "";
  }
}

/** @param {Dataset} value */
function measured(value) {
  const unit = items(value, "004008EA")[0];
  const told = unit ? text(unit, "00080100") : "";
  const [figure] = numbers(value, "0040A30A");
  return [figure ?? "", told === "1" ? "" : told].join(" ").trim();
}

/** @param {Dataset} node @param {string} tag */
function meaning(node, tag) {
  const code = items(node, tag)[0];
  return code ? text(code, "00080104") || text(code, "00080100") : "";
}

/** `20260314` as `2026-03-14`. @param {string} told */
export function dateWords(told) {
  return /^\d{8}$/.test(told) ? `${told.slice(0, 4)}-${told.slice(4, 6)}-${told.slice(6)}` : told;
}

/** `142530` as `14:25`. @param {string} told */
function timeWords(told) {
  return /^\d{4}/.test(told) ? `${told.slice(0, 2)}:${told.slice(2, 4)}` : told;
}
