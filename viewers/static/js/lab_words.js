/** Words of the laboratory: why a scan came to nothing, why a slide is unknown, how long. */
import { t } from "./i18n.js";

/** @type {Record<string, string>} */
const SCAN_REASONS = {
  no_news: t("the scanner went silent"),
  no_image: t("no image came"),
  mismatch: t("the image names another glass"),
  focus: t("no focus found"),
  tissue_not_found: t("no tissue found"),
  stitching: t("the strips did not fit together"),
  glass_jammed: t("the glass got stuck"),
  stopped: t("the scanner was stopped"),
};

/** @type {Record<string, string>} */
const WHY_UNKNOWN = {
  unknown: t("No glass with that barcode is expected."),
  no_barcode: t("No barcode could be read."),
  mismatch: t("File, label and scanner do not name the same glass."),
  two_glasses: t("It names two glasses of one case."),
  two_cases: t("It names glasses of two cases."),
};

/** @type {Record<string, string>} */
export const ORDER_KINDS = {
  recut: t("Recut"),
  stain: t("Stain"),
  immuno: t("Immunohistochemistry"),
  new_block: t("New block"),
};

/** @param {string} reason a scanner's word, or what a person wrote */
export function scanReason(reason) {
  return SCAN_REASONS[reason] ?? reason;
}

/** @param {string} why @returns {string | undefined} nothing when a rule refused it */
export function whyUnknown(why) {
  return WHY_UNKNOWN[why];
}

/**
 * How long, in the two units that matter: `12 min`, `3 t 10 min`, `2 d 4 t`.
 * @param {number} seconds
 */
export function spanOf(seconds) {
  const minutes = Math.max(0, Math.floor(seconds / 60));
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (minutes < 60) return t("{minutes} min", { minutes });
  if (days === 0 && minutes % 60 === 0) return t("{hours} h", { hours });
  if (days === 0) return t("{hours} h {minutes} min", { hours, minutes: minutes % 60 });
  return t("{days} d {hours} h", { days, hours });
}
