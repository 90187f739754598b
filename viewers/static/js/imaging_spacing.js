/** How large a pixel is, and at what: in the patient, at the detector, on the film, or unknown. */
import { items, number, numbers, text } from "./imaging_tags.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 * @typedef {import("./types_imaging.js").Spacing} Spacing
 * @typedef {import("./types_imaging.js").Point} Point
 */

const PROJECTED = new Set(["CR", "DX", "MG", "RF", "XA", "IO", "PX", "RG"]);
const CENTIMETRES = 3;
const SAME = 1e-6;
const NEARLY_SQUARE = 0.005;

/**
 * The spacing of an image (PS3.3 10.7); null when it is unknown.
 * @param {Dataset} dataset
 * @returns {Spacing | null}
 */
export function spacingOf(dataset) {
  const pixels = pair(dataset, "00280030");
  const detector = pair(dataset, "00181164");
  if (pixels && !atDetector(dataset, pixels, detector)) {
    return { ...pixels, origin: PROJECTED.has(text(dataset, "00080060")) ? "calibrated" : "patient" };
  }
  const measured = pixels ?? detector;
  if (measured) {
    const magnified = number(dataset, "00181114", 0);
    if (magnified > 0) return { row: measured.row / magnified, column: measured.column / magnified, origin: "estimated" };
    return { ...measured, origin: "detector" };
  }
  const film = pair(dataset, "00182010");
  return film && { ...film, origin: "film" };
}

/**
 * In projections the same figure twice is the detector's (PS3.3 10.7.1.2), unless it was calibrated.
 * @param {Dataset} dataset
 * @param {{row: number, column: number}} pixels
 * @param {{row: number, column: number} | null} detector
 */
function atDetector(dataset, pixels, detector) {
  if (!PROJECTED.has(text(dataset, "00080060")) || text(dataset, "00280A02")) return false;
  return detector === null || (Math.abs(pixels.row - detector.row) < SAME && Math.abs(pixels.column - detector.column) < SAME);
}

/**
 * The spacing between two points: ultrasound has it by region (PS3.3 C.8.5.5), others everywhere.
 * @param {Dataset} dataset
 * @param {Point} from in pixels
 * @param {Point} to
 * @returns {Spacing | null}
 */
export function spacingBetween(dataset, from, to) {
  for (const region of items(dataset, "00186011")) {
    const inCentimetres = number(region, "00186024", 0) === CENTIMETRES && number(region, "00186026", 0) === CENTIMETRES;
    const column = Math.abs(number(region, "0018602C", 0)) * 10;
    const row = Math.abs(number(region, "0018602E", 0)) * 10;
    if (inCentimetres && row > 0 && column > 0 && inside(region, from) && inside(region, to)) return { row, column, origin: "ultrasound" };
  }
  return spacingOf(dataset);
}

/**
 * @param {Dataset} region
 * @param {Point} at
 */
function inside(region, { x, y }) {
  const [left, top, right, bottom] = ["00186018", "0018601A", "0018601C", "0018601E"].map((tag) => number(region, tag, NaN));
  return x >= Number(left) && x <= Number(right) + 1 && y >= Number(top) && y <= Number(bottom) + 1;
}

/**
 * Height of a pixel over its width, for drawing: a square where nothing is said, or nearly.
 * @param {Dataset} dataset
 */
export function aspectOf(dataset) {
  const spacing = spacingOf(dataset);
  const [vertical = 1, horizontal = 1] = spacing ? [spacing.row, spacing.column] : numbers(dataset, "00280034");
  const aspect = vertical > 0 && horizontal > 0 ? vertical / horizontal : 1;
  return Math.abs(aspect - 1) < NEARLY_SQUARE ? 1 : aspect;
}

/**
 * From one point to another: in mm when the spacing is known, in pixels always.
 * @param {Point} from
 * @param {Point} to
 * @param {Spacing | null} spacing
 */
export function distance(from, to, spacing) {
  const [across, down] = [to.x - from.x, to.y - from.y];
  return { pixels: Math.hypot(across, down), mm: spacing && Math.hypot(across * spacing.column, down * spacing.row) };
}

/**
 * @param {Dataset} dataset
 * @param {string} tag
 */
function pair(dataset, tag) {
  const [row, column] = numbers(dataset, tag);
  return row !== undefined && column !== undefined && row > 0 && column > 0 ? { row, column } : null;
}
