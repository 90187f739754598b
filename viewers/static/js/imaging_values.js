/** Values in units: what a stored pixel means (HU, Gy, …), and the table that paints it. */
import { greyOf } from "./imaging_window.js";
import { number, text } from "./imaging_tags.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 * @typedef {import("./types_imaging.js").Grey} Grey
 * @typedef {import("./types_imaging.js").Lut} Lut
 * @typedef {import("./types_imaging.js").Window} Window
 */

/**
 * Slope and intercept to units; dose has a scale of its own (PS3.3 C.8.8.3).
 * @param {Dataset} dataset
 */
export function rescaleOf(dataset) {
  const dose = number(dataset, "3004000E", 0);
  if (text(dataset, "00080060") === "RTDOSE" && dose > 0) return { slope: dose, intercept: 0 };
  return { slope: number(dataset, "00281053", 1) || 1, intercept: number(dataset, "00281052", 0) };
}

/**
 * What values are counted in; empty when the file does not say.
 * @param {Dataset} dataset
 */
export function unitOf(dataset) {
  const modality = text(dataset, "00080060");
  if (modality === "RTDOSE") return text(dataset, "30040002") === "GY" ? "Gy" : "";
  const told = text(dataset, "00281054");
  if (told && told !== "US") return told;
  if (modality === "CT" && dataset["00281052"]) return "HU";
  return modality === "PT" && text(dataset, "00541001") === "BQML" ? "Bq/ml" : "";
}

/**
 * A stored value in units.
 * @param {Grey} grey
 * @param {number} stored
 */
export function inUnits({ slope, intercept, table }, stored) {
  return table ? lookUp(table, stored) : stored * slope + intercept;
}

/**
 * @param {Lut} table
 * @param {number} value
 */
export function lookUp({ first, entries }, value) {
  const index = Math.min(entries.length - 1, Math.max(0, Math.round(value - first)));
  return entries[index] ?? 0;
}

/**
 * Lowest and highest value in units.
 * @param {Grey} grey
 * @returns {[number, number]}
 */
export function rangeOf(grey) {
  const ends = [inUnits(grey, grey.low), inUnits(grey, grey.high)];
  return [Math.min(...ends), Math.max(...ends)];
}

/**
 * The value at a pixel, or null where there is none: outside, or padding.
 * @param {Grey} grey
 * @param {number} x column
 * @param {number} y row
 */
export function valueAt(grey, x, y) {
  if (x < 0 || y < 0 || x >= grey.columns || y >= grey.rows) return null;
  const stored = grey.stored[y * grey.columns + x];
  if (stored === undefined || isPadding(grey, stored)) return null;
  return inUnits(grey, stored);
}

/**
 * @param {Grey} grey
 * @param {number} stored
 */
export function isPadding({ padding }, stored) {
  return padding !== null && stored >= padding[0] && stored <= padding[1];
}

/**
 * The function from a stored value to its grey, 0 to 255: a window, or the file's own table.
 * @param {Grey} grey
 * @param {Window | Lut} shown
 * @param {boolean} inverted
 * @returns {(stored: number) => number}
 */
export function painterOf(grey, shown, inverted) {
  const tone = "entries" in shown ? toneOf(shown) : greyOf(shown);
  return (stored) => {
    if (isPadding(grey, stored)) return 0;
    const at = Math.round(tone(inUnits(grey, stored)));
    return inverted === grey.inverted ? at : 255 - at;
  };
}

/**
 * A table of a window (PS3.3 C.11.2.1.1), spread over the greys there are.
 * @param {Lut} table
 */
function toneOf(table) {
  const most = 2 ** table.bits - 1;
  return (/** @type {number} */ value) => (lookUp(table, value) / most) * 255;
}
