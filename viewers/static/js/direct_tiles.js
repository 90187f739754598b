/**
 * Tiles as byte ranges of the stored shards, straight from the front that serves files. Where that
 * does not work, for a tile or for good, the answer is null and the ordinary address is asked.
 */
import { getJson } from "./api.js";
import { fetchEnd, fetchRange } from "./byte_ranges.js";
import { indexBytes, readIndex } from "./shard_index.js";

/** Indexes kept, 4 KiB in the file each: a slide's largest level has some hundreds of shards. */
const MOST_INDEXES = 512;
/** After so many failures in a row the ordinary way is left to itself. */
const MOST_FAILURES = 3;

/** @typedef {{level: number, columns: number, rows: number}} DirectLevel */
/** @typedef {{base: string | null, shard_tiles: number, levels: DirectLevel[]}} Direct */
/** @typedef {{etag: string, ranges: (import("./shard_index.js").Range | null)[]}} Index */

export class DirectTiles {
  /** @type {Direct | null} */
  #direct = null;
  /** @type {Map<string, Promise<Index>>} */
  #indexes = new Map();
  #failures = 0;

  /**
   * Nothing waits for the answer: the tiles wanted before it come the ordinary way. Levels stored
   * later come that way too, until the page is opened again.
   * @param {string} slideId
   * @param {AbortSignal} signal
   */
  constructor(slideId, signal) {
    this.signal = signal;
    void this.#ask(`/api/v1/slides/${encodeURIComponent(slideId)}/direct`);
  }

  /**
   * A tile's JPEG; null where it has to be asked for at its ordinary address.
   * @param {number} level 0 is full size
   * @param {number} column
   * @param {number} row
   * @param {AbortSignal} signal
   * @returns {Promise<Blob | null>}
   */
  async tile(level, column, row, signal) {
    const shard = this.#shardOf(level, column, row);
    if (shard === null) return null;
    try {
      const index = await this.#index(shard.address, shard.tiles);
      const range = index.ranges[shard.at] ?? null;
      if (range === null || signal.aborted) return null;
      const { data, etag } = await fetchRange(shard.address, range, signal);
      if (etag !== index.etag) throw new Error("the shard is another one now");
      this.#failures = 0;
      return new Blob([data], { type: "image/jpeg" });
    } catch {
      if (signal.aborted) return null;
      this.#indexes.delete(shard.address);
      this.#failures += 1;
      if (this.#failures >= MOST_FAILURES) this.#direct = null;
      return null;
    }
  }

  /** @param {string} address */
  async #ask(address) {
    try {
      /** @type {Direct} */
      const answer = await getJson(address, this.signal);
      this.#direct = answer.base === null ? null : answer;
    } catch {
      // The ordinary way is there.
    }
  }

  /**
   * @param {number} level
   * @param {number} column
   * @param {number} row
   */
  #shardOf(level, column, row) {
    if (this.#direct === null) return null;
    const { base, shard_tiles: per, levels } = this.#direct;
    const grid = levels.find((at) => at.level === level);
    if (!grid || column >= grid.columns || row >= grid.rows) return null;
    const address = `${base}${level}/c/0/${Math.floor(row / per)}/${Math.floor(column / per)}`;
    return { address, tiles: per * per, at: (row % per) * per + (column % per) };
  }

  /**
   * Not called off with the tile that asked first: others wait for it too.
   * @param {string} address
   * @param {number} tiles
   */
  #index(address, tiles) {
    let found = this.#indexes.get(address);
    if (!found) {
      found = fetchEnd(address, indexBytes(tiles), this.signal).then(({ data, etag, fileBytes }) => ({
        etag,
        ranges: readIndex(data, fileBytes),
      }));
      this.#indexes.set(address, found);
      const [oldest] = this.#indexes.keys();
      if (oldest !== undefined && this.#indexes.size > MOST_INDEXES) this.#indexes.delete(oldest);
    }
    return found;
  }
}
