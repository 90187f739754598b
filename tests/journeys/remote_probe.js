// Runs in every page before its own scripts: looks, frame by frame, at what lies on the screen.
(() => {
  const AT_REST = 0.5;
  const LEAST_PIXEL_RATIO = 0.52;
  performance.setResourceTimingBufferSize(20_000);
  const begun = Number(sessionStorage.getItem("remote-begun") ?? 0) || performance.timeOrigin;
  sessionStorage.removeItem("remote-begun");

  const image = () => window.svartid?.viewer.world.getItemAt(0);

  /** Every tile of the level that is meant for the view, as `[column, row]`. */
  function needed(item, viewport) {
    const { width, maxLevel, minLevel } = item.source;
    const downsample = width / (viewport.getZoom(false) * viewport.getContainerSize().x);
    const level = Math.min(maxLevel, Math.max(minLevel, Math.floor(maxLevel - Math.log2(LEAST_PIXEL_RATIO * downsample))));
    const edge = (item.source.getTileWidth(level) * 2 ** (maxLevel - level)) / width;
    const box = viewport.getBounds(false);
    const grid = item.source.getNumTiles(level);
    const clip = (at, most) => Math.min(most - 1, Math.max(0, at));
    const cells = [];
    const [right, bottom] = [clip(Math.ceil((box.x + box.width) / edge) - 1, grid.x), clip(Math.ceil((box.y + box.height) / edge) - 1, grid.y)];
    for (let x = clip(Math.floor(box.x / edge), grid.x); x <= right; x += 1) {
      for (let y = clip(Math.floor(box.y / edge), grid.y); y <= bottom; y += 1) cells.push([x, y]);
    }
    return { level, cells };
  }

  /** What has been drawn: anything, half the detail everywhere, all of it. */
  function look() {
    const item = image();
    if (!item) return { first: false, covered: false, drawn: false };
    const { viewport } = window.svartid.viewer;
    const { level, cells } = needed(item, viewport);
    const drawn = new Set(item._tilesToDraw.flat().filter(Boolean).map(({ tile }) => `${tile.level}/${tile.x}/${tile.y}`));
    const sharp = ([x, y]) => drawn.has(`${level}/${x}/${y}`);
    const half = ([x, y]) => drawn.has(`${level - 1}/${x >> 1}/${y >> 1}`);
    const away = viewport.pixelFromPoint(viewport.getCenter(false), true).minus(viewport.pixelFromPoint(viewport.getCenter(true), true));
    const still = Math.hypot(away.x, away.y) < AT_REST && Math.abs(viewport.getZoom(true) / viewport.getZoom(false) - 1) < 1e-3;
    return {
      first: drawn.size > 0,
      covered: cells.every((cell) => sharp(cell) || half(cell)),
      drawn: still && cells.every(sharp),
    };
  }

  const tiles = () => performance.getEntriesByType("resource");
  const bytes = (entries) => entries.reduce((sum, at) => sum + at.transferSize, 0);

  /** Milliseconds since `from` (epoch) of each stage, once all have come. */
  function watch(from, before) {
    const times = {};
    return new Promise((resolve) => {
      const frame = () => {
        const seen = look();
        const now = performance.timeOrigin + performance.now() - from;
        for (const stage of ["first", "covered", "drawn"]) if (seen[stage]) times[stage] ??= now;
        if (!seen.drawn) return requestAnimationFrame(frame);
        times.covered ??= times.drawn;
        const asked = tiles().slice(before).filter((at) => at.transferSize > 0);
        resolve({ ...times, requests: asked.length, kilobytes: bytes(asked) / 1000 });
      };
      requestAnimationFrame(frame);
    });
  }

  const remote = {
    opened: null,
    kilobytes: () => bytes(tiles()) / 1000,
    leave(id) {
      sessionStorage.setItem("remote-begun", String(performance.timeOrigin + performance.now()));
      document.querySelector(`#tray a[href$='${id}']`).click();
    },
    async goTo(x, y, downsample) {
      const { viewport } = window.svartid.viewer;
      const { width } = image().source;
      viewport.zoomTo(width / (downsample * viewport.getContainerSize().x), undefined, true);
      viewport.panTo(new OpenSeadragon.Point(x / width, y / width), true);
      return watch(performance.timeOrigin + performance.now(), tiles().length);
    },
    nextField(right, down) {
      const { viewport } = window.svartid.viewer;
      const size = viewport.getContainerSize();
      const before = tiles().length;
      const from = performance.timeOrigin + performance.now();
      viewport.panBy(viewport.deltaPointsFromPixels(new OpenSeadragon.Point(right * size.x, down * size.y)));
      viewport.applyConstraints();
      return watch(from, before);
    },
  };
  window.remote = remote;
  void watch(begun, 0).then((seen) => {
    const page = performance.getEntriesByType("navigation")[0];
    remote.opened = { ...seen, requests: seen.requests + 1, kilobytes: seen.kilobytes + page.transferSize / 1000 };
  });
})();
