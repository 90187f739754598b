/** The images of a series as one stack: in order, every frame by itself. */
import { number, numbers, ofFrame, text } from "./imaging_tags.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 * @typedef {import("./types_imaging.js").Frame} Frame
 */

const PIXELS = ["7FE00010", "7FE00008", "7FE00009"];
const SAME_MM = 1e-3;

/**
 * Whether there is a picture in the object.
 * @param {Dataset} dataset
 */
export function hasPixels(dataset) {
  return PIXELS.some((tag) => dataset[tag] !== undefined) || (number(dataset, "00280010", 0) > 0 && number(dataset, "00280011", 0) > 0);
}

/**
 * @param {Dataset[]} instances of one series
 * @returns {Frame[]}
 */
export function stackOf(instances) {
  return ordered(instances.filter(hasPixels)).flatMap(framesOf);
}

/**
 * By instance number where each has its own, else along the body, else as they came.
 * @param {Dataset[]} instances
 */
function ordered(instances) {
  const named = instances.map((at) => number(at, "00200013", null));
  if (!named.includes(null) && new Set(named).size === named.length) return by(instances, named);
  const places = instances.map(placeAlongNormal);
  return places.includes(null) ? instances : by(instances, places);
}

/**
 * @param {Dataset[]} instances
 * @param {(number | null)[]} keys
 */
function by(instances, keys) {
  return instances
    .map((instance, index) => ({ instance, index, key: keys[index] ?? 0 }))
    .sort((a, b) => (Math.abs(a.key - b.key) < SAME_MM ? a.index - b.index : a.key - b.key))
    .map(({ instance }) => instance);
}

/**
 * How far along its own normal an image lies, in mm (PS3.3 C.7.6.2.1.1); null when it does not say.
 * @param {Dataset} dataset
 */
export function placeAlongNormal(dataset) {
  const [rx, ry, rz, cx, cy, cz] = numbers(dataset, "00200037");
  const [x, y, z] = numbers(dataset, "00200032");
  if (rx === undefined || ry === undefined || rz === undefined || cx === undefined || cy === undefined || cz === undefined) return null;
  if (x === undefined || y === undefined || z === undefined) return null;
  return (ry * cz - rz * cy) * x + (rz * cx - rx * cz) * y + (rx * cy - ry * cx) * z;
}

/**
 * @param {Dataset} instance
 * @returns {Frame[]}
 */
function framesOf(instance) {
  const of = Math.max(1, Math.floor(number(instance, "00280008", 1)));
  const sop = text(instance, "00080018");
  return Array.from({ length: of }, (_, index) => frame(instance, sop, index, of));
}

/**
 * @param {Dataset} instance
 * @param {string} sop
 * @param {number} index
 * @param {number} of
 * @returns {Frame}
 */
function frame(instance, sop, index, of) {
  /** @type {Dataset | null} */
  let flat = null;
  return {
    sop,
    number: index + 1,
    of,
    get dataset() {
      flat ??= ofFrame(instance, index);
      return flat;
    },
  };
}
