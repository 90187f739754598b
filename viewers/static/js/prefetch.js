/**
 * Tiles beside the view, fetched while nothing else is: the next field in the direction of travel
 * first, then those to its sides. They go OpenSeadragon's own way into its cache, whatever the tile
 * source does to get them. Off with Save-Data, and with `?prefetch=off`.
 */
import { multiplexed } from "./microscope_options.js";
import { levelAt } from "./tile_source.js";

/** A wrong guess holds back the tiles that are wanted by no more than these. */
const AT_ONCE = multiplexed() ? 16 : 5;
/** A move of less than this share of the view says nothing about where it goes on. */
const LEAST_MOVE = 0.1;

/** @typedef {{x: number, y: number}} Step fields to the right and down, on the slide */
/** @typedef {import("./microscope.js").Microscope} Microscope */
/**
 * @typedef {OpenSeadragon.Tile & {loading: boolean, loaded: boolean, exists: boolean}} Tile
 * @typedef {OpenSeadragon.TiledImage & {
 *   _getTile: (x: number, y: number, level: number, time: number, grid: OpenSeadragon.Point) => Tile,
 *   _loadTile: (tile: Tile, time: number) => void,
 * }} Image what is not public of it; the package's version is pinned
 */

/**
 * @param {Microscope} microscope
 * @param {AbortSignal} signal
 */
export function startPrefetch(microscope, signal) {
  const { viewer } = microscope;
  if (!wanted()) return;
  /** @type {Iterator<Tile, undefined>} */
  let plan = nothing();
  let rested = viewer.viewport.getCenter();
  let heading = { x: 1, y: 0 };

  const more = () => {
    if (signal.aborted || document.hidden || !image(viewer)?.getFullyLoaded()) return;
    while (viewer.imageLoader.jobsInProgress < AT_ONCE) {
      const { value: tile, done } = plan.next();
      if (done) return;
      image(viewer)?._loadTile(tile, Date.now());
    }
  };
  const rest = () => {
    const centre = viewer.viewport.getCenter();
    if (!centre.equals(viewer.viewport.getCenter(true))) return;
    heading = headingOf(centre.minus(rested), viewer.viewport.getBounds().getBoundingBox()) ?? heading;
    rested = centre;
    plan = tilesAround(microscope, heading);
    more();
  };
  viewer.addHandler("animation-finish", rest);
  viewer.addHandler("fully-loaded-change", ({ fullyLoaded }) => fullyLoaded && rest());
  viewer.addHandler("tile-loaded", () => window.setTimeout(more));
  for (const event of /** @type {const} */ (["pan", "zoom"])) {
    viewer.addHandler(event, () => {
      plan = nothing();
    });
  }
}

/** @returns {Iterator<Tile, undefined>} */
function nothing() {
  return { next: () => ({ done: true, value: undefined }) };
}

function wanted() {
  const { connection } = /** @type {Navigator & {connection?: {saveData?: boolean}}} */ (navigator);
  return !connection?.saveData && new URLSearchParams(location.search).get("prefetch") !== "off";
}

/**
 * @param {Step} moved
 * @param {{width: number, height: number}} view
 * @returns {Step | null} one field along the axis it went most, null when it hardly went
 */
function headingOf(moved, view) {
  const [x, y] = [moved.x / view.width, moved.y / view.height];
  if (Math.max(Math.abs(x), Math.abs(y)) < LEAST_MOVE) return null;
  return Math.abs(x) >= Math.abs(y) ? { x: Math.sign(x), y: 0 } : { x: 0, y: Math.sign(y) };
}

/**
 * Ahead, to both sides, back, and two ahead.
 * @param {Step} heading
 * @returns {Step[]}
 */
function stepsFrom({ x, y }) {
  return [{ x, y }, { x: y, y: x }, { x: -y, y: -x }, { x: -x, y: -y }, { x: 2 * x, y: 2 * y }];
}

/**
 * What is not there yet, of the level that is drawn now.
 * @param {Microscope} microscope
 * @param {Step} heading
 * @returns {Generator<Tile, undefined>}
 */
function* tilesAround(microscope, heading) {
  const { viewer, slide } = microscope;
  const item = image(viewer);
  if (!item) return;
  const level = levelAt(slide, microscope.view().downsample);
  const grid = item.source.getNumTiles(level);
  const edge = (slide.tile_size * 2 ** (item.source.maxLevel - level)) / slide.width;
  const box = viewer.viewport.getBounds().getBoundingBox();
  for (const step of stepsFrom(heading)) {
    const [left, top] = [box.x + step.x * box.width, box.y + step.y * box.height];
    const right = Math.min(grid.x, Math.ceil((left + box.width) / edge));
    const bottom = Math.min(grid.y, Math.ceil((top + box.height) / edge));
    for (let x = Math.max(0, Math.floor(left / edge)); x < right; x += 1) {
      for (let y = Math.max(0, Math.floor(top / edge)); y < bottom; y += 1) {
        const tile = item._getTile(x, y, level, Date.now(), grid);
        if (tile.exists && !tile.loaded && !tile.loading) yield tile;
      }
    }
  }
}

/** @param {OpenSeadragon.Viewer} viewer */
function image(viewer) {
  return /** @type {Image | undefined} */ (viewer.world.getItemAt(0));
}
