/** Tiles that could not be fetched are marked where they lie, counted, and can be asked for again. */
import { h, icon, setContent } from "./dom.js";
import { t, tn } from "./i18n.js";
import { element } from "./page.js";
import { levelAt } from "./tile_source.js";

const MOST_MARKS = 300;

/** @param {import("./microscope.js").Microscope} microscope */
export function startTileFailures(microscope) {
  const { viewer, slide } = microscope;
  const line = element("tile-failures");
  const words = h("span", {});
  /** @type {Map<OpenSeadragon.Tile, HTMLElement>} */
  const failed = new Map();

  /** Only the level that is drawn matters: coarser tiles lie beneath it, finer ones are not shown. */
  const refresh = () => {
    if (failed.size === 0 && line.hidden) return;
    const level = levelAt(slide, microscope.view().downsample);
    let count = 0;
    for (const [tile, mark] of failed) {
      mark.hidden = tile.level !== level;
      if (!mark.hidden) count += 1;
    }
    line.hidden = count === 0;
    setContent(words, tn("{count} part of the image could not be fetched", "{count} parts of the image could not be fetched", count));
  };
  /** @param {OpenSeadragon.Tile} tile */
  const clear = (tile) => {
    const mark = failed.get(tile);
    if (!mark) return;
    viewer.removeOverlay(mark);
    failed.delete(tile);
    refresh();
  };
  const again = () => {
    for (const tile of [...failed.keys()]) {
      clear(tile);
      tile.exists = true;
    }
    viewer.world.getItemAt(0)?.setOpacity(1);
    viewer.forceRedraw();
  };

  line.replaceChildren(
    icon("triangle-alert"),
    words,
    h("button", { class: "button", type: "button", onclick: again }, t("Fetch again")),
  );
  viewer.addHandler("tile-load-failed", ({ tile }) => {
    if (failed.has(tile) || failed.size >= MOST_MARKS) return;
    const mark = h("div", { class: "failed-tile", title: t("This part could not be fetched; what you see is coarser.") });
    viewer.addOverlay({ element: mark, location: tile.bounds });
    failed.set(tile, mark);
    refresh();
  });
  viewer.addHandler("tile-loaded", ({ tile }) => clear(tile));
  viewer.addHandler("zoom", refresh);
}
