/** Figures of checks with their names and units, and the rules they broke. */
import { number } from "./format.js";
import { t } from "./i18n.js";
import { checkName } from "./quality_words.js";

/** @typedef {{words: string, unit: string, decimals: number}} FigureWords */

/** @type {Record<string, FigureWords>} */
const FIGURES = {
  tissue_mm2: { words: t("Tissue"), unit: "mm²", decimals: 1 },
  missing_pct: { words: t("Not scanned"), unit: t("% of the tissue"), decimals: 1 },
  missing_mm2: { words: t("Missing"), unit: "mm²", decimals: 2 },
  constant: { words: t("Tiles of one colour"), unit: "", decimals: 0 },
  damaged: { words: t("Tiles that cannot be read"), unit: "", decimals: 0 },
  bad_area_pct: { words: t("Out of focus"), unit: t("% of the tissue"), decimals: 1 },
  largest_bad_mm2: { words: t("Largest place"), unit: "mm²", decimals: 2 },
  p95: { words: t("Blur of the worst twentieth"), unit: "µm", decimals: 1 },
  seams: { words: t("Shifted seams"), unit: "", decimals: 0 },
  largest_px: { words: t("Largest shift"), unit: "px", decimals: 1 },
  largest_pct: { words: t("Largest step"), unit: "%", decimals: 1 },
  area_pct: { words: t("Covered"), unit: t("% of the tissue"), decimals: 1 },
  over_tissue_mm: { words: t("Over tissue"), unit: "mm", decimals: 1 },
  white: { words: t("White of the glass"), unit: t("of 255"), decimals: 0 },
  deviations: { words: t("From the usual"), unit: t("deviations"), decimals: 1 },
  clipped_pct: { words: t("Pixels at the limit"), unit: "%", decimals: 1 },
  quality: { words: t("Quality"), unit: t("of 100"), decimals: 0 },
  mismatches: { words: t("Does not fit the order"), unit: "", decimals: 0 },
};
const MOST = 2;
const RULE = /^(\w+)([<>])(-?[\d.e+-]+)$/;

/**
 * The figures that decide, as `Out of focus 22.0 % of the tissue`; of several those that are not 0.
 * @param {Pick<import("./types_quality.js").Finding, "figures" | "thresholds">} finding
 */
export function figureWords({ figures, thresholds }) {
  const numbers = Object.keys(FIGURES).filter((name) => typeof figures[name] === "number");
  const ruled = numbers.filter((name) => `${name}_review` in (thresholds ?? {}) || `${name}_rescan` in (thresholds ?? {}));
  const deciding = ruled.length > 0 ? ruled : numbers.slice(0, 1);
  const telling = deciding.filter((name) => figures[name] !== 0);
  const shown = telling.length > 0 ? telling : deciding.slice(0, 1);
  return shown.map((name) => `${FIGURES[name]?.words} ${measured(name, Number(figures[name]))}`).slice(0, MOST);
}

/**
 * From where a look is asked for, and from where another scan; where anything at all does, nothing.
 * @param {import("./types_quality.js").Finding} finding
 */
export function thresholdWords({ thresholds, basis, state }) {
  const lines = Object.entries(FIGURES).flatMap(([name, { words }]) => {
    const [review, rescan] = [thresholds?.[`${name}_review`], thresholds?.[`${name}_rescan`]];
    const asks = basis === "exact" || state === "rescan"; // others only ask for a look, until validated
    const parts = [review && t("a look at {limit}", { limit: measured(name, review, true) }), asks && rescan && t("another scan at {limit}", { limit: measured(name, rescan, true) })].filter(Boolean);
    return parts.length > 0 ? `${words}: ${parts.join(", ")}` : [];
  });
  return lines.join(" · ");
}

/**
 * Why a check asks for a look, in a sentence: its name, the figure, and the limit it passed.
 * @param {string} check
 * @param {string} rule `bad_area_pct>2`
 * @param {Record<string, number | string | null>} figures
 */
export function askWords(check, rule, figures) {
  const [, name = "", sign, limit] = RULE.exec(rule) ?? [];
  const known = FIGURES[name];
  const value = figures[name];
  if (!known || typeof value !== "number") return checkName(check);
  const values = { check: checkName(check), figure: known.words.toLocaleLowerCase(), value: measured(name, value), limit: measured(name, Number(limit), true) };
  if (Number(limit) === 0) return t("{check}: {figure} {value}", values);
  return sign === "<" ? t("{check}: {figure} {value}, less than {limit}", values) : t("{check}: {figure} {value}, more than {limit}", values);
}

/** At least two digits that say something. @param {string} name @param {number} value @param {boolean} [brief] of what it is a share is known */
function measured(name, value, brief = false) {
  const { unit: whole, decimals } = FIGURES[name] ?? { unit: "", decimals: 1 };
  const unit = brief && whole.startsWith("%") ? "%" : whole;
  const small = value === 0 ? 0 : Math.min(4, 1 - Math.floor(Math.log10(Math.abs(value))));
  const shown = Number.isInteger(value) ? number(value) : number(value, Math.max(decimals, small));
  return unit === "" ? shown : `${shown} ${unit}`;
}
