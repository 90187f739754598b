/** Shapes as paths for a canvas, each made once. */
import { AREAS, boxOf, outlines } from "./annotation_shapes.js";

/** @typedef {import("./annotation_types.js").Content} Content */
/** @typedef {{path: Path2D, box: import("./annotation_types.js").Box}} Drawn */

/** @type {WeakMap<Content["parts"], Drawn>} */
const made = new WeakMap();

/** The path of a shape in level-0 pixels, and the box around it. @param {Pick<Content, "kind" | "parts">} shape @returns {Drawn} */
export function pathOf(shape) {
  const known = made.get(shape.parts);
  if (known) return known;
  const path = new Path2D();
  const closed = AREAS.includes(shape.kind);
  for (const ring of outlines(shape)) {
    ring.forEach(([x, y], at) => (at ? path.lineTo(x, y) : path.moveTo(x, y)));
    if (closed) path.closePath();
  }
  const drawn = { path, box: boxOf(shape) };
  made.set(shape.parts, drawn);
  return drawn;
}
