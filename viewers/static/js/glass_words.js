/** Where an expected glass and its scans stand, as a person would say it. */
import { t } from "./i18n.js";

/** @typedef {import("./words.js").StateWords} StateWords */

/** @type {Record<string, StateWords>} */
export const GLASS_STATES = {
  expected: { tone: "neutral", icon: "circle-dashed", word: t("Expected") },
  printed: { tone: "neutral", icon: "circle-dashed", word: t("Label printed") },
  stained: { tone: "neutral", icon: "circle-dot", word: t("Stained") },
  queued: { tone: "neutral", icon: "clock", word: t("In the scan queue") },
  scanning: { tone: "neutral", icon: "hourglass", word: t("Being scanned") },
  scanned: { tone: "neutral", icon: "hourglass", word: t("Scanned, image on its way") },
  failed: { tone: "failed", icon: "circle-x", word: t("Scan failed") },
  checking: { tone: "neutral", icon: "hourglass", word: t("Being checked") },
  flagged: { tone: "attention", icon: "triangle-alert", word: t("Held back"), hint: t("Held back by the checks") },
  available: { tone: "done", icon: "circle-check", word: t("Can be read") },
  rescan: { tone: "attention", icon: "refresh-cw", word: t("To be scanned again") },
  glass_only: { tone: "done", icon: "circle-check", word: t("Glass only"), hint: t("Read under the light microscope.") },
  archived: { tone: "done", icon: "circle-check", word: t("Archived") },
  withdrawn: { tone: "neutral", icon: "circle-dashed", word: t("Withdrawn") },
  cancelled: { tone: "neutral", icon: "circle-dashed", word: t("Not coming") },
};

/** @type {Record<string, string>} */
const SCAN_STATES = {
  queued: t("the scan waits in the queue"),
  scanning: t("the scan is under way"),
  scanned: t("the scan is done, its image is on its way"),
  failed: t("the scan failed"),
  stored: t("the image is being checked"),
  available: t("the image can be read"),
  flagged: t("the image is held back by the checks"),
  replaced: t("the image has been replaced by a newer one"),
  withdrawn: t("the image has been withdrawn"),
  archived: t("the image is archived"),
};

/** @type {Record<string, string>} */
export const RESCAN_REASONS = {
  out_of_focus: t("Out of focus"),
  missing_tissue: t("Tissue missing"),
  stitching: t("Stitching error"),
  dirt: t("Dirt or bubble on the glass"),
  wrong_glass: t("Wrong glass"),
  other: t("Something else"),
};

/** @param {string} state */
export function glassState(state) {
  return GLASS_STATES[state] ?? { tone: /** @type {const} */ ("neutral"), icon: "circle-dashed", word: t("Unknown") };
}

/** @param {string} state of one scan, inside a sentence */
export function scanState(state) {
  return SCAN_STATES[state] ?? t("the image is in another state");
}
