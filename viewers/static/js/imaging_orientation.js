/** Which side of the patient lies at which edge of the screen (PS3.3 C.7.6.1.1.1). */
import { numbers, values } from "./imaging_tags.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 * @typedef {import("./types_imaging.js").View} View
 * @typedef {{top: string, right: string, bottom: string, left: string}} Edges
 */

/** @type {Record<string, string>} */
const OPPOSITE = { L: "R", R: "L", A: "P", P: "A", H: "F", F: "H" };
const SLANT = 0.2;

/**
 * The letters at the four edges; empty where the file does not say.
 * @param {Dataset} dataset
 * @param {View} view
 * @returns {Edges}
 */
export function edgesOf(dataset, view) {
  const { right, down } = directions(dataset);
  /** @type {[string, string, string, string]} clockwise from the top, as the file lies */
  let [top, east, bottom, west] = [opposite(down), right, down, opposite(right)];
  if (view.flipped) [east, west] = [west, east];
  for (let turn = 0; turn < view.turns; turn += 1) [top, east, bottom, west] = [west, top, east, bottom];
  return { top, right: east, bottom, left: west };
}

/**
 * Where rows and columns go: from the geometry, else from the file's own letters.
 * @param {Dataset} dataset
 */
function directions(dataset) {
  const cosines = numbers(dataset, "00200037");
  if (cosines.length === 6) return { right: letters(cosines.slice(0, 3)), down: letters(cosines.slice(3)) };
  const [right = "", down = ""] = values(dataset, "00200020").map((at) => String(at ?? "").trim());
  return { right: plain(right), down: plain(down) };
}

/**
 * The letters of a direction in the patient, the strongest first: x to the left, y to the back,
 * z to the head.
 * @param {number[]} vector
 */
export function letters([x = 0, y = 0, z = 0]) {
  /** @type {[number, string][]} */
  const parts = [[x, x > 0 ? "L" : "R"], [y, y > 0 ? "P" : "A"], [z, z > 0 ? "H" : "F"]];
  return parts
    .filter(([size]) => Math.abs(size) > SLANT)
    .sort(([one], [other]) => Math.abs(other) - Math.abs(one))
    .map(([, letter]) => letter)
    .join("");
}

/** Only letters of two-legged patients; others are not shown rather than misread. @param {string} told */
function plain(told) {
  return /^[LRAPHF]{1,3}$/.test(told) ? told : "";
}

/** @param {string} told */
function opposite(told) {
  return [...told].map((letter) => OPPOSITE[letter] ?? "").join("");
}
