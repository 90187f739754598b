/** Colours as a screen takes them: RGB, YBR, planes, palettes (PS3.3 C.7.6.3.1.2). */
import { numbers } from "./imaging_tags.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 * @typedef {import("./types_imaging.js").Lut} Lut
 * @typedef {{red: Lut, green: Lut, blue: Lut}} Palette
 */

/**
 * Samples to RGBA. `arranged` says how they lie and what they are.
 * @param {ArrayLike<number>} samples three a pixel, 0 to `most`
 * @param {number} pixels
 * @param {{planar: boolean, ybr: boolean, most: number}} arranged
 */
export function rgbaOf(samples, pixels, { planar, ybr, most }) {
  const rgba = new Uint8ClampedArray(pixels * 4);
  const [step, second, third] = planar ? [1, pixels, 2 * pixels] : [3, 1, 2];
  const scale = 255 / most;
  for (let pixel = 0, at = 0, to = 0; pixel < pixels; pixel += 1, at += step, to += 4) {
    const a = (samples[at] ?? 0) * scale;
    const b = (samples[at + second] ?? 0) * scale;
    const c = (samples[at + third] ?? 0) * scale;
    put(rgba, to, a, b, c, ybr);
  }
  return rgba;
}

/**
 * YBR_FULL_422 as it lies uncompressed: two luminances, then the two colour differences of both.
 * @param {ArrayLike<number>} samples
 * @param {number} pixels
 */
export function rgbaOf422(samples, pixels) {
  const rgba = new Uint8ClampedArray(pixels * 4);
  for (let pixel = 0, at = 0; pixel < pixels; pixel += 2, at += 4) {
    const blue = samples[at + 2] ?? 128;
    const red = samples[at + 3] ?? 128;
    put(rgba, pixel * 4, samples[at] ?? 0, blue, red, true);
    if (pixel + 1 < pixels) put(rgba, pixel * 4 + 4, samples[at + 1] ?? 0, blue, red, true);
  }
  return rgba;
}

/**
 * @param {Uint8ClampedArray} rgba
 * @param {number} to
 * @param {number} a red or luminance
 * @param {number} b
 * @param {number} c
 * @param {boolean} ybr
 */
function put(rgba, to, a, b, c, ybr) {
  rgba[to] = ybr ? a + 1.402 * (c - 128) : a;
  rgba[to + 1] = ybr ? a - 0.344136 * (b - 128) - 0.714136 * (c - 128) : b;
  rgba[to + 2] = ybr ? a + 1.772 * (b - 128) : c;
  rgba[to + 3] = 255;
}

/**
 * @param {ArrayLike<number>} indices one a pixel
 * @param {number} pixels
 * @param {Palette} palette
 */
export function rgbaOfPalette(indices, pixels, { red, green, blue }) {
  const rgba = new Uint8ClampedArray(pixels * 4);
  const [r, g, b] = [toBytes(red), toBytes(green), toBytes(blue)];
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    const index = Math.min(r.length - 1, Math.max(0, (indices[pixel] ?? 0) - red.first));
    rgba[pixel * 4] = r[index] ?? 0;
    rgba[pixel * 4 + 1] = g[index] ?? 0;
    rgba[pixel * 4 + 2] = b[index] ?? 0;
    rgba[pixel * 4 + 3] = 255;
  }
  return rgba;
}

/** Entries of 16 bits are shown by their upper half; some writers fill only the lower. @param {Lut} table */
function toBytes({ bits, entries }) {
  let most = 0;
  for (let index = 0; index < entries.length; index += 1) most = Math.max(most, entries[index] ?? 0);
  const shift = bits > 8 && most > 255 ? bits - 8 : 0;
  return Uint8Array.from(entries, (entry) => entry >> shift);
}

/**
 * The palette of an image. Errors: when it has none that can be read.
 * @param {Dataset} dataset
 * @param {(attribute: import("./types_imaging.js").Element | undefined) => Promise<Uint8Array | null>} read
 * @returns {Promise<Palette>}
 */
export async function paletteOf(dataset, read) {
  const one = async (/** @type {string} */ descriptor, /** @type {string} */ data) => {
    const [length = 0, first = 0, bits = 16] = numbers(dataset, descriptor);
    const bytes = await read(dataset[data]);
    if (!bytes) throw new Error("no palette");
    return { first, bits, entries: entriesOf(bytes, length || 65536, bits) };
  };
  const [red, green, blue] = await Promise.all([one("00281101", "00281201"), one("00281102", "00281202"), one("00281103", "00281203")]);
  return { red, green, blue };
}

/**
 * The entries of a table: words, or bytes where it is too short for words.
 * @param {Uint8Array} bytes little endian
 * @param {number} length
 * @param {number} bits
 */
export function entriesOf(bytes, length, bits) {
  if (bits <= 8 && bytes.length < 2 * length) return bytes.slice(0, length);
  if (bytes.length < 2 * length) throw new Error("table too short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint16Array.from({ length }, (_, index) => view.getUint16(index * 2, true));
}
