/** Cine: how fast a series is meant to run, and running it. */
import { number, numbers } from "./imaging_tags.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 */

const OTHERWISE = 10;
const [SLOWEST, FASTEST] = [1, 60];

/**
 * Pictures a second: recommended, else as recorded (PS3.3 C.7.6.5).
 * @param {Dataset} dataset
 * @returns {{rate: number, told: boolean}} told: the file says it
 */
export function rateOf(dataset) {
  const recommended = number(dataset, "00082144", 0) || number(dataset, "00180040", 0);
  const vector = numbers(dataset, "00181065").slice(1);
  const mean = vector.reduce((sum, at) => sum + at, 0) / (vector.length || 1);
  const between = number(dataset, "00181063", 0) || mean;
  const rate = recommended || (between > 0 ? 1000 / between : 0);
  return rate > 0 ? { rate: within(rate), told: true } : { rate: OTHERWISE, told: false };
}

/** @param {number} rate */
function within(rate) {
  return Math.min(FASTEST, Math.max(SLOWEST, rate));
}

/** Runs a stack round and round; a picture that is not there yet is waited for. */
export class Cine extends EventTarget {
  /**
   * @param {() => number} count how many pictures there are
   * @param {() => Promise<unknown>} step shows the next one
   */
  constructor(count, step) {
    super();
    this.count = count;
    this.step = step;
    this.rate = OTHERWISE;
    this.running = false;
  }

  /** @param {number} rate */
  setRate(rate) {
    this.rate = within(rate);
    this.dispatchEvent(new Event("change"));
  }

  toggle() {
    if (this.running) this.stop();
    else if (this.count() > 1) void this.#run();
  }

  stop() {
    this.running = false;
    this.dispatchEvent(new Event("change"));
  }

  async #run() {
    this.running = true;
    this.dispatchEvent(new Event("change"));
    let due = performance.now();
    while (this.running) {
      due = Math.max(due + 1000 / this.rate, performance.now());
      await new Promise((resolve) => window.setTimeout(resolve, due - performance.now()));
      if (this.running) await this.step();
    }
  }
}
