/** From level-0 pixels to the screen and back, however the slide is turned and mirrored. */

/** @typedef {import("./annotation_types.js").Place} Place */
/** @typedef {{a: number, b: number, c: number, d: number, e: number, f: number}} Frame as a canvas takes it */

/**
 * As the slide is drawn now; `a` to `f` turn level-0 pixels into CSS pixels of the stage.
 * @param {import("./microscope.js").Microscope} microscope
 * @param {boolean} [now] else as it will be when the animation has ended
 * @returns {Frame}
 */
export function frameOf(microscope, now = true) {
  const { viewport, slide } = microscope;
  const unit = slide.width;
  const corner = viewport.pixelFromPoint(new OpenSeadragon.Point(0, 0), now);
  const right = viewport.pixelFromPoint(new OpenSeadragon.Point(1, 0), now).minus(corner);
  const down = viewport.pixelFromPoint(new OpenSeadragon.Point(0, 1), now).minus(corner);
  const frame = { a: right.x / unit, b: right.y / unit, c: down.x / unit, d: down.y / unit, e: corner.x, f: corner.y };
  if (!viewport.getFlip()) return frame;
  const width = viewport.getContainerSize().x;
  return { ...frame, a: -frame.a, c: -frame.c, e: width - frame.e };
}

/** @param {Frame} frame @param {Place} place @returns {Place} */
export function toScreen({ a, b, c, d, e, f }, [x, y]) {
  return [a * x + c * y + e, b * x + d * y + f];
}

/** @param {Frame} frame @param {Place} place @returns {Place} */
export function fromScreen({ a, b, c, d, e, f }, [x, y]) {
  const whole = a * d - b * c;
  return [(d * (x - e) - c * (y - f)) / whole, (a * (y - f) - b * (x - e)) / whole];
}

/** CSS pixels that a level-0 pixel takes. @param {Frame} frame */
export function scaleOf({ a, b }) {
  return Math.hypot(a, b);
}

/**
 * What is seen, in level-0 pixels.
 * @param {Frame} frame
 * @param {number} width
 * @param {number} height
 * @returns {import("./annotation_types.js").Box}
 */
export function seenBox(frame, width, height) {
  const corners = /** @type {Place[]} */ ([[0, 0], [width, 0], [0, height], [width, height]]).map((at) => fromScreen(frame, at));
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}
