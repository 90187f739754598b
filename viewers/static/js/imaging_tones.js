/** Which windows there are for an image, which one it opens with, and what is chosen. */
import { t } from "./i18n.js";
import { CT_WINDOWS, fileWindows, wholeWindow } from "./imaging_window.js";
import { rangeOf } from "./imaging_values.js";
import { text } from "./imaging_tags.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 * @typedef {import("./types_imaging.js").Grey} Grey
 * @typedef {import("./types_imaging.js").Window} Window
 * @typedef {import("./types_imaging.js").Lut} Lut
 * @typedef {{key: string, name: string, shown: Window | Lut}} Tone
 */

/** @type {Record<keyof typeof CT_WINDOWS, string>} */
const CT_NAMES = {
  soft: t("Soft tissue"),
  lung: t("Lung"),
  bone: t("Bone"),
  brain: t("Brain"),
  liver: t("Liver"),
  mediastinum: t("Mediastinum"),
};

/**
 * The windows of an image, the one it opens with first.
 * @param {Dataset} dataset
 * @param {Grey} grey
 * @param {Lut[]} tables its own tables of windows
 * @param {Window} whole everything there is
 * @returns {Tone[]}
 */
export function tonesOf(dataset, grey, tables, whole) {
  const windows = fileWindows(dataset);
  const told = windows.map(({ name, window }, index) => ({ key: `file${index}`, name: nameOf(name, index, windows.length), shown: window }));
  const ofTables = tables.map((table, index) => ({ key: `table${index}`, name: t("Table from the file"), shown: table }));
  const all = { key: "whole", name: t("All values"), shown: whole };
  return [...told, ...ofTables, ...(isHounsfield(dataset) ? ctTones() : []), all];
}

/** @param {string} name @param {number} index @param {number} count */
function nameOf(name, index, count) {
  const own = t("From the file");
  if (name) return `${own}: ${name}`;
  return count > 1 ? `${own} ${index + 1}` : own;
}

/** Presets are in Hounsfield units; a CT without rescale is not in them. @param {Dataset} dataset */
function isHounsfield(dataset) {
  return text(dataset, "00080060") === "CT" && dataset["00281052"] !== undefined;
}

/** @returns {Tone[]} */
function ctTones() {
  return Object.entries(CT_WINDOWS).map(([key, [center, width]]) => ({ key, name: CT_NAMES[/** @type {keyof typeof CT_WINDOWS} */ (key)], shown: { center, width, shape: "LINEAR" } }));
}

/** What is chosen for a stack: one of its windows, or one set by hand; kept from picture to picture. */
export class Tones {
  constructor() {
    /** @type {string | null} */
    this.chosen = null;
    /** @type {Window | null} */
    this.byHand = null;
    /** @type {Window | null} that of the first picture, so that a stack does not flicker */
    this.whole = null;
    /** @type {Tone[]} */
    this.list = [];
  }

  /**
   * @param {Dataset} dataset
   * @param {Grey} grey
   * @param {Lut[]} tables
   */
  update(dataset, grey, tables) {
    this.whole ??= wholeWindow(...rangeOf(grey));
    this.list = tonesOf(dataset, grey, tables, this.whole);
  }

  /** What the picture is shown with now. @returns {Window | Lut} */
  get shown() {
    if (this.byHand) return this.byHand;
    const tone = this.list.find((at) => at.key === this.key);
    if (!tone) throw new Error("no window yet");
    return tone.shown;
  }

  /** The key of the tone that is shown; empty for one set by hand. */
  get key() {
    if (this.byHand) return "";
    const found = this.list.find((at) => at.key === this.chosen) ?? this.list[0];
    return found?.key ?? "";
  }

  /** @param {string} key */
  choose(key) {
    this.byHand = null;
    this.chosen = key;
    if (key === "whole") this.whole = null;
  }

  /** @param {Window} window */
  set(window) {
    this.byHand = window;
  }

  /** As it opened. */
  reset() {
    this.byHand = this.chosen = null;
  }

  /** The shown one as a window to begin a drag with. @param {Grey} grey @returns {Window} */
  asWindow(grey) {
    const { shown } = this;
    return "entries" in shown ? wholeWindow(...rangeOf(grey)) : shown;
  }
}
