/** Danish SNOMED codes as they are typed: an axis letter and five digits, spaces anywhere. */
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

const CODE = /(AE|[TMÆFSP])[ \t]*(\d(?:[ \t]*\d){4})(?![ \t]*\d)/g;
const DEMANDED = /** @type {const} */ (["T", "M"]);

/** @type {Record<string, string>} */
const AXES = {
  T: t("topography"),
  M: t("morphology"),
  Æ: t("aetiology"),
  F: t("function"),
  S: t("disease"),
  P: t("procedure"),
};

/** @typedef {{codes: string[], unknown: string[], missing: ("T" | "M")[]}} Typed */

/**
 * @param {string} text
 * @returns {Typed} codes once each and in the order typed, what is no code, which axes lack one
 */
export function parseCodes(text) {
  /** @type {Set<string>} */
  const codes = new Set();
  const rest = text.toUpperCase().replace(CODE, (_, axis, digits) => {
    codes.add(`${axis.replace("AE", "Æ")}${digits.replace(/\D/g, "")}`);
    return " ";
  });
  const unknown = rest.split(/[\s,;.]+/).filter(Boolean);
  const missing = DEMANDED.filter((axis) => ![...codes].some((code) => code.startsWith(axis)));
  return { codes: [...codes], unknown, missing };
}

/** What is wrong with the codes, as a sentence; empty when nothing is. @param {Typed} typed */
export function codesComplaint({ unknown, missing }) {
  if (unknown.length > 0) return t("Not a code: {words}. A code is a letter and five digits, such as T28000.", { words: unknown.join(", ") });
  if (missing.length === 2) return t("A T code (topography) and an M code (morphology) are missing.");
  if (missing[0] === "T") return t("A T code (topography) is missing.");
  if (missing[0] === "M") return t("An M code (morphology) is missing.");
  return "";
}

/** @param {string[]} codes */
export function codeChips(codes) {
  return h(
    "span",
    { class: "codes" },
    ...codes.map((code) => h("span", { class: "code" }, h("b", {}, code), h("small", {}, AXES[code.charAt(0)] ?? ""))),
  );
}

/**
 * The line under the field: what was understood, and what is missing.
 * @param {string} text
 */
export function codesRead(text) {
  const typed = parseCodes(text);
  const complaint = codesComplaint(typed);
  return [
    typed.codes.length > 0 && codeChips(typed.codes),
    complaint !== "" && h("span", { class: "state attention" }, icon("triangle-alert"), h("span", {}, complaint)),
  ];
}
