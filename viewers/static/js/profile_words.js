/** Why colours cannot be corrected by a slide's profile, in words. */
import { t } from "./i18n.js";

/** @type {Record<string, string>} */
const PROFILE_REASONS = {
  too_large: t("the colour profile is too large"),
  damaged: t("the colour profile is damaged"),
  not_rgb: t("the colour profile is not for this kind of image"),
  inexact: t("the colour profile cannot be followed exactly enough"),
};

/** @param {string} code */
export function profileReason(code) {
  return PROFILE_REASONS[code] ?? t("Unknown reason.");
}
