/** Arithmetic of shapes in level-0 pixels: boxes, areas, lengths, and what lies under a place. */

/** @typedef {import("./annotation_types.js").Content} Content */
/** @typedef {import("./annotation_types.js").Place} Place */
/** @typedef {import("./annotation_types.js").Ring} Ring */
/** @typedef {import("./annotation_types.js").Box} Box */

const STEPS = 64;
export const AREAS = ["polygon", "rectangle", "ellipse"];
export const DOTS = ["point", "multipoint", "text"];

/**
 * The rings to be drawn: an ellipse is told by the ends of its axes.
 * @param {Pick<Content, "kind" | "parts">} content
 * @returns {Ring[]}
 */
export function outlines({ kind, parts }) {
  const rings = parts.flat();
  return kind === "ellipse" && rings[0] ? [ellipseRing(rings[0])] : rings;
}

/** @param {Pick<Content, "kind" | "parts">} content @returns {Box} */
export function boxOf(content) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const ring of outlines(content)) {
    for (const [x, y] of ring) {
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y);
    }
  }
  return box;
}

/** @param {Box} one @param {Box} other */
export function meet(one, other) {
  return one.left <= other.right && other.left <= one.right && one.top <= other.bottom && other.top <= one.bottom;
}

/**
 * Square pixels; holes are taken off.
 * @param {Pick<Content, "kind" | "parts">} content
 */
export function areaOf(content) {
  if (!AREAS.includes(content.kind)) return 0;
  if (content.kind === "ellipse") return Math.abs(ringArea(outlines(content)[0] ?? []));
  return content.parts.reduce((sum, [outer = [], ...holes]) => sum + Math.abs(ringArea(outer)) - holes.reduce((all, hole) => all + Math.abs(ringArea(hole)), 0), 0);
}

/**
 * Along a line, or round an area's outside; pixels.
 * @param {Pick<Content, "kind" | "parts">} content
 */
export function lengthOf(content) {
  if (DOTS.includes(content.kind)) return 0;
  const closed = AREAS.includes(content.kind);
  const outer = content.kind === "ellipse" ? outlines(content) : content.parts.map(([ring = []]) => ring);
  return outer.reduce((sum, ring) => sum + ringLength(ring, closed), 0);
}

/**
 * How far a place is from the shape; 0 inside an area.
 * @param {Pick<Content, "kind" | "parts">} content
 * @param {Place} place
 */
export function distanceTo(content, place) {
  const rings = outlines(content);
  if (DOTS.includes(content.kind)) return Math.min(...rings.flat().map((at) => Math.hypot(at[0] - place[0], at[1] - place[1])));
  const closed = AREAS.includes(content.kind);
  if (closed && rings.filter((ring) => holds(ring, place)).length % 2) return 0;
  return Math.min(...rings.map((ring) => alongRing(ring, place, closed)));
}

/** @param {Ring} ring @param {Place} place */
function holds(ring, [x, y]) {
  let inside = false;
  let [ax, ay] = ring.at(-1) ?? [0, 0];
  for (const [bx, by] of ring) {
    if (by > y !== ay > y && x < ((ax - bx) * (y - by)) / (ay - by) + bx) inside = !inside;
    [ax, ay] = [bx, by];
  }
  return inside;
}

/** @param {Ring} ring @param {Place} place @param {boolean} closed */
function alongRing(ring, place, closed) {
  let least = Infinity;
  for (let at = closed ? 0 : 1; at < ring.length; at += 1) {
    const [from, to] = [ring.at(at - 1), ring[at]];
    if (from && to) least = Math.min(least, toSegment(place, from, to));
  }
  return least;
}

/** @param {Place} place @param {Place} from @param {Place} to */
function toSegment([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = dx || dy ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy))) : 0;
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

/** @param {Ring} ring */
function ringArea(ring) {
  let twice = 0;
  let [ax, ay] = ring.at(-1) ?? [0, 0];
  for (const [bx, by] of ring) {
    twice += ax * by - bx * ay;
    [ax, ay] = [bx, by];
  }
  return twice / 2;
}

/** @param {Ring} ring @param {boolean} closed */
function ringLength(ring, closed) {
  let sum = 0;
  for (let at = closed ? 0 : 1; at < ring.length; at += 1) {
    const [from, to] = [ring.at(at - 1), ring[at]];
    if (from && to) sum += Math.hypot(to[0] - from[0], to[1] - from[1]);
  }
  return sum;
}

/** @param {Ring} ends @returns {Ring} */
function ellipseRing([a = [0, 0], b = [0, 0], c = [0, 0], d = [0, 0]]) {
  const [x, y] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const [ux, uy, vx, vy] = [(b[0] - a[0]) / 2, (b[1] - a[1]) / 2, (d[0] - c[0]) / 2, (d[1] - c[1]) / 2];
  return Array.from({ length: STEPS }, (_, step) => {
    const [cos, sin] = [Math.cos((step * 2 * Math.PI) / STEPS), Math.sin((step * 2 * Math.PI) / STEPS)];
    return [x + cos * ux + sin * vx, y + cos * uy + sin * vy];
  });
}
