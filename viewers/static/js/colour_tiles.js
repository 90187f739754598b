/**
 * Corrects tiles on their way to the screen. What was fetched stays in OpenSeadragon's cache as it
 * came, so that turning correction off and on fetches nothing.
 */

/** The slide's tiles through one table. */
export class ColourTiles {
  #viewer;
  #worker;
  #sent = 0;
  /** @type {Map<number, {resolve: (pixels: Uint8ClampedArray<ArrayBuffer>) => void, reject: () => void}>} */
  #waiting = new Map();

  /**
   * @param {OpenSeadragon.Viewer} viewer
   * @param {ArrayBuffer} table given away to the worker
   * @param {() => void} failed
   */
  constructor(viewer, table, failed) {
    countCorrectedTiles();
    this.#viewer = viewer;
    this.#worker = new Worker(new URL("./colour_worker.js", import.meta.url), { type: "module" });
    this.#worker.addEventListener("message", ({ data }) => {
      this.#waiting.get(data.number)?.resolve(data.pixels);
      this.#waiting.delete(data.number);
    });
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.stop();
      failed();
    });
    this.#worker.postMessage({ table }, [table]);
  }

  /** @param {boolean} corrected */
  show(corrected) {
    this.#viewer.removeHandler("tile-invalidated", this.#correct);
    if (corrected) this.#viewer.addHandler("tile-invalidated", this.#correct);
    void this.#viewer.requestInvalidate(true);
  }

  /** Leaves the tiles as they were scanned. */
  stop() {
    this.show(false);
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject();
    this.#waiting.clear();
  }

  /** @param {OpenSeadragon.TileInvalidatedEvent} event */
  #correct = async ({ getData, outdated }) => {
    /** @type {CanvasRenderingContext2D} a copy of the tile, which takes its place on the screen */
    const copy = await getData("context2d");
    if (await outdated()) return;
    const { width, height } = copy.canvas;
    const pixels = await this.#corrected(copy.getImageData(0, 0, width, height).data).catch(() => null);
    if (pixels && !(await outdated())) copy.putImageData(new ImageData(pixels, width, height), 0, 0);
  };

  /**
   * @param {Uint8ClampedArray<ArrayBuffer>} pixels
   * @returns {Promise<Uint8ClampedArray<ArrayBuffer>>}
   */
  #corrected(pixels) {
    const number = this.#sent++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#worker.postMessage({ number, pixels }, [pixels.buffer]);
    });
  }
}

let counted = false;

/**
 * OpenSeadragon 6.1.1 does not count the copies it caches beside the tiles, but counts them off
 * when they go, so that it kept ever more tiles. With this `maxImageCacheCount` holds.
 */
function countCorrectedTiles() {
  if (counted) return;
  counted = true;
  const cache = /** @type {any} */ (OpenSeadragon.TileCache.prototype);
  const inject = cache.injectCache;
  /** @param {unknown} options */
  cache.injectCache = function injectCache(options) {
    inject.call(this, options);
    this._cachesLoadedCount += 1;
  };
}
