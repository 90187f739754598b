/** Overlays of the groups 60xx: one bit a pixel, drawn over the image (PS3.3 C.9.2). */
import { number, numbers, text } from "./imaging_tags.js";
import { unpacked } from "./imaging_pixels.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 *
 * @typedef {object} Overlay
 * @property {number} rows
 * @property {number} columns
 * @property {number} left column of the image its first lies on, from 0
 * @property {number} top
 * @property {string} label
 * @property {Uint8Array} bits one byte a pixel, 0 or 1
 */

const INK = [255, 214, 64, 255];

/**
 * The groups of the overlays in an object.
 * @param {Dataset} dataset
 */
export function overlayGroups(dataset) {
  const groups = Array.from({ length: 16 }, (_, index) => `60${(index * 2).toString(16).padStart(2, "0").toUpperCase()}`);
  return groups.filter((group) => dataset[`${group}3000`] && number(dataset, `${group}0010`, 0) > 0 && number(dataset, `${group}0011`, 0) > 0);
}

/**
 * The overlays of one frame.
 * @param {import("./types_imaging.js").Frame} frame
 * @param {import("./imaging_pixels.js").ReadBytes} read
 * @returns {Promise<Overlay[]>}
 */
export async function overlaysOf({ dataset, number: frame }, read) {
  const found = await Promise.all(overlayGroups(dataset).map((group) => one(dataset, group, frame, read)));
  return found.filter((at) => at !== null);
}

/**
 * @param {Dataset} dataset
 * @param {string} group
 * @param {number} frame from 1
 * @param {import("./imaging_pixels.js").ReadBytes} read
 * @returns {Promise<Overlay | null>}
 */
async function one(dataset, group, frame, read) {
  const [rows, columns] = [number(dataset, `${group}0010`, 0), number(dataset, `${group}0011`, 0)];
  const plane = frame - number(dataset, `${group}0051`, 1);
  const planes = number(dataset, `${group}0015`, 1);
  const of = planes > 1 ? plane : 0;
  if (of < 0 || of >= planes) return null;
  const bytes = await read(dataset[`${group}3000`]);
  if (!bytes || bytes.length * 8 < rows * columns * (of + 1)) return null;
  const all = unpacked(bytes, rows * columns * (of + 1));
  const [top = 1, left = 1] = numbers(dataset, `${group}0050`);
  const label = text(dataset, `${group}1500`) || text(dataset, `${group}0022`);
  return { rows, columns, left: left - 1, top: top - 1, label, bits: all.subarray(rows * columns * of) };
}

/**
 * An overlay as a picture, clear where it has no bit.
 * @param {Overlay} overlay
 */
export function overlayPicture({ rows, columns, bits }) {
  const picture = new OffscreenCanvas(columns, rows);
  const context = picture.getContext("2d");
  const image = new ImageData(columns, rows);
  bits.forEach((bit, index) => bit && image.data.set(INK, index * 4));
  context?.putImageData(image, 0, 0);
  return picture;
}
