/** Annotations drawn over the slide: a canvas that follows every move, and takes no pointer. */
import { h } from "./dom.js";
import { frameOf, scaleOf, seenBox, toScreen } from "./annotation_frame.js";
import { pathOf } from "./annotation_path.js";
import { AREAS, DOTS, meet } from "./annotation_shapes.js";
import { element } from "./page.js";

/** @typedef {import("./annotation_types.js").Content} Content */
/** @typedef {import("./annotation_types.js").Annotation} Annotation */
/** @typedef {import("./annotation_frame.js").Frame} Frame */
/** @typedef {(context: CanvasRenderingContext2D, frame: Frame, seen: import("./annotation_types.js").Box) => void} Painter */

export const NO_COLOUR = "1E88E5";
const CASING = "rgb(255 255 255 / 85%)";
const DOT_PX = 6;

/** The canvas, and who paints on it beside the single annotations. */
export class AnnotationLayer {
  /** @param {import("./microscope.js").Microscope} microscope @param {import("./annotation_store.js").AnnotationStore} store */
  constructor(microscope, store) {
    this.microscope = microscope;
    this.store = store;
    this.canvas = h("canvas", { class: "annotation-layer", "aria-hidden": "true" });
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    /** Painted below the single ones. @type {Painter[]} */
    this.below = [];
    /** And above them. @type {Painter[]} */
    this.above = [];
    /** @type {Map<string, Pick<Content, "kind" | "parts">>} shapes that are being moved */
    this.moved = new Map();
    element("canvas").after(this.canvas);
    for (const event of /** @type {const} */ (["update-viewport", "resize", "flip", "rotate", "open"])) {
      microscope.viewer.addHandler(event, () => this.paint());
    }
    store.addEventListener("change", () => this.paint());
  }

  /** Before the first tile there is nothing to draw over. */
  paint() {
    const { viewport } = this.microscope;
    if (!viewport) return;
    const { x: width, y: height } = viewport.getContainerSize();
    const ratio = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    }
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, width, height);
    const frame = frameOf(this.microscope);
    const seen = seenBox(frame, width, height);
    if (!this.store.hidden) {
      for (const painter of this.below) painter(this.context, frame, seen);
      for (const item of this.store.items.values()) if (item.annotation_id !== this.store.selected) this.#item(item, frame, seen);
      const { chosen } = this.store;
      if (chosen) this.#item(chosen, frame, seen);
    }
    for (const painter of this.above) painter(this.context, frame, seen);
  }

  /** The shape as it is shown now. @param {Annotation} item @returns {Pick<Content, "kind" | "parts">} */
  shapeOf(item) {
    return this.moved.get(item.annotation_id) ?? item;
  }

  /** @param {Annotation} item @param {Frame} frame @param {import("./annotation_types.js").Box} seen */
  #item(item, frame, seen) {
    const shape = this.shapeOf(item);
    const { box } = pathOf(shape);
    const margin = 40 / scaleOf(frame);
    if (!meet(seen, { left: box.left - margin, right: box.right + margin, top: box.top - margin, bottom: box.bottom + margin })) return;
    const chosen = item.annotation_id === this.store.selected;
    const unsaved = this.store.saving.troubles.has(item.annotation_id);
    paintShape(this.context, frame, shape, { colour: item.colour, chosen, dashed: unsaved });
    if (item.kind === "text" || (chosen && item.text && DOTS.includes(item.kind))) this.#words(item, frame);
  }

  /** @param {Annotation} item @param {Frame} frame */
  #words(item, frame) {
    const place = item.parts[0]?.[0]?.[0];
    if (!place) return;
    const [x, y] = toScreen(frame, place);
    const { context } = this;
    const line = item.text.trim().split("\n")[0] ?? "";
    const words = line.length > 60 ? `${line.slice(0, 59)}…` : line;
    context.font = `600 13px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    const wide = context.measureText(words).width;
    context.fillStyle = "rgb(13 16 20 / 86%)";
    context.fillRect(x + 10, y - 11, wide + 12, 22);
    context.fillStyle = "#f0f3f6";
    context.fillText(words, x + 16, y + 0.5);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Frame} frame
 * @param {Pick<Content, "kind" | "parts">} shape
 * @param {{colour: string, chosen?: boolean, dashed?: boolean}} style
 */
export function paintShape(context, frame, shape, { colour, chosen = false, dashed = false }) {
  const ink = `#${colour || NO_COLOUR}`;
  if (DOTS.includes(shape.kind)) return paintDots(context, frame, shape, ink, chosen);
  const scale = scaleOf(frame);
  context.save();
  context.transform(frame.a, frame.b, frame.c, frame.d, frame.e, frame.f);
  const { path } = pathOf(shape);
  if (AREAS.includes(shape.kind)) {
    context.fillStyle = `${ink}${chosen ? "1f" : "14"}`;
    context.fill(path, "evenodd");
  }
  context.lineJoin = "round";
  context.strokeStyle = CASING;
  context.lineWidth = (chosen ? 6 : 4) / scale;
  context.stroke(path);
  context.strokeStyle = ink;
  context.lineWidth = (chosen ? 3.5 : 2) / scale;
  if (dashed) context.setLineDash([6 / scale, 5 / scale]);
  context.stroke(path);
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {Frame} frame @param {Pick<Content, "kind" | "parts">} shape @param {string} ink @param {boolean} chosen */
function paintDots(context, frame, shape, ink, chosen) {
  for (const place of shape.parts.flat(2)) {
    const [x, y] = toScreen(frame, place);
    context.beginPath();
    context.arc(x, y, chosen ? DOT_PX + 2 : DOT_PX, 0, 2 * Math.PI);
    context.fillStyle = ink;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = CASING;
    context.stroke();
  }
}
