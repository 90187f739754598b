/**
 * A new choice of channels is fetched beneath what is seen and shown when it is whole, so that the
 * picture neither blinks nor goes coarse while a window is moved.
 */
import { tileSource } from "./tile_source.js";

const QUIET_MS = 120;
const SHOWN_ANYWAY_MS = 4000;

/**
 * @param {import("./microscope.js").Microscope} microscope
 * @param {import("./channel_choice.js").ChannelChoice} choice
 * @param {AbortSignal} signal
 */
export function startChannelLayer(microscope, choice, signal) {
  const { viewer, slide } = microscope;
  let drawn = choice.text();
  let timer = 0;
  /** Calls off the choice that is being fetched. @type {AbortController | null} */
  let coming = null;

  const change = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(fetchChoice, QUIET_MS);
  };
  const fetchChoice = () => {
    const wanted = choice.text();
    if (signal.aborted || wanted === drawn) return;
    coming?.abort();
    const mine = new AbortController();
    coming = mine;
    drawn = wanted;
    viewer.addTiledImage({
      tileSource: /** @type {any} */ (tileSource(slide, wanted)),
      opacity: 0,
      preload: true,
      success: (event) => {
        const { item } = /** @type {{item: OpenSeadragon.TiledImage}} */ (/** @type {unknown} */ (event));
        if (mine.signal.aborted) viewer.world.removeItem(item);
        else showWhenWhole(item, mine.signal);
      },
    });
  };
  /**
   * @param {OpenSeadragon.TiledImage} item
   * @param {AbortSignal} given up when another choice is wanted
   */
  const showWhenWhole = (item, given) => {
    const show = () => {
      window.clearTimeout(anyway);
      if (given.aborted) return;
      item.setOpacity(1);
      const { world } = viewer;
      for (const older of items(world)) if (older !== item) world.removeItem(older);
      given.removeEventListener("abort", drop);
    };
    const drop = () => {
      window.clearTimeout(anyway);
      viewer.world.removeItem(item);
    };
    const anyway = window.setTimeout(show, SHOWN_ANYWAY_MS);
    given.addEventListener("abort", drop, { once: true });
    if (item.getFullyLoaded()) show();
    else item.addOnceHandler("fully-loaded-change", show);
  };
  choice.addEventListener("change", change, { signal });
}

/** @param {OpenSeadragon.World} world */
function items(world) {
  return Array.from({ length: world.getItemCount() }, (_, at) => world.getItemAt(at));
}
