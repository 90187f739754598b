/**
 * Drawing: point, rectangle, polygon, text. A drag still moves the slide (but draws a rectangle),
 * the wheel still zooms; Space sets a corner in the middle of the field, for those without a mouse.
 */
import { fromScreen, frameOf, toScreen } from "./annotation_frame.js";
import { NO_COLOUR, paintShape } from "./annotation_layer.js";

/** @typedef {import("./annotation_types.js").Place} Place */
/** @typedef {import("./annotation_types.js").Kind} Kind */
/** @typedef {"point" | "rectangle" | "polygon" | "text"} Tool */

const NEAR_PX = 8;

/** Fires `change` when another tool is taken or a corner is set. */
export class AnnotationTools extends EventTarget {
  /**
   * @param {import("./annotation_layer.js").AnnotationLayer} layer
   * @param {(kind: Tool, ring: Place[]) => void} done
   */
  constructor(layer, done) {
    super();
    this.layer = layer;
    this.microscope = layer.microscope;
    this.done = done;
    /** @type {Tool | null} */
    this.tool = null;
    /** @type {Place[]} */
    this.ring = [];
    /** Where the pointer is, in level-0 pixels. @type {Place | null} */
    this.cursor = null;
    layer.above.push((context, frame) => this.#paint(context, frame));
  }

  /** @param {Tool | null} tool the same once more puts it away */
  take(tool) {
    this.tool = tool === this.tool ? null : tool;
    this.ring = [];
    this.#tell();
  }

  /** A corner, a point, the end. @param {Place} place level-0 pixels @param {boolean} [exact] set by key: never closes */
  set(place, exact = false) {
    const { tool } = this;
    if (tool === "point" || tool === "text") this.done(tool, [place]);
    else if (tool === "rectangle") this.#corner(place);
    else if (tool === "polygon") {
      const [first] = this.ring;
      if (!exact && first && this.ring.length > 2 && this.#near(first, place)) return this.finish();
      const last = this.ring.at(-1);
      if (!last || !this.#near(last, place, 3)) this.ring.push(place);
    }
    this.#tell();
  }

  /** @param {Place} place */
  #corner(place) {
    const [from] = this.ring;
    if (!from) this.ring = [place];
    else if (!this.#near(from, place, 3)) this.rectangle(from, place);
  }

  /** @param {Place} from @param {Place} to */
  rectangle(from, to) {
    this.ring = [];
    this.done("rectangle", corners(from, to));
    this.#tell();
  }

  /** Close the polygon, if it is one. */
  finish() {
    if (this.tool !== "polygon" || this.ring.length < 3) return;
    const { ring } = this;
    this.ring = [];
    this.done("polygon", ring);
    this.#tell();
  }

  /** Take the last corner back. */
  back() {
    this.ring.pop();
    this.#tell();
  }

  /** Thought better of it: the corners first, then the tool. @returns {boolean} whether there was something */
  cancel() {
    if (!this.tool) return false;
    if (this.ring.length) this.ring = [];
    else this.tool = null;
    this.#tell();
    return true;
  }

  /** @param {Place | null} place */
  hover(place) {
    this.cursor = place;
    if (this.tool && this.ring.length) this.layer.paint();
  }

  /** The place in the middle of the field. @returns {Place} */
  middle() {
    const { x, y } = this.microscope.viewport.getContainerSize();
    return fromScreen(frameOf(this.microscope), [x / 2, y / 2]);
  }

  /** @param {Place} one @param {Place} other */
  #near(one, other, most = NEAR_PX) {
    const frame = frameOf(this.microscope);
    const [[ax, ay], [bx, by]] = [toScreen(frame, one), toScreen(frame, other)];
    return Math.hypot(ax - bx, ay - by) <= most;
  }

  /** @param {CanvasRenderingContext2D} context @param {import("./annotation_frame.js").Frame} frame */
  #paint(context, frame) {
    if (!this.tool) return;
    const ring = this.cursor ? [...this.ring, this.cursor] : this.ring;
    const [first, last] = [this.ring[0], ring.at(-1)];
    if (first && last && ring.length > 1) {
      const outline = this.tool === "rectangle" ? corners(first, last) : ring;
      const kind = this.tool === "rectangle" ? "rectangle" : "polyline";
      paintShape(context, frame, { kind, parts: [[outline]] }, { colour: NO_COLOUR, chosen: true, dashed: true });
    }
    if (this.ring.length) paintShape(context, frame, { kind: "multipoint", parts: [[this.ring]] }, { colour: NO_COLOUR });
    if (!this.cursor) this.#cross(context);
  }

  /** Where Space sets a corner. @param {CanvasRenderingContext2D} context */
  #cross(context) {
    const { x, y } = this.microscope.viewport.getContainerSize();
    const cross = new Path2D(`M${x / 2 - 12} ${y / 2}h24M${x / 2} ${y / 2 - 12}v24`);
    for (const [colour, wide] of /** @type {const} */ ([["#fff", 4], [`#${NO_COLOUR}`, 2]])) {
      Object.assign(context, { strokeStyle: colour, lineWidth: wide });
      context.stroke(cross);
    }
  }

  #tell() {
    this.layer.paint();
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {Place} from @param {Place} to @returns {Place[]} */
function corners([ax, ay], [bx, by]) {
  const [left, right, top, bottom] = [Math.min(ax, bx), Math.max(ax, bx), Math.min(ay, by), Math.max(ay, by)];
  return [[left, top], [right, top], [right, bottom], [left, bottom]];
}
