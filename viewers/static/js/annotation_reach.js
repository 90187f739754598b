/** Bringing an annotation into the field. */
import { frameOf, toScreen } from "./annotation_frame.js";

/** @typedef {import("./annotation_types.js").Box} Box */

/**
 * Into the middle of the field, unless it is seen well already.
 * @param {import("./microscope.js").Microscope} microscope
 * @param {Box} box level-0 pixels
 * @param {number} covered CSS pixels of the field's left that something lies over
 */
export function bringIntoView(microscope, box, covered) {
  const { viewport } = microscope;
  const { x: width, y: height } = viewport.getContainerSize();
  const room = Math.min(width - covered, height);
  let on = onScreen(microscope, box);
  const size = Math.max(on.right - on.left, on.bottom - on.top);
  const fits = size <= 0.9 * room && (size >= 12 || size === 0);
  if (fits && on.left >= covered && on.right <= width && on.top >= 0 && on.bottom <= height) return;
  if (!fits) {
    microscope.zoomBy(Math.min((0.5 * room) / size, 4 * microscope.view().downsample));
    on = onScreen(microscope, box);
  }
  const [right, down] = [(on.left + on.right - covered - width) / 2, (on.top + on.bottom - height) / 2];
  viewport.panBy(viewport.deltaPointsFromPixels(new OpenSeadragon.Point(viewport.getFlip() ? -right : right, down)));
  viewport.applyConstraints();
}

/** Where a box will be when the animation has ended. @param {import("./microscope.js").Microscope} microscope @param {Box} box @returns {Box} */
function onScreen(microscope, { left, top, right, bottom }) {
  const frame = frameOf(microscope, false);
  const corners = /** @type {import("./annotation_types.js").Place[]} */ ([[left, top], [right, top], [left, bottom], [right, bottom]]).map((at) => toScreen(frame, at));
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}
