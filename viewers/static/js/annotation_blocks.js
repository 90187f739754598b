/** What the server sends of a group as numbers: where blocks lie, and outlines as paths. */
import { scaleOf } from "./annotation_frame.js";
import { meet } from "./annotation_shapes.js";

/** @typedef {import("./annotation_types.js").Group} Group */

const HEAD_BYTES = 32;

/** The numbers of the blocks that may be seen. @param {Group} group @param {import("./annotation_types.js").Box} seen */
export function blocksIn(group, seen) {
  /** @type {number[]} */
  const found = [];
  group.blocks.forEach(([, left, top, right, bottom], number) => {
    if (meet(seen, { left, top, right, bottom })) found.push(number);
  });
  return found;
}

/** Where each block's members begin among all. @param {Group} group */
export function startsOf(group) {
  let sum = 0;
  return group.blocks.map(([count]) => (sum += count) - count);
}

/**
 * About how large a member is on the screen: half of how far they lie apart where they lie densest.
 * @param {Group[]} groups
 * @param {import("./annotation_frame.js").Frame} frame
 */
export function sizeOf(groups, frame) {
  const apart = groups.flatMap(({ blocks }) => blocks.map(([count, left, top, right, bottom]) => Math.sqrt(((right - left) * (bottom - top)) / count)));
  return (Math.min(...apart) / 2) * scaleOf(frame);
}

/**
 * All outlines of a block as one path, in level-0 pixels.
 * @param {ArrayBuffer} data as `viewers.annotations_read.outlines` packs it
 */
export function pathOf(data) {
  const view = new DataView(data);
  const [count, rings, points] = [0, 4, 8].map((at) => view.getUint32(at, true));
  const [left, top] = [view.getFloat64(16, true), view.getFloat64(24, true)];
  const lengths = new Uint32Array(data, HEAD_BYTES + 4 * (count ?? 0), rings);
  const places = new Float32Array(data, HEAD_BYTES + 4 * ((count ?? 0) + (rings ?? 0)), 2 * (points ?? 0));
  const path = new Path2D();
  let at = 0;
  for (const length of lengths) {
    for (let end = at + length, begin = at; at < end; at += 1) {
      const [x, y] = [left + (places[2 * at] ?? 0), top + (places[2 * at + 1] ?? 0)];
      if (at === begin) path.moveTo(x, y);
      else path.lineTo(x, y);
    }
    path.closePath();
  }
  return path;
}
