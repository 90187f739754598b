/** What is drawn over the picture: the file's overlays, lengths, and the cross for the keyboard. */
import { lengthWords } from "./imaging_measure.js";
import { overlayPicture, overlaysOf } from "./imaging_overlay.js";
import { toStage } from "./imaging_view.js";

/**
 * @typedef {import("./imaging_stage.js").Stage} Stage
 * @typedef {import("./types_imaging.js").Point} Point
 */

const LINE = "#ffd640";
const SHADE = "rgb(0 0 0 / 75%)";

/** A canvas over the stage's, redrawn with it. */
export class Marks {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Stage} stage
   * @param {import("./imaging_measure.js").Lengths} lengths
   * @param {import("./imaging_pixels.js").ReadBytes} read
   */
  constructor(canvas, stage, lengths, read) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.stage = stage;
    this.lengths = lengths;
    this.read = read;
    this.showOverlays = true;
    /** @type {Point | null} in the image's pixels */
    this.cross = null;
    /** @type {{picture: OffscreenCanvas, left: number, top: number}[]} */
    this.overlays = [];
    stage.addEventListener("drawn", () => this.draw());
    lengths.addEventListener("change", () => this.draw());
  }

  /** Reads the overlays of the frame that is shown. */
  async update() {
    const { frame } = this.stage;
    const found = frame ? await overlaysOf(frame, this.read).catch(() => []) : [];
    if (frame !== this.stage.frame) return;
    this.overlays = found.map((overlay) => ({ picture: overlayPicture(overlay), left: overlay.left, top: overlay.top }));
    this.draw();
  }

  draw() {
    const { canvas, context, stage } = this;
    canvas.width = stage.canvas.width;
    canvas.height = stage.canvas.height;
    if (!stage.frame || !stage.pixels) return;
    if (this.showOverlays) this.#drawOverlays();
    context.setTransform(1, 0, 0, 1, 0, 0);
    for (const length of this.lengths.on(stage.frame)) this.#drawLength(length, stage.frame);
    if (this.cross) this.#drawCross(toStage(stage.matrix, this.cross));
  }

  #drawOverlays() {
    this.context.setTransform(...this.stage.matrix);
    this.context.imageSmoothingEnabled = false;
    for (const { picture, left, top } of this.overlays) this.context.drawImage(picture, left, top);
  }

  /**
   * @param {import("./imaging_measure.js").Length} length
   * @param {import("./types_imaging.js").Frame} frame
   */
  #drawLength(length, frame) {
    const [from, to] = [toStage(this.stage.matrix, length.from), toStage(this.stage.matrix, length.to)];
    this.#line(from, to);
    for (const end of [from, to]) this.#dot(end);
    this.#label(lengthWords(length, frame), from, to);
  }

  /** @param {Point} from @param {Point} to */
  #line(from, to) {
    for (const [colour, width] of /** @type {const} */ ([[SHADE, 4], [LINE, 1.5]])) {
      this.context.strokeStyle = colour;
      this.context.lineWidth = width * devicePixelRatio;
      this.context.beginPath();
      this.context.moveTo(from.x, from.y);
      this.context.lineTo(to.x, to.y);
      this.context.stroke();
    }
  }

  /** @param {Point} at */
  #dot({ x, y }) {
    this.context.fillStyle = LINE;
    this.context.beginPath();
    this.context.arc(x, y, 3 * devicePixelRatio, 0, 2 * Math.PI);
    this.context.fill();
  }

  /** @param {string} words @param {Point} from @param {Point} to */
  #label(words, from, to) {
    const { context } = this;
    context.font = `600 ${14 * devicePixelRatio}px system-ui, sans-serif`;
    const margin = 6 * devicePixelRatio;
    const width = context.measureText(words).width + 2 * margin;
    const height = 22 * devicePixelRatio;
    const right = from.x > to.x ? from : to;
    const left = Math.max(0, Math.min(right.x + 2 * margin, this.canvas.width - width));
    const top = Math.max(0, Math.min(right.y - height / 2, this.canvas.height - height));
    context.fillStyle = SHADE;
    context.fillRect(left, top, width, height);
    context.fillStyle = LINE;
    context.textBaseline = "middle";
    context.fillText(words, left + margin, top + height / 2);
  }

  /** @param {Point} at */
  #drawCross({ x, y }) {
    const arm = 14 * devicePixelRatio;
    this.#line({ x: x - arm, y }, { x: x + arm, y });
    this.#line({ x, y: y - arm }, { x, y: y + arm });
  }
}
