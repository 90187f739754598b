/** The microscope's page: fetch the slide, put it under the microscope, keep the rest in step. */
import { ApiError, getJson } from "./api.js";
import { showBanner } from "./banner.js";
import { subscribe } from "./changes.js";
import { startChannels } from "./channel_panel.js";
import { startColour } from "./colour.js";
import { startDeepLink } from "./deep_link.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { Microscope } from "./microscope.js";
import { prepareNavigator, showGlass } from "./overview.js";
import { element } from "./page.js";
import { startPrefetch } from "./prefetch.js";
import { startReadouts } from "./readouts.js";
import { SlideTray } from "./slide_tray.js";
import { showError, showState } from "./states.js";
import { startTileFailures } from "./tile_failures.js";
import { backToWorklist, startViewerKeys } from "./viewer_keys.js";

/** @typedef {import("./types.js").Slide} Slide */

const AGAIN_MS = 2_000;

const slideId = element("main").dataset.slideId ?? "";
const slideData = `/api/v1/slides/${encodeURIComponent(slideId)}`;
const leaving = new AbortController();
const { signal } = leaving;
const state = element("stage-state");
const tray = new SlideTray(slideId);
/** @type {import("./slide_case.js").SlideCaseView | null} */
let ofCase = null;
window.addEventListener("pagehide", (event) => event.persisted || leaving.abort());

async function start() {
  showState(state, "hourglass", t("Fetching the slide"));
  try {
    /** @type {Slide} */
    const slide = await getJson(slideData, signal);
    state.replaceChildren();
    await open(slide);
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
}

/** @param {Slide} slide */
async function open(slide) {
  showBanner(slide);
  const microscope = new Microscope(element("canvas"), prepareNavigator(slide), slide);
  showGlass(slide, microscope.drawn);
  tray.picturesAfter(microscope.drawn);
  window.svartid = { viewer: microscope.viewer };
  startTileFailures(microscope);
  const toggleColour = startColour(microscope, signal);
  startViewerKeys(microscope, tray, toggleColour, signal);
  void followSoon(slide, microscope);
  await microscope.opened;
  startDeepLink(microscope, startChannels(microscope, signal), signal);
  startReadouts(microscope);
  startPrefetch(microscope, signal);
  void annotate(microscope);
  const { accession } = slide;
  subscribe(accession ? ["case"] : ["slides"], () => void refresh(microscope), signal, accession ?? undefined, slideId);
  if (!slide.accession) await refreshTray();
}

/**
 * Whose slide it is must stand there: it is asked for until it is known.
 * @param {Slide} slide
 * @param {Microscope} microscope
 */
async function followSoon(slide, microscope) {
  await followCase(slide, microscope).catch(() => {
    if (!signal.aborted) window.setTimeout(() => void followSoon(slide, microscope), AGAIN_MS);
  });
}

/**
 * Whose slide it is, where it belongs to a case; others never fetch what that takes.
 * @param {Slide} slide
 * @param {Microscope} microscope
 */
async function followCase(slide, microscope) {
  if (!slide.accession) return;
  const { SlideCaseView } = await import("./slide_case.js");
  ofCase ??= new SlideCaseView(microscope, tray, signal);
  await ofCase.refresh();
}

/**
 * What is drawn on it, and what the checks found, come when the slide itself is there.
 * @param {Microscope} microscope
 */
async function annotate(microscope) {
  const { slide } = microscope;
  await microscope.drawn;
  // All at once: on a far line one module after the other would take a second each.
  for (const href of new Set((element("main").dataset.later ?? "").split(" ").filter(Boolean))) {
    if (!document.querySelector(`link[href="${href}"]`)) document.head.append(h("link", { rel: "modulepreload", href }));
  }
  const { startAnnotations } = await import("./annotations.js");
  if (!signal.aborted) await startAnnotations(microscope, signal);
  if (slide.channels || signal.aborted) return; // checks are made for slides in colour
  const { startQuality } = await import("./quality.js");
  await startQuality(microscope, tray, () => ofCase?.now ?? null, signal);
}

/** The slide's state and the tray change; what is under the microscope stays untouched. */
/** @param {Microscope} microscope */
async function refresh(microscope) {
  try {
    /** @type {Slide} */
    const slide = await getJson(slideData, signal);
    showBanner(slide);
    await (slide.accession ? followCase(slide, microscope) : refreshTray());
  } catch {
    // The line at the top already says that changes do not come through.
  }
}

async function refreshTray() {
  /** @type {import("./types.js").Worklist} */
  const worklist = await getJson("/api/v1/slides", signal).catch(() => ({ slides: [], arriving: [], quarantined: 0 }));
  tray.show(worklist.slides);
}

/** @param {unknown} error */
function fail(error) {
  document.addEventListener("keydown", (event) => event.key === "Escape" && backToWorklist(), { signal });
  if (error instanceof ApiError && error.status === 404) {
    const back = h("a", { class: "button", href: "/" }, icon("arrow-left"), t("Back to the worklist"));
    showState(state, "circle-alert", t("This slide is not here"), h("p", {}, t("It may have been removed, or it has not been read in yet.")), back);
  } else {
    showError(state, error, t("The slide could not be fetched"), () => void start());
  }
}

await start();
