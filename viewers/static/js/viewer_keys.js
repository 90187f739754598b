/** Keys and buttons of the microscope. Each key has a button or a gesture that does the same. */
import { toggleChannels } from "./channel_panel.js";
import { t } from "./i18n.js";
import { keyIsTaken, keysDialog } from "./keys_dialog.js";
import { objectives } from "./optics.js";
import { toggleOverview } from "./overview.js";
import { element } from "./page.js";

const ZOOM_STEP = 1.5;
const QUARTER = 90;

/**
 * @param {import("./microscope.js").Microscope} microscope
 * @param {import("./slide_tray.js").SlideTray} tray
 * @param {() => void} toggleColour
 * @param {AbortSignal} signal
 */
export function startViewerKeys(microscope, tray, toggleColour, signal) {
  const toggleKeys = keysDialog(lines(microscope.slide));
  /** @type {Record<string, () => void>} */
  const actions = {
    ArrowLeft: () => microscope.pan(-1, 0),
    ArrowRight: () => microscope.pan(1, 0),
    ArrowUp: () => microscope.pan(0, -1),
    ArrowDown: () => microscope.pan(0, 1),
    a: () => microscope.pan(-1, 0),
    d: () => microscope.pan(1, 0),
    w: () => microscope.pan(0, -1),
    s: () => microscope.pan(0, 1),
    "+": () => microscope.zoomBy(ZOOM_STEP),
    "=": () => microscope.zoomBy(ZOOM_STEP),
    "-": () => microscope.zoomBy(1 / ZOOM_STEP),
    0: () => microscope.home(),
    r: () => microscope.rotate(QUARTER),
    R: () => microscope.rotate(-QUARTER),
    f: () => microscope.flip(),
    o: toggleOverview,
    c: toggleChannels,
    t: () => tray.toggle(),
    i: toggleColour,
    "[": () => tray.open(-1),
    "]": () => tray.open(1),
    "?": toggleKeys,
    Escape: backToWorklist,
  };
  objectives(microscope.slide.mpp).forEach((objective, index) => {
    if (objective.possible) actions[index + 1] = () => microscope.zoomToDownsample(objective.downsample);
  });
  document.addEventListener(
    "keydown",
    (event) => {
      const action = actions[event.key];
      if (!action || keyIsTaken(event)) return;
      if (event.key === "Escape" && document.querySelector(":popover-open")) return;
      event.preventDefault();
      action();
    },
    { signal },
  );
  buttons({
    "rotate-left": actions.R,
    "rotate-right": actions.r,
    flip: actions.f,
    home: actions[0],
    "overview-toggle": toggleOverview,
    "tray-toggle": actions.t,
    previous: actions["["],
    next: actions["]"],
    keys: toggleKeys,
  });
}

/** @param {Record<string, (() => void) | undefined>} actions by the button's id */
function buttons(actions) {
  for (const [id, action] of Object.entries(actions)) {
    if (action) element(id).addEventListener("click", action);
  }
}

/** Esc leaves even a slide that could not be opened: to its case, or to the slides. */
export function backToWorklist() {
  location.assign(element("back").getAttribute("href") ?? "/");
}

/**
 * @param {import("./types.js").Slide} slide
 * @returns {import("./keys_dialog.js").KeyLine[]}
 */
function lines({ mpp, icc, channels, accession }) {
  /** @type {import("./keys_dialog.js").KeyLine[]} */
  const ofChannels = channels ? [[["c"], t("Show or hide the channels")]] : [];
  /** @type {import("./keys_dialog.js").KeyLine[]} */
  const quality = channels ? [] : [[["q", "m"], t("Show or hide the checks, their maps in turn")]];
  /** @type {import("./keys_dialog.js").KeyLine[]} */
  const colour = icc ? [[["i"], t("Colours as scanned, or corrected by the slide's profile")]] : [];
  /** @type {import("./keys_dialog.js").KeyLine[]} */
  const ofCase = accession ? [[["p"], t("Show or hide question, flags and report")], [["x"], t("Ask for a rescan")]] : [];
  return [
    [["1", "2", "3", "4", "5", "6"], mpp !== null ? t("Objective 1, 2, 4, 10, 20, 40") : t("Pixel ratio 1:32 to 1:1")],
    [["←", "↑", "↓", "→"], t("Move (also W A S D)")],
    [["+", "-"], t("Closer, further away")],
    [["0"], t("Whole slide")],
    [["r", "R"], t("Rotate right, left")],
    [["f"], t("Flip left to right")],
    [["[", "]"], t("Previous, next slide")],
    [["o"], t("Show or hide the overview")],
    ...ofChannels,
    [["t"], t("Show or hide the slides")],
    ...colour,
    ...ofCase,
    ...quality,
    [["n"], t("Show or hide the list of annotations")],
    [["h"], t("Show the slide without annotations")],
    [["k", "b", "g", "l"], t("Draw a point, a rectangle, a polygon, a text")],
    [["Space", "Enter"], t("Set a corner in the middle of the field, close the polygon")],
    [["Del", "z"], t("Delete what is chosen, undo")],
    [["Esc"], accession ? t("Back to the case") : t("Back to the worklist")],
    [["?"], t("Keys")],
  ];
}
