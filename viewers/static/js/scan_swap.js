/** A glass has a newer scan: the open viewer goes over to it, with the same field in view. */
import { getJson } from "./api.js";
import { writeFragment } from "./deep_link.js";
import { slideAddress } from "./slide_row.js";

/** @typedef {import("./microscope.js").View} View */
/** @typedef {{width: number, height: number, mpp: number | null}} Extent */

const KEY = "svartid.swapped";
const BUSY_MS = 400;

/**
 * The view of one scan as it is in another of the same glass: by the place's share of the image,
 * and as much tissue in view as before where both pixel sizes are known.
 * @param {View} view
 * @param {Extent} from
 * @param {Extent} to
 * @returns {View}
 */
export function sameField(view, from, to) {
  const scale = from.mpp && to.mpp ? from.mpp / to.mpp : to.width / from.width;
  return {
    ...view,
    x: (view.x / from.width) * to.width,
    y: (view.y / from.height) * to.height,
    downsample: view.downsample * scale,
  };
}

/**
 * Go over as soon as the hand is off the slide and no question stands open.
 * @param {import("./microscope.js").Microscope} microscope
 * @param {string} newer slide id
 * @param {AbortSignal} signal
 */
export async function swapTo(microscope, newer, signal) {
  /** @type {import("./types.js").Slide} */
  const slide = await getJson(`/api/v1/slides/${encodeURIComponent(newer)}`, signal);
  const go = () => {
    if (signal.aborted) return;
    if (document.querySelector("dialog[open]") || microscope.canvas.matches(":active")) {
      window.setTimeout(go, BUSY_MS);
      return;
    }
    const field = sameField(microscope.view(), microscope.slide, slide);
    sessionStorage.setItem(KEY, JSON.stringify({ from: microscope.slide.slide_id, to: newer }));
    location.replace(slideAddress(newer) + location.search + writeFragment(field));
  };
  go();
}

/**
 * Whether this page has just taken over from an earlier scan; asked once.
 * @param {string} slideId
 * @returns {string | null} the earlier scan's slide id
 */
export function swappedFrom(slideId) {
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  if (kept?.to !== slideId) return null;
  sessionStorage.removeItem(KEY);
  return kept.from;
}
