/** What grey a value is shown as: windows from the file, presets, and the arithmetic (PS3.3 C.11.2). */
import { numbers, text, values } from "./imaging_tags.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 * @typedef {import("./types_imaging.js").Window} Window
 * @typedef {import("./types_imaging.js").Grey} Grey
 */

/** Centre and width in Hounsfield units, as they are taught; the names are in imaging_words.js. */
export const CT_WINDOWS = /** @type {const} */ ({
  soft: [40, 400],
  lung: [-600, 1500],
  bone: [500, 2000],
  brain: [40, 80],
  liver: [60, 160],
  mediastinum: [50, 350],
});
const DARKEST = 1;

/**
 * The windows that stand in the file, each with what it is called there.
 * @param {Dataset} dataset
 * @returns {{name: string, window: Window}[]}
 */
export function fileWindows(dataset) {
  const widths = numbers(dataset, "00281051");
  const names = values(dataset, "00281055");
  const shape = shapeOf(dataset);
  return numbers(dataset, "00281050").flatMap((center, index) => {
    const width = widths[index] ?? 0;
    const usable = shape === "LINEAR" ? width >= 1 : width > 0;
    return usable ? [{ name: String(names[index] ?? "").trim(), window: { center, width, shape } }] : [];
  });
}

/**
 * @param {Dataset} dataset
 * @returns {Window["shape"]}
 */
function shapeOf(dataset) {
  const told = text(dataset, "00281056");
  return told === "SIGMOID" || told === "LINEAR_EXACT" ? told : "LINEAR";
}

/**
 * The window that shows everything there is: the lowest value black, the highest white.
 * @param {number} low
 * @param {number} high
 * @returns {Window}
 */
export function wholeWindow(low, high) {
  const width = high - low;
  return Number.isInteger(low) && Number.isInteger(high) ? { center: (low + high + 1) / 2, width: width + 1, shape: "LINEAR" } : { center: (low + high) / 2, width: width || 1, shape: "LINEAR_EXACT" };
}

/**
 * The grey, 0 to 255 and not yet rounded, of a value in units.
 * @param {Window} window
 * @returns {(value: number) => number}
 */
export function greyOf({ center, width, shape }) {
  if (shape === "SIGMOID") return (value) => 255 / (1 + Math.exp((-4 * (value - center)) / width));
  if (shape === "LINEAR_EXACT") return (value) => clamp(((value - center) / width + 0.5) * 255);
  if (width <= 1) return (value) => (value <= center - 0.5 ? 0 : 255);
  return (value) => clamp(((value - (center - 0.5)) / (width - 1) + 0.5) * 255);
}

/** @param {number} value */
function clamp(value) {
  return Math.min(255, Math.max(0, value));
}

/**
 * What a drag makes of a window: right is wider, down is darker; as far as the values go.
 * @param {Window} window
 * @param {number} across CSS pixels
 * @param {number} down
 * @param {number} span of the values there are
 * @returns {Window}
 */
export function draggedWindow(window, across, down, span) {
  const step = span / 512;
  const least = window.shape === "LINEAR" ? DARKEST : span / 65536;
  return { ...window, width: Math.max(least, window.width + across * step), center: window.center + down * step };
}

/**
 * A window as people set it: whole numbers where the values are whole.
 * @param {Window} window
 * @param {number} span
 */
export function rounded(window, span) {
  const unit = span > 20 ? 1 : 10 ** Math.floor(Math.log10(Math.max(span, 1e-9)) - 2);
  const whole = (/** @type {number} */ value) => Math.round(value / unit) * unit;
  return { ...window, center: whole(window.center), width: Math.max(unit, whole(window.width)) };
}
