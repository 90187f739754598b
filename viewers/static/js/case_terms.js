/** The closed lists of a case in words: clocks, steps, orders, pauses, agreement, why somebody. */
import { t, tn } from "./i18n.js";

/** @type {Record<string, string>} */
const CLOCKS = {
  K1: t("Turnaround (received to reported)"),
  K2: t("The patient's wait (taken to reported)"),
  K3: t("Transport"),
  K4: t("Laboratory"),
  K5: t("Digitisation"),
  K6: t("Wait to be read"),
  K7: t("Reading"),
  K8: t("Signed to requester"),
  K9: t("Second opinion"),
  K10: t("To preliminary report"),
  K11: t("Supplement"),
};

/** @type {Record<string, string>} */
const STEPS = {
  lab: t("Laboratory"),
  scan_queue: t("Scan queue"),
  scanning: t("Scanning"),
  checks: t("Checks and reading in"),
  wait_to_read: t("Wait to be read"),
  read: t("Reading"),
  await_work_order: t("Waiting for an order"),
  await_consultation: t("Waiting for a second opinion"),
  await_information: t("Waiting for information"),
  await_external: t("Waiting for others outside"),
  await_rescan: t("Waiting for a rescan"),
  to_requester: t("Signed to requester"),
};

/** @type {Record<string, string>} */
export const ORDER_KINDS = {
  recut: t("Recut"),
  stain: t("Special stain"),
  immuno: t("Immunohistochemistry"),
  new_block: t("New block"),
};

/** @type {Record<string, string>} */
export const PAUSE_REASONS = {
  info_from_requester: t("Information from the requester"),
  material_from_requester: t("Material from the requester"),
  external_analysis: t("Analysis elsewhere"),
  external_consult: t("Second opinion from outside"),
  patient_consent: t("The patient's consent"),
};

/** @type {Record<string, string>} */
export const AGREEMENTS = { agree: t("Agrees"), partly: t("Partly agrees"), disagree: t("Disagrees") };

/** @param {string} key */
export function clockName(key) {
  return CLOCKS[key] ?? key;
}

/** @param {string} step */
export function stepName(step) {
  return STEPS[step] ?? step;
}

/**
 * A length of time to think in: two units, the larger first.
 * @param {number} seconds
 */
export function elapsed(seconds) {
  const minutes = Math.floor(seconds / 60);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)];
  if (days > 0) return hours > 0 ? t("{days} d {hours} h", { days, hours }) : t("{days} d", { days });
  if (hours > 0) return t("{hours} h {minutes} min", { hours, minutes: minutes % 60 });
  return minutes > 0 || seconds < 1 ? t("{minutes} min", { minutes }) : t("{seconds} s", { seconds: Math.round(seconds) });
}

/** @param {number} days */
export function workingDays(days) {
  return tn("{count} working day", "{count} working days", days);
}
