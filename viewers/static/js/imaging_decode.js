/** Decoding in workers of their own, which may run WebAssembly as the page may not. */
import { transfer, wrap } from "../vendor/imaging/dicom.js";
import { number, text } from "./imaging_tags.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 * @typedef {import("./imaging_pixels.js").Decoded} Decoded
 *
 * @typedef {object} Task
 * @property {object} imageFrame what the file says of the image
 * @property {string} transferSyntax
 * @property {Uint8Array} pixelData
 * @property {{preScale: {enabled: boolean}}} options
 *
 * @typedef {{decodeTask(task: Task): Promise<Decoded>}} Decoder
 */

const WORKER = new URL("../vendor/imaging/decode.js", import.meta.url);
const RLE = "1.2.840.10008.1.2.5";
const MOST_WORKERS = 4;

/** As many decoders as the machine has cores to spare, each started when it is first needed. */
export class Decoders {
  /** @param {AbortSignal} signal */
  constructor(signal) {
    this.signal = signal;
    this.most = Math.max(1, Math.min(MOST_WORKERS, Math.floor((navigator.hardwareConcurrency || 2) / 2)));
    /** @type {{decoder: Decoder, busy: number}[]} */
    this.started = [];
  }

  /**
   * @param {Uint8Array} bytes of one frame, as stored; they are given away
   * @param {string} syntax
   * @param {Dataset} dataset
   * @returns {Promise<Decoded>}
   */
  async decode(bytes, syntax, dataset) {
    const place = this.#leastBusy();
    place.busy += 1;
    try {
      const task = { imageFrame: describe(dataset, syntax), transferSyntax: syntax, pixelData: bytes, options: { preScale: { enabled: false } } };
      return await place.decoder.decodeTask(transfer(task, [bytes.buffer]));
    } finally {
      place.busy -= 1;
    }
  }

  #leastBusy() {
    const free = this.started.find((at) => at.busy === 0);
    if (free) return free;
    if (this.started.length < this.most) return this.#start();
    return this.started.reduce((least, at) => (at.busy < least.busy ? at : least));
  }

  #start() {
    const worker = new Worker(WORKER, { type: "module" });
    this.signal.addEventListener("abort", () => worker.terminate(), { once: true });
    const place = { decoder: /** @type {Decoder} */ (wrap(worker)), busy: 0 };
    this.started.push(place);
    return place;
  }
}

/**
 * @param {Dataset} dataset
 * @param {string} syntax
 */
function describe(dataset, syntax) {
  return {
    rows: number(dataset, "00280010", 0),
    columns: number(dataset, "00280011", 0),
    samplesPerPixel: number(dataset, "00280002", 1),
    photometricInterpretation: text(dataset, "00280004") || "MONOCHROME2",
    planarConfiguration: syntax === RLE ? 0 : number(dataset, "00280006", 0),
    bitsAllocated: number(dataset, "00280100", 16),
    bitsStored: number(dataset, "00280101", 16),
    pixelRepresentation: number(dataset, "00280103", 0),
  };
}
