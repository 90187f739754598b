/** Why a file is stuck, in words, and as a map where there is one. */
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { reasonWords } from "./words.js";

/** @typedef {import("./types.js").Intake} Intake */

/** @param {Intake} intake */
export function mapOf(intake) {
  if (intake.reason !== "levels_disagree") return null;
  const address = `/api/v1/intake/${encodeURIComponent(intake.intake_id)}/map`;
  return h("a", { class: "reason", href: address, target: "_blank" }, t("Map of what is broken"));
}

/** @param {Intake} intake */
export function reason(intake) {
  if (intake.reason === null) return null;
  return h("small", { class: "reason", title: intake.detail }, reasonWords(intake.reason));
}
