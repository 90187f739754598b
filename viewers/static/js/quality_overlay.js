/** A map of quality over the slide: one picture, drawn in one go with every move of the slide. */
import { frameOf, scaleOf } from "./annotation_frame.js";
import { h } from "./dom.js";
import { element } from "./page.js";

/** The canvas takes no pointer, and costs nothing while no map is shown. */
export class QualityOverlay {
  /** @param {import("./microscope.js").Microscope} microscope @param {import("./quality_store.js").QualityStore} store */
  constructor(microscope, store) {
    this.microscope = microscope;
    this.store = store;
    this.canvas = h("canvas", { class: "quality-layer", "aria-hidden": "true", hidden: true });
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    /** @type {HTMLImageElement | null} */
    this.image = null;
    element("canvas").after(this.canvas); // below the annotations
    for (const event of /** @type {const} */ (["update-viewport", "resize", "flip", "rotate", "open"])) {
      microscope.viewer.addHandler(event, () => this.canvas.hidden || this.#paint());
    }
    store.addEventListener("change", () => void this.#change());
  }

  async #change() {
    const map = this.store.map?.map;
    this.canvas.hidden = !map && !this.store.spot;
    if (map && this.image?.dataset.of !== map.address) {
      const image = h("img", { src: map.address, "data-of": map.address });
      this.image = image;
      await image.decode().catch(() => undefined);
      if (this.image !== image) return; // another one was asked for meanwhile
    }
    if (!this.canvas.hidden) this.#paint();
  }

  #paint() {
    const { viewport, slide } = this.microscope;
    const { x: width, y: height } = viewport.getContainerSize();
    const ratio = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    }
    const { context } = this;
    const frame = frameOf(this.microscope);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.save();
    context.transform(frame.a, frame.b, frame.c, frame.d, frame.e, frame.f);
    const map = this.store.map?.map;
    if (map && this.image?.dataset.of === map.address && this.image.naturalWidth > 0) {
      context.save();
      context.beginPath();
      context.rect(0, 0, slide.width, slide.height); // the last cells reach past the slide
      context.clip();
      context.imageSmoothingEnabled = false;
      context.drawImage(this.image, 0, 0, map.columns * map.cell, map.rows * map.cell);
      context.restore();
    }
    if (this.store.spot) mark(context, this.store.spot, scaleOf(frame));
    context.restore();
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./types_quality.js").Box} box
 * @param {number} scale
 */
function mark(context, [x, y, width, height], scale) {
  for (const [ink, line] of /** @type {const} */ ([["#ffffff", 4], ["#0d1014", 2]])) {
    context.strokeStyle = ink;
    context.lineWidth = line / scale;
    context.strokeRect(x, y, width, height);
  }
}
