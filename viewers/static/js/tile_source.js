/** A slide as OpenSeadragon wants it: Deep Zoom levels, counted up from 1 by 1 pixel. */
import { DirectTiles } from "./direct_tiles.js";
import { directJobs } from "./tile_jobs.js";

/**
 * The finest level drawn is the one whose pixels are at least this large on the screen: a little
 * over a half, so that at 10x on a 20x scan the level made for it is drawn, not four times the
 * tiles of the next finer one.
 */
export const LEAST_PIXEL_RATIO = 0.52;

/**
 * Tiles at the right and bottom edge come as full squares with padding. OpenSeadragon clips
 * them: a tile's part of the level is `width / 2^n` pixels, fractions included, and both its
 * drawers take no more than that from the picture (see tests: the edge must not be squeezed).
 *
 * @param {import("./types.js").Slide} slide
 * @param {string | null} [channels] how a fluorescence slide is shown; null for its own way
 */
export function tileSource(slide, channels = null) {
  const longest = Math.max(slide.width, slide.height);
  const maxLevel = Math.ceil(Math.log2(longest));
  const oneTile = Math.max(0, Math.ceil(Math.log2(longest / slide.tile_size)));
  const base = `/slides/${encodeURIComponent(slide.slide_id)}_files`;
  const query = channels === null ? "" : `?channels=${channels}`;
  return {
    width: slide.width,
    height: slide.height,
    tileSize: slide.tile_size,
    tileOverlap: 0,
    minLevel: maxLevel - oneTile,
    maxLevel,
    /**
     * @param {number} level
     * @param {number} column
     * @param {number} row
     */
    getTileUrl: (level, column, row) => `${base}/${level}/${column}_${row}.jpeg${query}`,
  };
}

/**
 * The same with its tiles fetched as byte ranges where the server has a front for that.
 * @param {import("./types.js").Slide} slide
 */
export function directTileSource(slide) {
  const leaving = new AbortController();
  window.addEventListener("pagehide", (event) => event.persisted || leaving.abort());
  const source = tileSource(slide);
  return { ...source, ...directJobs(new DirectTiles(slide.slide_id, leaving.signal), source.maxLevel) };
}

/**
 * The Deep Zoom level that is drawn at a downsample once everything has been fetched.
 * @param {import("./types.js").Slide} slide
 * @param {number} downsample
 */
export function levelAt(slide, downsample) {
  const { minLevel, maxLevel } = tileSource(slide);
  const level = Math.floor(maxLevel - Math.log2(LEAST_PIXEL_RATIO * downsample));
  return Math.min(maxLevel, Math.max(minLevel, level));
}
