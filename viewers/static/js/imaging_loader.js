/** The pictures of one stack: fetched, decoded, kept as long as there is room, and fetched ahead. */
import { pixelsOf } from "./imaging_pixels.js";

/**
 * @typedef {import("./types_imaging.js").Frame} Frame
 * @typedef {import("./types_imaging.js").Pixels} Pixels
 */

const MOST_BYTES = 384 * 1024 * 1024;
const AT_ONCE = 4;

/** Pixels by their place in a stack; `loaded` events say how many are there. */
export class StackLoader extends EventTarget {
  /**
   * @param {import("./imaging_read.js").StudyReader} reader
   * @param {import("./imaging_decode.js").Decoders} decoders
   * @param {string} series
   * @param {Frame[]} frames
   */
  constructor(reader, decoders, series, frames) {
    super();
    this.reader = reader;
    this.decoders = decoders;
    this.series = series;
    this.frames = frames;
    /** @type {Map<number, Promise<Pixels>>} in the order of use, the oldest first */
    this.kept = new Map();
    /** @type {Map<number, number>} */
    this.sizes = new Map();
    this.bytes = 0;
    this.asked = 0;
  }

  /** How many pictures are there. */
  get ready() {
    return this.sizes.size;
  }

  /**
   * @param {number} index
   * @returns {Promise<Pixels>}
   */
  at(index) {
    const known = this.kept.get(index) ?? this.#load(index);
    this.kept.delete(index);
    this.kept.set(index, known);
    return known;
  }

  /** Whether it can be shown at once. @param {number} index */
  has(index) {
    return this.sizes.has(index);
  }

  /**
   * Fetch what lies around a picture, the nearest first, while it all fits.
   * @param {number} centre
   */
  async ahead(centre) {
    const turn = (this.asked += 1);
    const wanted = nearest(centre, this.frames.length).filter((index) => !this.kept.has(index));
    const next = async () => {
      while (turn === this.asked && wanted.length > 0 && !this.#full()) {
        await this.at(wanted.shift() ?? 0).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  }

  /** No more is fetched ahead. */
  stop() {
    this.asked += 1;
  }

  /** @param {number} index */
  async #load(index) {
    const frame = this.frames[index];
    if (!frame) throw new RangeError("no such picture");
    try {
      const { bytes, syntax } = await this.reader.frame(this.series, frame);
      const decoded = await this.decoders.decode(bytes, syntax, frame.dataset);
      const pixels = await pixelsOf(decoded, frame.dataset, syntax, (attribute) => this.reader.bytes(attribute));
      this.#keep(index, pixels);
      return pixels;
    } catch (error) {
      this.kept.delete(index);
      throw error;
    }
  }

  /**
   * @param {number} index
   * @param {Pixels} pixels
   */
  #keep(index, pixels) {
    const bytes = pixels.kind === "grey" ? pixels.stored.byteLength : pixels.rgba.byteLength;
    this.sizes.set(index, bytes);
    this.bytes += bytes;
    for (const old of [...this.kept.keys()]) {
      if (this.bytes <= MOST_BYTES || old === index) break;
      if (this.sizes.has(old)) this.#drop(old);
    }
    this.dispatchEvent(new Event("loaded"));
  }

  /** @param {number} index */
  #drop(index) {
    this.bytes -= this.sizes.get(index) ?? 0;
    this.sizes.delete(index);
    this.kept.delete(index);
  }

  #full() {
    const mean = this.sizes.size > 0 ? this.bytes / this.sizes.size : 0;
    return this.bytes + AT_ONCE * mean > MOST_BYTES;
  }
}

/**
 * @param {number} centre
 * @param {number} count
 */
function nearest(centre, count) {
  return Array.from({ length: count }, (_, index) => index).sort((a, b) => Math.abs(a - centre) - Math.abs(b - centre) || b - a);
}
