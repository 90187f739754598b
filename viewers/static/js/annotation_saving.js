/** Saving one after the other, and honest words where it did not come about. */
import { ApiError } from "./api.js";
import { refusalWords } from "./refusal_words.js";

/** @typedef {import("./annotation_types.js").Annotation} Annotation */
/** @typedef {{words: string, again: (() => void) | null}} Trouble what was not saved, and how to try again */
/**
 * @typedef {object} Owner
 * @property {(made: Annotation) => void} settle what the server made of it
 * @property {() => Promise<void>} reload what is there, after a refusal
 * @property {() => void} tell
 */

/** The acts on one slide's annotations; each change is made to what the one before has made. */
export class Saving {
  /** @param {Owner} owner @param {AbortSignal} signal */
  constructor(owner, signal) {
    this.owner = owner;
    this.signal = signal;
    /** @type {Map<string, Promise<void>>} */
    this.queues = new Map();
    /** @type {Map<string, Trouble>} */
    this.troubles = new Map();
    /** Refused just now: what the server has of them is what counts. @type {Set<string>} */
    this.refused = new Set();
    /** How often something was refused: fields that show what was typed are out of date. */
    this.refusals = 0;
  }

  /** Whether what is here is newer than what the server knows. @param {string} id */
  isOurs(id) {
    return !this.refused.has(id) && (this.queues.has(id) || Boolean(this.troubles.get(id)?.again));
  }

  /**
   * @param {string} id
   * @param {() => Promise<Annotation | null>} send null when there was nothing to be said
   */
  save(id, send) {
    const mine = (this.queues.get(id) ?? Promise.resolve()).then(() => this.#send(id, send));
    this.queues.set(id, mine);
    this.owner.tell();
    return mine.finally(() => {
      if (this.queues.get(id) === mine) this.queues.delete(id);
      this.owner.tell();
    });
  }

  /** @param {string} id @param {() => Promise<Annotation | null>} send */
  async #send(id, send) {
    try {
      const made = await send();
      this.troubles.delete(id);
      if (made) this.owner.settle(made);
    } catch (error) {
      if (this.signal.aborted) return;
      const refused = error instanceof ApiError && error.status > 0 && error.status < 500;
      const again = refused ? null : () => void this.save(id, send);
      this.troubles.set(id, { words: refusalWords(error), again });
      if (refused) await this.#giveUp(id);
    }
  }

  /** A refusal is final: what is there is shown, and the words stay. @param {string} id */
  async #giveUp(id) {
    this.refusals += 1;
    this.refused.add(id);
    await this.owner.reload();
    this.refused.delete(id);
  }

  /** The words have been read. @param {string} id */
  forgive(id) {
    this.troubles.delete(id);
    this.owner.tell();
  }
}

/** Thirty-two hexadecimal digits; also where the page comes over plain HTTP. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (at) => at.toString(16).padStart(2, "0")).join("");
}
