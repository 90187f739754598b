/** The words of drift: figures, states, scanners and stains. */
import { exactDay, number } from "./format.js";
import { t } from "./i18n.js";
import { checkName } from "./quality_words.js";

/** @typedef {import("./types_drift.js").DriftState} DriftState */
/** @typedef {import("./types_drift.js").Channel} Channel */

/** @type {Record<DriftState, import("./words.js").StateWords>} */
export const DRIFT_STATES = {
  learning: { tone: "neutral", icon: "hourglass", word: t("Learning"), hint: t("Too few slides yet to know what is usual.") },
  steady: { tone: "done", icon: "circle-check", word: t("Steady") },
  shifted: { tone: "attention", icon: "triangle-alert", word: t("Spread otherwise"), hint: t("The last week's figures are spread otherwise than the baseline's.") },
  out: { tone: "failed", icon: "circle-x", word: t("Outside its limits"), hint: t("The smoothed figure has left its limits.") },
};

/** @type {Record<string, string>} */
const FIGURES = {
  focus_p50: t("Blur, median"),
  focus_p95: t("Blur, the worst twentieth"),
  od_h: t("Density of haematoxylin"),
  od_e: t("Density of eosin"),
  od_dab: t("Density of DAB"),
  background: t("Brightness of the glass"),
  jpeg_quality: t("JPEG quality"),
  alarm_rate: t("Slides flagged"),
  override_rate: t("Flags that people overruled"),
};
const OF_CHECK = "alarm:";

/** @param {string} figure */
export function figureName(figure) {
  if (figure.startsWith(OF_CHECK)) return t("Flagged for {check}", { check: checkName(figure.slice(OF_CHECK.length)) });
  return FIGURES[figure] ?? t("Another figure");
}

/**
 * A value with its unit; shares as per cent.
 * @param {number | null} value
 * @param {string} unit
 */
export function valueWords(value, unit) {
  if (value === null) return "–";
  if (unit === "%") return `${number(100 * value, 1)} %`;
  if (unit === "um") return `${number(value, 2)} µm`;
  return unit === "OD" ? number(value, 3) : number(value, 0);
}

/** @param {Channel} channel */
export function channelName({ scanner, stain, series }) {
  if (series === "reference") return t("{scanner}, reference glass", { scanner });
  return stain ? `${scanner}, ${stain}` : t("{scanner}, stain not known", { scanner });
}

/** @param {string} day ISO date */
export function missedWords(day) {
  return t("Reference glass not scanned on {day}", { day: exactDay(new Date(`${day}T12:00:00`)) });
}
