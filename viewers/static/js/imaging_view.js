/** How an image lies on the screen: the way from its pixels to the stage's and back. */

/**
 * @typedef {import("./types_imaging.js").View} View
 * @typedef {import("./types_imaging.js").Matrix} Matrix
 * @typedef {import("./types_imaging.js").Point} Point
 * @typedef {{columns: number, rows: number, aspect: number}} Size aspect: height of a pixel over its width
 * @typedef {{width: number, height: number}} Stage in device pixels
 */

const MOST_SCALE = 64;
const LEAST_SHOWN = 32;
const COS = [1, 0, -1, 0];
const SIN = [0, 1, 0, -1];

/**
 * The scale at which all of the image is seen.
 * @param {Size} size
 * @param {Stage} stage
 * @param {number} turns
 */
export function fitScale({ columns, rows, aspect }, { width, height }, turns) {
  const [across, down] = turns % 2 === 0 ? [columns, rows * aspect] : [rows * aspect, columns];
  return Math.min(width / across, height / down) || 1;
}

/**
 * The whole image in the middle; turned and mirrored as it was.
 * @param {Size} size
 * @param {Stage} stage
 * @param {View} view
 * @returns {View}
 */
export function fitted(size, stage, view) {
  return { ...view, scale: fitScale(size, stage, view.turns), x: 0, y: 0 };
}

/**
 * Closer or further away, with one place of the stage kept where it is.
 * @param {View} view
 * @param {number} factor
 * @param {Point} at from the middle of the stage
 * @param {Size} size
 * @returns {View}
 */
export function zoomed(view, factor, at, size) {
  const least = LEAST_SHOWN / Math.max(size.columns, size.rows * size.aspect);
  const scale = Math.min(MOST_SCALE, Math.max(least, view.scale * factor));
  const by = scale / view.scale;
  return { ...view, scale, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by };
}

/**
 * A quarter further; what is in the middle of the stage stays there.
 * @param {View} view
 * @param {number} quarters to the right
 * @returns {View}
 */
export function turned(view, quarters) {
  const step = ((quarters % 4) + 4) % 4;
  const [cos, sin] = [COS[step] ?? 1, SIN[step] ?? 0];
  return { ...view, turns: (view.turns + step) % 4, x: view.x * cos - view.y * sin, y: view.x * sin + view.y * cos };
}

/**
 * Mirrored as it is seen: left to right, or upside down.
 * @param {View} view
 * @param {boolean} [upside]
 * @returns {View}
 */
export function mirrored(view, upside = false) {
  const turns = upside ? (6 - view.turns) % 4 : (4 - view.turns) % 4;
  return { ...view, flipped: !view.flipped, turns, x: upside ? view.x : -view.x, y: upside ? -view.y : view.y };
}

/**
 * From the image's pixels (x column, y row, the first pixel's corner at 0, 0) to the stage's. It
 * begins on a whole pixel of the screen, so that one to one is exact.
 * @param {View} view
 * @param {Size} size
 * @param {Stage} stage
 * @returns {Matrix}
 */
export function matrixOf(view, { columns, rows, aspect }, stage) {
  const [cos, sin] = [COS[view.turns] ?? 1, SIN[view.turns] ?? 0];
  const across = view.flipped ? -view.scale : view.scale;
  const down = view.scale * aspect;
  /** @type {[number, number, number, number]} */
  const [a, b, c, d] = [cos * across, sin * across, -sin * down, cos * down];
  const e = stage.width / 2 + view.x - (a * columns + c * rows) / 2;
  const f = stage.height / 2 + view.y - (b * columns + d * rows) / 2;
  return [a, b, c, d, Math.round(e), Math.round(f)];
}

/**
 * @param {Matrix} matrix
 * @param {Point} at
 * @returns {Point}
 */
export function toStage([a, b, c, d, e, f], { x, y }) {
  return { x: a * x + c * y + e, y: b * x + d * y + f };
}

/**
 * @param {Matrix} matrix
 * @param {Point} at on the stage
 * @returns {Point} in the image's pixels
 */
export function toImage([a, b, c, d, e, f], { x, y }) {
  const determinant = a * d - b * c;
  return { x: (d * (x - e) - c * (y - f)) / determinant, y: (a * (y - f) - b * (x - e)) / determinant };
}
