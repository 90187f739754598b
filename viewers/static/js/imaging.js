/** The radiology page: one study, its series beside it, one of them on the stage. */
import { ApiError, getJson } from "./api.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { showStudy } from "./imaging_banner.js";
import { startImagingKeys } from "./imaging_keys.js";
import { clearObjects, showObjects } from "./imaging_objects.js";
import { Page } from "./imaging_page.js";
import { startPointer } from "./imaging_pointer.js";
import { startReadout } from "./imaging_readout.js";
import { SeriesTray } from "./imaging_series.js";
import { startTools } from "./imaging_tools.js";
import { failureWords } from "./imaging_words.js";
import { element } from "./page.js";
import { showError, showState } from "./states.js";

/**
 * @typedef {import("./types_imaging.js").SeriesEntry} SeriesEntry
 * @typedef {import("./types_imaging.js").StudyEntry} StudyEntry
 */

const SLOW_MS = 150;

const leaving = new AbortController();
window.addEventListener("pagehide", (event) => event.persisted || leaving.abort());
const { study = "", wanted = "", case: cameFrom = "" } = element("main").dataset;
const page = new Page(study, leaving.signal);
const state = element("stage-state");
/** @type {SeriesTray | null} */
let tray = null;
let waiting = 0;

startPointer(page);
startReadout(page);
startTools(page);
startImagingKeys(page, (step) => tray?.go(step));
page.player.addEventListener("waiting", () => waitSoon(t("Fetching the image")));
page.player.addEventListener("shown", settled);
page.player.addEventListener("failed", (event) => {
  settled();
  page.stage.clear();
  showState(state, "circle-alert", failureWords(/** @type {CustomEvent} */ (event).detail));
});
window.svartid = { imaging: page };

/** What takes long is said; what does not would only flicker. @param {string} words */
function waitSoon(words) {
  window.clearTimeout(waiting);
  waiting = window.setTimeout(() => showState(state, "hourglass", words), SLOW_MS);
}

function settled() {
  window.clearTimeout(waiting);
  state.replaceChildren();
}

/** Whole-slide images are tiles of one picture; a stack of them would be nothing to read. @param {SeriesEntry} series */
function isSlide({ modality, slide_id: slide }) {
  return modality === "SM" && slide === null;
}

/** @param {SeriesEntry} series */
async function open(series) {
  tray?.mark(series.series_uid);
  const query = new URLSearchParams(cameFrom ? { series: series.series_uid, case: cameFrom } : { series: series.series_uid });
  history.replaceState(null, "", `?${query}`);
  clearObjects();
  settled();
  if (isSlide(series)) {
    page.player.close();
    showState(state, "hourglass", t("A slide that has not been read in yet"), h("p", {}, t("It opens in the microscope as soon as it has.")));
    return;
  }
  waitSoon(t("Fetching the series"));
  try {
    const opened = await page.player.open(series.series_uid);
    if (!opened || opened.frames.length > 0) return;
    settled();
    showObjects(opened.instances, series.modality, page.reader);
  } catch (error) {
    if (leaving.signal.aborted) return;
    settled();
    showError(state, error, t("The series could not be fetched"), () => void open(series));
  }
}

async function start() {
  showState(state, "hourglass", t("Fetching the images"));
  try {
    /** @type {StudyEntry} */
    const found = await getJson(`/api/v1/imaging/${encodeURIComponent(study)}`, leaving.signal);
    showStudy(found, cameFrom);
    tray = new SeriesTray(found, (series) => void open(series));
    const shown = found.series.filter((at) => !at.slide_id);
    const first = shown.find((at) => at.series_uid === wanted) ?? shown[0];
    if (first) await open(first);
    else showState(state, "image", t("There are only slides here"), h("p", {}, t("They open in the microscope, from the list at the left.")));
  } catch (error) {
    if (!leaving.signal.aborted) fail(error);
  }
}

/** @param {unknown} error */
function fail(error) {
  if (error instanceof ApiError && (error.status === 404 || error.status === 403)) {
    const back = h("a", { class: "button", href: "/cases" }, icon("arrow-left"), t("Back to the list"));
    showState(state, "lock", t("There are no such images within your reach"), h("p", {}, t("You see the images of patients who have a case with you or your unit.")), back);
  } else showError(state, error, t("The images could not be fetched"), () => void start());
}

await start();
