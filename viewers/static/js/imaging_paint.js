/** Painting a picture's own pixels: greys by a window, colours as they are. */
import { painterOf } from "./imaging_values.js";

/**
 * @typedef {import("./types_imaging.js").Grey} Grey
 * @typedef {import("./types_imaging.js").Lut} Lut
 * @typedef {import("./types_imaging.js").Window} Window
 */

const BLACK = 0xff000000;
const GREY = 0x010101;
const MOST_TABLE = 1 << 17;

/**
 * @param {Grey} grey
 * @param {Window | Lut} shown
 * @param {boolean} inverted
 * @param {ImageData} image
 */
export function paintGrey(grey, shown, inverted, image) {
  const paint = painterOf(grey, shown, inverted);
  const words = new Uint32Array(image.data.buffer);
  const { stored, low, high } = grey;
  const count = high - low + 1;
  if (stored instanceof Float32Array || count > MOST_TABLE) {
    for (let index = 0; index < words.length; index += 1) words[index] = BLACK | (paint(stored[index] ?? 0) * GREY);
    return;
  }
  // One look-up a pixel: a large X-ray has twelve million. Padding lies outside, or is black in it.
  const table = Uint32Array.from({ length: count }, (_, index) => BLACK | (paint(low + index) * GREY));
  for (let index = 0; index < words.length; index += 1) words[index] = table[Number(stored[index]) - low] ?? BLACK;
}

/**
 * @param {Uint8ClampedArray} rgba
 * @param {boolean} inverted
 * @param {ImageData} image
 */
export function paintColour(rgba, inverted, image) {
  image.data.set(rgba);
  if (!inverted) return;
  const words = new Uint32Array(image.data.buffer);
  for (let index = 0; index < words.length; index += 1) words[index] = (words[index] ?? 0) ^ 0xffffff;
}
