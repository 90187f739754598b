/**
 * Where no graphics card draws, OpenSeadragon's canvas drawer stretches every tile by a pixel so
 * that no seams show, and blurs the slide by that. Here tiles lie on whole pixels of the screen
 * instead: no seams, and at 1:1 the slide's own pixels.
 */
const QUARTER = 90;

export function drawTilesSharp() {
  class SharpCanvasDrawer extends OpenSeadragon.CanvasDrawer {
    /** Turned by another angle than a quarter, tiles cannot lie on whole pixels. */
    minimumOverlapRequired() {
      return this.viewport.getRotation(true) % QUARTER !== 0;
    }

    /**
     * @param {OpenSeadragon.Tile & {position: OpenSeadragon.Point, size: OpenSeadragon.Point}} tile
     * @param {...unknown} rest
     */
    _drawTile(tile, ...rest) {
      if (!this.minimumOverlapRequired()) placeOnPixels(tile);
      // @ts-expect-error the types leave out what is not public; the package's version is pinned
      super._drawTile(tile, ...rest);
    }
  }
  // The WebGL drawer falls back on it too, and finds it by this name.
  Object.assign(OpenSeadragon, { CanvasDrawer: SharpCanvasDrawer });
}

/** @param {{position: OpenSeadragon.Point, size: OpenSeadragon.Point}} tile */
function placeOnPixels(tile) {
  const ratio = window.devicePixelRatio;
  const end = tile.position.plus(tile.size);
  /** @param {number} at */
  const snap = (at) => Math.round(at * ratio) / ratio;
  tile.position = new OpenSeadragon.Point(snap(tile.position.x), snap(tile.position.y));
  tile.size = new OpenSeadragon.Point(snap(end.x), snap(end.y)).minus(tile.position);
}
