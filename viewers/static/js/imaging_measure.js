/** Lengths: drawn between two points, in mm where that is known, listed and taken away again. */
import { number } from "./format.js";
import { distance, spacingBetween } from "./imaging_spacing.js";

/**
 * @typedef {import("./types_imaging.js").Point} Point
 * @typedef {import("./types_imaging.js").Frame} Frame
 *
 * @typedef {object} Length
 * @property {string} on the frame it was drawn on
 * @property {Point} from in the image's pixels
 * @property {Point} to
 */

/** @param {Frame} frame */
export function frameKey({ sop, number: at }) {
  return `${sop}/${at}`;
}

/** The lengths of this visit; `change` events when there is one more or less. */
export class Lengths extends EventTarget {
  constructor() {
    super();
    /** @type {Length[]} */
    this.all = [];
    /** @type {Length | null} the one that is being drawn */
    this.open = null;
  }

  /** @param {Frame | null} frame */
  on(frame) {
    if (!frame) return [];
    const key = frameKey(frame);
    return [...this.all, ...(this.open ? [this.open] : [])].filter((at) => at.on === key);
  }

  /** @param {Frame} frame @param {Point} at */
  begin(frame, at) {
    this.open = { on: frameKey(frame), from: at, to: at };
    this.#changed();
  }

  /** @param {Point} to */
  move(to) {
    if (!this.open) return;
    this.open = { ...this.open, to };
    this.#changed();
  }

  /** The open one is done; one of no length is nothing. */
  end() {
    const { open } = this;
    if (open && (open.from.x !== open.to.x || open.from.y !== open.to.y)) this.all.push(open);
    this.open = null;
    this.#changed();
  }

  /** Gives up the open one, else takes away the last of a frame. @param {Frame | null} frame */
  undo(frame) {
    if (!this.open && frame) {
      const last = this.all.findLastIndex((at) => at.on === frameKey(frame));
      if (last >= 0) this.all.splice(last, 1);
    }
    this.open = null;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * `12,3 mm`, or `40 px` where the spacing is unknown; lengths at the detector say so.
 * @param {Length} length
 * @param {Frame} frame
 */
export function lengthWords({ from, to }, frame) {
  const spacing = spacingBetween(frame.dataset, from, to);
  const { mm, pixels } = distance(from, to, spacing);
  if (mm === null || spacing === null) return `${number(pixels, 1)} px`;
  return `${number(mm, mm < 10 ? 2 : 1)} mm${spacing.origin === "detector" ? " *" : ""}`;
}
