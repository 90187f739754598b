/** From a decoded frame to pixels: grey with units, or colour. */
import { entriesOf, paletteOf, rgbaOf, rgbaOf422, rgbaOfPalette } from "./imaging_colour.js";
import { items, number, numbers, text } from "./imaging_tags.js";
import { rescaleOf } from "./imaging_values.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 * @typedef {import("./types_imaging.js").Pixels} Pixels
 * @typedef {import("./types_imaging.js").Grey} Grey
 * @typedef {import("./types_imaging.js").Lut} Lut
 * @typedef {Grey["stored"]} Stored
 * @typedef {(attribute: import("./types_imaging.js").Element | undefined) => Promise<Uint8Array | null>} ReadBytes
 *
 * @typedef {object} Decoded what the decoder hands back
 * @property {Stored} pixelData
 * @property {number} [interleaveMode] of JPEG-LS: 0 is by plane
 */

/** Decoders that give RGB whatever the file was in. */
const GIVES_RGB = /^1\.2\.840\.10008\.1\.2\.4\.(50|51)$/;
const JPEG_LS = /^1\.2\.840\.10008\.1\.2\.4\.8[01]$/;
const NATIVE = /^1\.2\.840\.10008\.1\.2(\.1(\.98|\.99)?|\.2)?$/;

/**
 * @param {Decoded} decoded
 * @param {Dataset} dataset of the frame
 * @param {string} syntax
 * @param {ReadBytes} read
 * @returns {Promise<Pixels>}
 */
export async function pixelsOf(decoded, dataset, syntax, read) {
  const [rows, columns] = [number(dataset, "00280010", 0), number(dataset, "00280011", 0)];
  const photometric = text(dataset, "00280004");
  const stored = decoded.pixelData;
  const count = rows * columns;
  if (photometric === "PALETTE COLOR") {
    enough(stored.length, count);
    return { kind: "colour", rows, columns, rgba: rgbaOfPalette(stored, count, await paletteOf(dataset, read)) };
  }
  if (number(dataset, "00280002", 1) >= 3) {
    return { kind: "colour", rows, columns, rgba: colours(decoded, dataset, syntax, count) };
  }
  return await grey(stored, dataset, { rows, columns }, read);
}

/**
 * @param {Decoded} decoded
 * @param {Dataset} dataset
 * @param {string} syntax
 * @param {number} count
 */
function colours({ pixelData, interleaveMode }, dataset, syntax, count) {
  const photometric = text(dataset, "00280004");
  if (photometric === "YBR_FULL_422" && NATIVE.test(syntax) && pixelData.length < 3 * count) {
    enough(pixelData.length, 2 * count);
    return rgbaOf422(pixelData, count);
  }
  enough(pixelData.length, 3 * count);
  const planar = NATIVE.test(syntax) ? number(dataset, "00280006", 0) === 1 : JPEG_LS.test(syntax) && interleaveMode === 0;
  const ybr = (photometric === "YBR_FULL" || photometric === "YBR_FULL_422") && !GIVES_RGB.test(syntax);
  const most = number(dataset, "00280100", 8) > 8 ? 2 ** number(dataset, "00280101", 16) - 1 : 255;
  return rgbaOf(pixelData, count, { planar, ybr, most });
}

/**
 * @param {Stored} decoded
 * @param {Dataset} dataset
 * @param {{rows: number, columns: number}} size
 * @param {ReadBytes} read
 * @returns {Promise<Grey>}
 */
async function grey(decoded, dataset, { rows, columns }, read) {
  const count = rows * columns;
  const stored = number(dataset, "00280100", 16) === 1 ? unpacked(decoded, count) : masked(decoded, dataset);
  enough(stored.length, count);
  const padding = paddingOf(dataset);
  const [low, high] = extent(stored, count, padding);
  const inverted = text(dataset, "00280004") === "MONOCHROME1" || text(dataset, "20500020") === "INVERSE";
  const [table = null] = await lutsOf(dataset, "00283000", read);
  return { kind: "grey", rows, columns, stored, low, high, padding, ...rescaleOf(dataset), table, inverted };
}

/**
 * The tables of a modality (00283000) or of windows (00283010); PS3.3 C.11.1.1, C.11.2.1.1.
 * @param {Dataset} dataset
 * @param {string} tag
 * @param {ReadBytes} read
 * @returns {Promise<Lut[]>}
 */
export async function lutsOf(dataset, tag, read) {
  return Promise.all(
    items(dataset, tag).map(async (item) => {
      const [length = 0, first = 0, bits = 16] = numbers(item, "00283002");
      const bytes = await read(item["00283006"]);
      if (!bytes) throw new Error("no table");
      return { first, bits, entries: entriesOf(bytes, length || 65536, bits) };
    }),
  );
}

/** One bit a pixel, the first in the lowest. @param {ArrayLike<number>} bytes @param {number} count */
export function unpacked(bytes, count) {
  enough(bytes.length * 8, count);
  return Uint8Array.from({ length: count }, (_, index) => ((bytes[index >> 3] ?? 0) >> (index & 7)) & 1);
}

/** Bits above those of the image may hold an old overlay. @param {Stored} stored @param {Dataset} dataset */
function masked(stored, dataset) {
  const bits = number(dataset, "00280101", 0);
  const most = 2 ** bits - 1;
  if (number(dataset, "00280103", 0) !== 0 || bits < 1 || bits > 16 || !stored.some((value) => value > most)) return stored;
  return /** @type {Stored} */ (stored.map((value) => value & most));
}

/** @param {Dataset} dataset @returns {[number, number] | null} */
function paddingOf(dataset) {
  const value = number(dataset, "00280120", null);
  if (value === null) return null;
  const signed = number(dataset, "00280103", 0) === 1;
  const half = 2 ** (number(dataset, "00280100", 16) - 1);
  const asStored = (/** @type {number} */ at) => (signed && at >= half ? at - 2 * half : at);
  const ends = [asStored(value), asStored(number(dataset, "00280121", value))];
  return [Math.min(...ends), Math.max(...ends)];
}

/** @param {Stored} stored @param {number} count @param {[number, number] | null} padding @returns {[number, number]} */
function extent(stored, count, padding) {
  let [low, high] = [Infinity, -Infinity];
  for (let index = 0; index < count; index += 1) {
    const value = Number(stored[index]);
    if (padding && value >= padding[0] && value <= padding[1]) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}

/** @param {number} there @param {number} wanted */
function enough(there, wanted) {
  if (there < wanted || wanted === 0) throw new RangeError("fewer pixels than rows and columns say");
}
