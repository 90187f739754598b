/** The stage: one picture, drawn with its window where the view says. */
import { matrixOf, fitted } from "./imaging_view.js";
import { paintColour, paintGrey } from "./imaging_paint.js";
import { aspectOf } from "./imaging_spacing.js";
import { Tones } from "./imaging_tones.js";

/**
 * @typedef {import("./types_imaging.js").Frame} Frame
 * @typedef {import("./types_imaging.js").Pixels} Pixels
 * @typedef {import("./types_imaging.js").Lut} Lut
 * @typedef {import("./types_imaging.js").View} View
 */

const CRISP_FROM = 4;

/** Draws; `drawn` events say that what is seen has changed. */
export class Stage extends EventTarget {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    super();
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    /** @type {Frame | null} */
    this.frame = null;
    /** @type {Pixels | null} */
    this.pixels = null;
    /** @type {Lut[]} */
    this.tables = [];
    /** @type {View} */
    this.view = { scale: 1, x: 0, y: 0, turns: 0, flipped: false };
    this.isFitted = true;
    this.inverted = false;
    this.tones = new Tones();
    this.picture = new OffscreenCanvas(1, 1);
    this.painted = "";
    this.waiting = false;
    new ResizeObserver(() => this.#resize()).observe(canvas);
  }

  /**
   * @param {Frame} frame
   * @param {Pixels} pixels
   * @param {Lut[]} tables of windows in the file
   */
  show(frame, pixels, tables) {
    const before = this.pixels;
    this.frame = frame;
    this.pixels = pixels;
    this.tables = tables;
    this.repaint();
    if (this.isFitted || before?.rows !== pixels.rows || before.columns !== pixels.columns) this.fit();
  }

  /** Its window may be another now. */
  repaint() {
    this.painted = "";
    if (this.frame && this.pixels?.kind === "grey") this.tones.update(this.frame.dataset, this.pixels, this.tables);
    this.draw();
  }

  /** Nothing is shown, as when another series opens. */
  clear() {
    this.frame = this.pixels = null;
    this.tones = new Tones();
    this.inverted = false;
    this.view = { ...this.view, turns: 0, flipped: false };
    this.isFitted = true;
    this.draw();
  }

  get size() {
    const { columns = 1, rows = 1 } = this.pixels ?? {};
    return { columns, rows, aspect: this.frame ? aspectOf(this.frame.dataset) : 1 };
  }

  get matrix() {
    return matrixOf(this.view, this.size, this.canvas);
  }

  /** @param {View} view */
  setView(view) {
    this.view = view;
    this.isFitted = false;
    this.draw();
  }

  fit() {
    this.view = fitted(this.size, this.canvas, this.view);
    this.isFitted = true;
    this.draw();
  }

  /** Draws at the next screen refresh, once. */
  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.#drawNow();
      this.dispatchEvent(new Event("drawn"));
    });
  }

  #resize() {
    const { width, height } = this.canvas.getBoundingClientRect();
    this.canvas.width = Math.max(1, Math.round(width * devicePixelRatio));
    this.canvas.height = Math.max(1, Math.round(height * devicePixelRatio));
    if (this.isFitted) this.fit();
    this.draw();
  }

  #drawNow() {
    const { context, canvas, pixels } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!pixels) return;
    this.#paint(pixels);
    context.setTransform(...this.matrix);
    context.imageSmoothingEnabled = this.view.scale < CRISP_FROM;
    context.imageSmoothingQuality = this.view.scale < 1 ? "high" : "low";
    context.drawImage(this.picture, 0, 0);
  }

  /** The picture in its own pixels; made anew when it or its window is another. @param {Pixels} pixels */
  #paint(pixels) {
    const shown = pixels.kind === "grey" ? this.tones.shown : null;
    const wanted = JSON.stringify([this.inverted, shown && ("entries" in shown ? this.tones.key : shown)]);
    if (this.painted === wanted) return;
    this.painted = wanted;
    if (this.picture.width !== pixels.columns || this.picture.height !== pixels.rows) this.picture = new OffscreenCanvas(pixels.columns, pixels.rows);
    const image = new ImageData(pixels.columns, pixels.rows);
    if (pixels.kind === "grey" && shown) paintGrey(pixels, shown, this.inverted, image);
    else if (pixels.kind === "colour") paintColour(pixels.rgba, this.inverted, image);
    this.picture.getContext("2d")?.putImageData(image, 0, 0);
  }
}
