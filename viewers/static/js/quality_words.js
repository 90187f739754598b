/** What checks of quality are called, and what they say, as a person would. */
import { t } from "./i18n.js";

/** @typedef {import("./words.js").StateWords} StateWords */

/** @type {Record<import("./types_quality.js").QualityWord, StateWords>} */
export const QUALITY_STATES = {
  pass: { tone: "done", icon: "circle-check", word: t("Passed") },
  review: { tone: "attention", icon: "triangle-alert", word: t("To be looked at") },
  rescan: { tone: "failed", icon: "refresh-cw", word: t("Scan again?"), hint: t("The checks ask for another scan. A person decides.") },
  not_evaluated: { tone: "neutral", icon: "circle-dashed", word: t("Not evaluated") },
  error: { tone: "neutral", icon: "circle-alert", word: t("Check failed") },
  released: { tone: "done", icon: "check", word: t("Good enough") },
  rejected: { tone: "attention", icon: "x", word: t("Not good enough") },
  not_yet: { tone: "neutral", icon: "hourglass", word: t("Not checked"), hint: t("Not checked yet") },
};

/** @type {Record<string, string>} */
const CHECKS = {
  "tissue.area": t("Tissue on the glass"),
  "coverage.missing": t("Tissue that was not scanned"),
  "tiles.missing": t("Missing parts of the image"),
  "focus.radius": t("Focus"),
  "stitch.shift": t("Stitching"),
  "band.step": t("Brightness of the strips"),
  "pen.area": t("Pen"),
  "fold.area": t("Folds"),
  "bubble.area": t("Air bubbles"),
  "dust.area": t("Dust and dirt"),
  "edge.coverslip": t("Edge of the coverslip"),
  "edge.scratch": t("Scratches"),
  "stain.background": t("Background"),
  "stain.cohort": t("Stain against the usual"),
  clip: t("Too bright or too dark"),
  "jpeg.quality": t("Quality of the JPEG"),
  identity: t("Label and order"),
};

/** What is drawn on maps of kinds. @type {Record<string, string>} */
const CLASSES = {
  missing: t("missing"),
  damaged: t("cannot be read"),
  constant: t("of one colour"),
  fold: t("fold"),
  bubble: t("air bubble"),
  dust: t("dust or dirt"),
  pen: t("pen"),
  red: t("red pen"),
  green: t("green pen"),
  blue: t("blue pen"),
  black: t("black pen"),
  edge: t("edge of the coverslip"),
  scratch: t("scratch"),
};

/** @type {Record<string, string>} */
const WHY_NOT = {
  mpp_unknown: t("The pixel size is not known."),
  no_tissue: t("There is no tissue to look at."),
  too_little_tissue: t("There is too little tissue to say."),
  no_glass: t("There is no clear glass to measure."),
  too_coarse: t("The image is too coarse for it."),
  no_jpeg: t("The image is not kept as JPEG."),
  no_overview: t("The file holds no picture of the whole glass."),
  overview_without_tissue: t("The picture of the whole glass shows no tissue."),
  overview_not_registered: t("The picture of the whole glass does not fit the image."),
  no_order: t("The image belongs to no glass that was ordered."),
  nothing_to_compare: t("The label says nothing that can be compared with the order."),
  cohort_too_small: t("There are too few slides of that scanner and stain to compare with."),
  torch_missing: t("The program that runs networks is not installed."),
  in_channels: t("Checks are made for slides in colour, not for channels."),
  on_dark_ground: t("Checks are made for stained slides on light ground."),
  switched_off: t("The check is switched off."),
};

/** @type {Record<string, string>} */
const LIMITS = {
  synthetic: t("Trained on made-up blur, not on real blur."),
  synthetic_defocus: t("Trained on made-up blur, not on real blur."),
  trained_on_synthetic_artefacts: t("Trained on made-up faults, not on real ones."),
  lines_by_rule: t("Found by a rule: other straight lines may look like it."),
  ink_like_stain: t("The stain has the colour of a pen: less certain."),
};

/** @param {string} check */
export function checkName(check) {
  return CHECKS[check] ?? t("Another check");
}

/** @param {string} word of a kind on a map */
export function className(word) {
  return CLASSES[word] ?? t("marked");
}

/** @param {string} word why a check has no figure */
export function whyNot(word) {
  return WHY_NOT[word] ?? t("It could not be measured here.");
}

/**
 * Of a case's history: `rescan tiles.missing missing_mm2>0, focus.radius …` as the checks' names;
 * what another system has written stays as it is.
 * @param {string} finding
 */
export function findingWords(finding) {
  const [state = "", ...rest] = finding.split(" ");
  if (state !== "review" && state !== "rescan") return finding;
  const names = rest.join(" ").split(", ").map((each) => checkName(each.split(" ")[0] ?? ""));
  return `${QUALITY_STATES[state].word}: ${names.join(", ")}`;
}

/** What the reader of a finding must know. @param {string[]} words */
export function limitWords(words) {
  return words.flatMap((word) => LIMITS[word] ?? []);
}
