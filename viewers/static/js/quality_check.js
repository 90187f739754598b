/** One check in the panel: its state, its figure, its limits, its map with a legend, its places. */
import { h, icon, stateMark } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { figureWords, thresholdWords } from "./quality_figures.js";
import { QUALITY_STATES, checkName, className, limitWords, whyNot } from "./quality_words.js";

/** @typedef {import("./types_quality.js").Finding} Finding */
/** @typedef {{toggle: (check: string) => void, go: (finding: Finding, box: import("./types_quality.js").Box) => void}} Acts */

const MOST_SPOTS = 12;
/** @type {Record<string, string>} */
const UNITS = { mm2: "mm²", um: "µm" };
/** @type {Partial<Record<Finding["state"], string>>} */
const SHORT = { pass: t("fine"), review: t("look at it"), rescan: t("scan again?"), not_evaluated: t("not evaluated"), error: t("failed") };

/**
 * @param {Finding} finding
 * @param {string | null} shown the check whose map lies over the slide
 * @param {Acts} acts
 */
export function checkLine(finding, shown, acts) {
  const { check, state, map } = finding;
  const on = shown === check;
  const [look, limits] = [QUALITY_STATES[state], thresholdWords(finding)];
  const words = on ? t("Take the map of {check} away", { check: checkName(check) }) : t("Show the map of {check} over the slide", { check: checkName(check) });
  return h(
    "li",
    { class: `quality-check ${state}`, "data-check": check },
    h(
      "div",
      { class: "quality-line" },
      stateMark({ ...look, word: SHORT[state] ?? look.word }),
      h("b", {}, checkName(check)),
      map && h("button", { class: "tool", type: "button", "aria-pressed": String(on), "aria-label": words, title: words, onclick: () => acts.toggle(check) }, icon(on ? "eye" : "eye-off")),
    ),
    h("p", { class: "quality-figures" }, told(finding)),
    limits !== "" && h("p", { class: "secondary" }, limits),
    ...limitWords(finding.limits ?? []).map((line) => h("p", { class: "secondary" }, line)),
    on && map && legend(finding, map),
    spots(finding, acts),
  );
}

/** @param {Finding} finding */
function told({ state, reason, figures, thresholds }) {
  if (state === "not_evaluated") return whyNot(reason ?? "");
  if (state === "error") return t("The check broke down; the others are not affected.");
  return figureWords({ figures, thresholds }).join(" · ");
}

/** Colours and what they stand for, in the check's unit. @param {Finding} finding @param {import("./types_quality.js").QualityMap} map */
function legend({ unit }, { legend: steps }) {
  const lines = steps.map(({ colour, word, low, high }) => {
    const swatch = h("span", { class: "quality-swatch" });
    swatch.style.backgroundColor = `rgb(${colour.join(" ")})`;
    return h("li", {}, swatch, word ? className(word) : between(low, high, UNITS[unit] ?? unit));
  });
  return h("ul", { class: "quality-legend", "aria-label": t("Legend") }, ...lines);
}

/** @param {number | null} low @param {number | null} high @param {string} unit */
function between(low, high, unit) {
  const from = exact(low ?? 0);
  return high === null ? t("{from} {unit} and more", { from, unit }) : t("{from} to {to} {unit}", { from, to: exact(high), unit });
}

/** @param {number} value */
function exact(value) {
  return number(value, Number.isInteger(value) ? 0 : 1);
}

/** Places to go to, the worst first. @param {Finding} finding @param {Acts} acts */
function spots(finding, acts) {
  const worst = [...(finding.spots ?? [])].sort((one, other) => (other.most ?? 0) - (one.most ?? 0) || (other.area_mm2 ?? 0) - (one.area_mm2 ?? 0)).slice(0, MOST_SPOTS);
  if (worst.length === 0) return null;
  const buttons = worst.map(({ box, area_mm2: area }, index) => {
    const size = typeof area === "number" ? `${number(area, 2)} mm²` : "";
    const words = t("Go to place {number} of {check}", { number: index + 1, check: checkName(finding.check) });
    return h("li", {}, h("button", { class: "button small", type: "button", "aria-label": `${words}${size && `, ${size}`}`, title: size || words, onclick: () => acts.go(finding, box) }, String(index + 1)));
  });
  return h("div", { class: "quality-spots" }, h("span", { class: "secondary" }, t("Places")), h("ul", {}, ...buttons));
}
