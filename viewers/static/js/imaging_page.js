/** What the parts of the radiology page share: the stage, the series, the tool, and what is under the pointer. */
import { Decoders } from "./imaging_decode.js";
import { Marks } from "./imaging_marks.js";
import { Lengths } from "./imaging_measure.js";
import { Player } from "./imaging_player.js";
import { StudyReader } from "./imaging_read.js";
import { Stage } from "./imaging_stage.js";
import { rangeOf } from "./imaging_values.js";
import { rounded } from "./imaging_window.js";
import { toImage } from "./imaging_view.js";
import { element } from "./page.js";

/**
 * @typedef {import("./imaging_pointer.js").Tool} Tool
 * @typedef {import("./types_imaging.js").Point} Point
 */

/** `change` when the tool, the window or the point under the pointer is another. */
export class Page extends EventTarget {
  /**
   * @param {string} study
   * @param {AbortSignal} signal
   */
  constructor(study, signal) {
    super();
    this.study = study;
    this.signal = signal;
    this.reader = new StudyReader(study, signal);
    this.stage = new Stage(/** @type {HTMLCanvasElement} */ (element("picture")));
    this.lengths = new Lengths();
    this.marks = new Marks(/** @type {HTMLCanvasElement} */ (element("marks")), this.stage, this.lengths, (attribute) => this.reader.bytes(attribute));
    this.player = new Player(this.stage, this.marks, this.reader, new Decoders(signal));
    /** @type {Tool} */
    this.tool = "window";
    /** @type {Point | null} in the image's pixels */
    this.pointed = null;
  }

  /** @param {Tool} tool */
  setTool(tool) {
    this.tool = tool;
    if (tool !== "measure") this.#clearCross();
    this.changed();
  }

  /** The cross of the keyboard, in the middle of what is seen. */
  raiseCross() {
    const { canvas, matrix, frame } = this.stage;
    if (!frame) return;
    const middle = toImage(matrix, { x: canvas.width / 2, y: canvas.height / 2 });
    this.#setCross({ x: Math.round(middle.x), y: Math.round(middle.y) });
  }

  /** @param {number} across in the image's pixels @param {number} down */
  moveCross(across, down) {
    const { cross } = this.marks;
    const { columns, rows } = this.stage.size;
    if (!cross) return;
    this.#setCross({ x: Math.min(columns, Math.max(0, cross.x + across)), y: Math.min(rows, Math.max(0, cross.y + down)) });
    if (this.marks.cross) this.lengths.move(this.marks.cross);
  }

  /** Begins a length at the cross, or ends it there. */
  setPoint() {
    const { cross } = this.marks;
    if (!cross || !this.stage.frame) return;
    if (this.lengths.open) this.lengths.end();
    else this.lengths.begin(this.stage.frame, cross);
  }

  /** @param {Point} at */
  #setCross(at) {
    this.marks.cross = this.pointed = at;
    this.marks.draw();
    this.changed();
  }

  #clearCross() {
    this.marks.cross = null;
    this.lengths.undo(null);
    this.marks.draw();
  }

  /** What the pointer is on. @param {Point | null} at */
  point(at) {
    if (this.marks.cross && at) this.#clearCross();
    this.pointed = at;
    this.changed();
  }

  /** @param {import("./types_imaging.js").Window} window */
  setWindow(window) {
    const { pixels, tones } = this.stage;
    if (pixels?.kind !== "grey") return;
    const [low, high] = rangeOf(pixels);
    tones.set(rounded(window, high - low));
    this.stage.draw();
    this.changed();
  }

  /** One of the picture's own windows or presets. @param {string} key */
  chooseTone(key) {
    this.stage.tones.choose(key);
    this.stage.repaint();
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}
