/** Quality of the open slide: fetched when the first view is there; it never waits for it. */
import { bringIntoView } from "./annotation_reach.js";
import { h } from "./dom.js";
import { keyIsTaken } from "./keys_dialog.js";
import { element } from "./page.js";
import { release, reject } from "./quality_acts.js";
import { QualityOverlay } from "./quality_overlay.js";
import { QualityPanel } from "./quality_panel.js";
import { QualityStore } from "./quality_store.js";
import { markTray } from "./quality_tray.js";

/** @typedef {import("./types_case.js").SlideCase} SlideCase */

/**
 * @param {import("./microscope.js").Microscope} microscope
 * @param {import("./slide_tray.js").SlideTray} tray
 * @param {() => SlideCase | null} ofCase the case, as it is known
 * @param {AbortSignal} signal
 */
export async function startQuality(microscope, tray, ofCase, signal) {
  await Promise.all([style("quality.css"), style("forms.css")]);
  const store = new QualityStore(microscope.slide.slide_id, signal);
  new QualityOverlay(microscope, store);
  const panel = new QualityPanel(store, () => acts(microscope, store, ofCase(), signal));
  const mark = () => markTray(store.now?.tray ?? {});
  tray.shown = mark;
  store.addEventListener("change", mark);
  element("annotations-toggle").addEventListener("click", () => element("annotations").hidden || element("quality").hidden || panel.set(false), { signal });
  document.addEventListener(
    "keydown",
    (event) => {
      if (keyIsTaken(event)) return;
      if (event.key === "q") panel.toggle();
      else if (event.key === "m") nextMap(store);
      else return;
      event.preventDefault();
    },
    { signal },
  );
  element("quality-toggle").hidden = false;
  await store.load();
}

/**
 * @param {import("./microscope.js").Microscope} microscope
 * @param {QualityStore} store
 * @param {SlideCase | null} now
 * @param {AbortSignal} signal
 * @returns {import("./quality_panel.js").PanelActs}
 */
function acts(microscope, store, now, signal) {
  const of = { slide_id: microscope.slide.slide_id, run_id: store.now?.run?.run_id ?? "" };
  return {
    toggle: (check) => store.show(store.shown === check ? null : check),
    go: (finding, [x, y, width, height]) => {
      store.point(finding, [x, y, width, height]);
      bringIntoView(microscope, { left: x, top: y, right: x + width, bottom: y + height }, element("quality").offsetWidth);
    },
    release: async () => (await release(of, [], signal)) && store.load(),
    rescan: now?.may.rescan && now.current_slide_id === of.slide_id ? () => void again(microscope, store, now, of, signal) : null,
  };
}

/**
 * @param {import("./microscope.js").Microscope} microscope
 * @param {QualityStore} store
 * @param {SlideCase} now
 * @param {{slide_id: string, run_id: string}} of
 * @param {AbortSignal} signal
 */
async function again(microscope, store, now, of, signal) {
  const { askForRescan } = await import("./rescan.js");
  const said = await askForRescan(microscope, now, signal, store.now?.suggestion ?? undefined);
  if (said === null) return;
  if (store.now?.may.judge) await reject(of, said, signal);
  await store.load();
}

/** The maps in turn, then none. @param {QualityStore} store */
function nextMap(store) {
  const checks = store.maps.map((at) => at.check);
  store.show(checks[checks.indexOf(store.shown ?? "") + 1] ?? null);
}

/** @param {string} name of a stylesheet that comes with the panel */
function style(name) {
  const href = new URL(`../css/${name}`, import.meta.url).pathname;
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  const link = h("link", { rel: "stylesheet", href });
  const loaded = new Promise((resolve) => {
    for (const event of ["load", "error"]) link.addEventListener(event, () => resolve(undefined));
  });
  document.head.append(link);
  return loaded;
}
