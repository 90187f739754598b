/**
 * From a scanner's RGB to sRGB by a table, the way `processing/colour_table.py` describes and
 * does it. No imports: it runs in a worker, and wherever a test wants it.
 */

const MAGIC = 0x54435653; // "SVCT"
const VERSION = 1;
const HEAD_BYTES = 16;
const VALUES = 256;
const UNIT = 65535;

/**
 * @typedef {object} ColourTable
 * @property {Uint32Array[]} corners of each channel: where in the grid a value's cell begins
 * @property {Float64Array[]} fractions of each channel: how far into the cell a value lies
 * @property {number[]} strides from a node to the next one along each channel
 * @property {Float32Array} grid linear light in units: red, green, blue of every node
 */

/**
 * @param {ArrayBuffer} bytes as `/api/v1/slides/{id}/colour-table` gives them
 * @returns {ColourTable}
 */
export function readTable(bytes) {
  const head = new DataView(bytes);
  if (bytes.byteLength < HEAD_BYTES || head.getUint32(0, true) !== MAGIC || head.getUint16(4, true) !== VERSION) {
    throw new Error("This is no colour table of a kind known here");
  }
  const nodes = head.getUint16(6, true);
  const low = head.getFloat32(8, true);
  const step = head.getFloat32(12, true);
  const strides = [3 * nodes * nodes, 3 * nodes, 3];
  const cells = new Uint8Array(bytes, HEAD_BYTES, 3 * VALUES);
  // Little-endian, as is every machine that has a browser.
  const parts = new Uint16Array(bytes, HEAD_BYTES + 3 * VALUES, 3 * VALUES);
  const words = new Uint16Array(bytes, HEAD_BYTES + 9 * VALUES, 3 * nodes ** 3);
  const grid = new Float32Array(words.length);
  for (let at = 0; at < grid.length; at += 1) grid[at] = (low + step * (words[at] ?? 0)) * UNIT;
  const channels = strides.map((_, channel) => channel * VALUES);
  return {
    strides,
    corners: channels.map((at, channel) => Uint32Array.from(cells.subarray(at, at + VALUES), (cell) => cell * (strides[channel] ?? 0))),
    fractions: channels.map((at) => Float64Array.from(parts.subarray(at, at + VALUES), (part) => part / UNIT)),
    grid,
  };
}

/** sRGB of every unit of linear light. */
const ENCODED = Uint8Array.from({ length: UNIT + 1 }, (_, unit) => {
  const light = unit / UNIT;
  const curve = light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055;
  return Math.floor(curve * 255 + 0.5);
});

/** @param {number} light in units, not clipped */
function shown(light) {
  return ENCODED[light <= 0 ? 0 : light >= UNIT ? UNIT : (light + 0.5) | 0] ?? 0;
}

/**
 * In place: red, green, blue, alpha a pixel; alpha stays. Tetrahedral interpolation: from the
 * cell's corner along the channel that is furthest in, then the next, then the last.
 * @param {ColourTable} table
 * @param {Uint8ClampedArray} pixels
 */
export function applyTable({ corners, fractions, strides, grid }, pixels) {
  const [reds, greens, blues] = /** @type {[Uint32Array, Uint32Array, Uint32Array]} */ (corners);
  const [redParts, greenParts, blueParts] = /** @type {[Float64Array, Float64Array, Float64Array]} */ (fractions);
  const [red, green, blue] = /** @type {[number, number, number]} */ (strides);
  for (let at = 0; at < pixels.length; at += 4) {
    const r = pixels[at] ?? 0;
    const g = pixels[at + 1] ?? 0;
    const b = pixels[at + 2] ?? 0;
    const x = redParts[r] ?? 0;
    const y = greenParts[g] ?? 0;
    const z = blueParts[b] ?? 0;
    const first = (reds[r] ?? 0) + (greens[g] ?? 0) + (blues[b] ?? 0);
    let most = x;
    let middle = y;
    let least = z;
    let second = red;
    let third = green;
    if (x < y) [most, middle, second, third] = [y, x, green, red];
    if (z > most) [most, middle, least, second, third] = [z, most, middle, blue, second];
    else if (z > middle) [middle, least, third] = [z, middle, blue];
    second += first;
    third += second;
    const last = first + red + green + blue;
    for (let channel = 0; channel < 3; channel += 1) {
      const a = grid[first + channel] ?? 0;
      const c = grid[second + channel] ?? 0;
      const d = grid[third + channel] ?? 0;
      const e = grid[last + channel] ?? 0;
      pixels[at + channel] = shown(a + most * (c - a) + middle * (d - c) + least * (e - d));
    }
  }
}
