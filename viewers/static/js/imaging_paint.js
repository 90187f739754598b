/** Painting a picture's own pixels: greys by a window, colours as they are. */
import { isPadding } from "./imaging_values.js";

const BLACK = 0xff000000;
const GREY = 0x010101;

/**
 * @param {import("./types_imaging.js").Grey} grey
 * @param {(stored: number) => number} paint 0 to 255
 * @param {ImageData} image
 */
export function paintGrey(grey, paint, image) {
  const words = new Uint32Array(image.data.buffer);
  const { stored, padding } = grey;
  for (let index = 0; index < words.length; index += 1) {
    const value = stored[index] ?? 0;
    words[index] = padding && isPadding(grey, value) ? BLACK : BLACK | (paint(value) * GREY);
  }
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
