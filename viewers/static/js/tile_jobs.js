/** OpenSeadragon's tile jobs, tried directly first and at the ordinary address after. */

/** @typedef {OpenSeadragon.ImageJob & {userData: {direct?: AbortController}}} Job */

/**
 * What a tile source needs so that its tiles come as bytes from `direct`.
 * @param {import("./direct_tiles.js").DirectTiles} direct
 * @param {number} maxLevel OpenSeadragon's number of the full size
 */
export function directJobs(direct, maxLevel) {
  return {
    /**
     * @this {OpenSeadragon.TileSource}
     * @param {Job} job
     */
    downloadTileStart(job) {
      const wanted = new AbortController();
      job.userData.direct = wanted;
      const { level, x, y } = /** @type {OpenSeadragon.Tile & {x: number, y: number}} */ (job.tile);
      const ordinary = () => wanted.signal.aborted || OpenSeadragon.TileSource.prototype.downloadTileStart.call(this, job);
      direct
        .tile(maxLevel - level, x, y, wanted.signal)
        .then((blob) => (blob === null ? ordinary() : finish(job, blob, wanted.signal)))
        .catch(ordinary);
    },

    /**
     * @this {OpenSeadragon.TileSource}
     * @param {Job} job
     */
    downloadTileAbort(job) {
      job.userData.direct?.abort();
      OpenSeadragon.TileSource.prototype.downloadTileAbort.call(this, job);
    },
  };
}

/**
 * The same kind of picture as the ordinary way gives. OpenSeadragon's own change from blob to
 * picture never gives the blob's address back.
 * @param {Job} job
 * @param {Blob} blob
 * @param {AbortSignal} signal
 */
async function finish(job, blob, signal) {
  const picture = new Image();
  picture.src = URL.createObjectURL(blob);
  try {
    await picture.decode();
  } finally {
    URL.revokeObjectURL(picture.src);
  }
  if (!signal.aborted) job.finish(picture, null, "image");
}
