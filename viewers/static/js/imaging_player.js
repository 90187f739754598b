/** The open series: which of its pictures is shown, the way to the others, and running through. */
import { Cine, rateOf } from "./imaging_cine.js";
import { StackLoader } from "./imaging_loader.js";
import { lutsOf } from "./imaging_pixels.js";
import { stackOf } from "./imaging_stack.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 * @typedef {import("./types_imaging.js").Frame} Frame
 *
 * @typedef {{instances: Dataset[], frames: Frame[]}} Opened
 */

/** `moved` when another picture is shown, `waiting` when it takes time, `failed` when it cannot be. */
export class Player extends EventTarget {
  /**
   * @param {import("./imaging_stage.js").Stage} stage
   * @param {import("./imaging_marks.js").Marks} marks
   * @param {import("./imaging_read.js").StudyReader} reader
   * @param {import("./imaging_decode.js").Decoders} decoders
   */
  constructor(stage, marks, reader, decoders) {
    super();
    this.stage = stage;
    this.marks = marks;
    this.reader = reader;
    this.decoders = decoders;
    /** @type {StackLoader | null} */
    this.loader = null;
    this.index = 0;
    this.asked = 0;
    this.cine = new Cine(() => this.count, () => this.show((this.index + 1) % this.count));
  }

  get count() {
    return this.loader?.frames.length ?? 0;
  }

  /** Whether a later request has taken over. @param {number} turn */
  #late(turn) {
    return turn !== this.asked;
  }

  /**
   * Opens a series at its middle, where the eye looks first.
   * @param {string} series
   * @returns {Promise<Opened | null>} null when another one was opened meanwhile
   */
  async open(series) {
    const turn = this.close();
    const instances = await this.reader.metadata(series);
    if (this.#late(turn)) return null;
    const frames = stackOf(instances);
    const [first] = frames;
    if (first) {
      this.loader = new StackLoader(this.reader, this.decoders, series, frames);
      this.loader.addEventListener("loaded", () => this.dispatchEvent(new Event("loaded")));
      this.cine.setRate(rateOf(first.dataset).rate);
      await this.show(first.of > 1 ? 0 : Math.floor((frames.length - 1) / 2));
    }
    return { instances, frames };
  }

  /** Nothing is open; the number of this moment, for those who wait. */
  close() {
    this.cine.stop();
    this.loader?.stop();
    this.loader = null;
    this.index = 0;
    this.stage.clear();
    this.dispatchEvent(new Event("moved"));
    return (this.asked += 1);
  }

  /** @param {number} by */
  step(by) {
    this.cine.stop();
    void this.show(Math.min(this.count - 1, Math.max(0, this.index + by)));
  }

  /** @param {number} index */
  async show(index) {
    const { loader } = this;
    const frame = loader?.frames[index];
    if (!loader || !frame) return;
    const turn = (this.asked += 1);
    this.index = index;
    this.dispatchEvent(new Event("moved"));
    if (!loader.has(index)) this.dispatchEvent(new Event("waiting"));
    try {
      const pixels = await loader.at(index);
      const tables = pixels.kind === "grey" ? await lutsOf(frame.dataset, "00283010", (at) => this.reader.bytes(at)) : [];
      if (this.#late(turn)) return;
      this.stage.show(frame, pixels, tables);
      await this.marks.update();
      this.dispatchEvent(new Event("shown"));
      if (!this.cine.running || loader.ready < this.count) void loader.ahead(index);
    } catch (error) {
      if (this.#late(turn)) return;
      this.cine.stop();
      this.dispatchEvent(new CustomEvent("failed", { detail: error }));
    }
  }
}
