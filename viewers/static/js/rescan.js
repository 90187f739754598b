/** Asking for another scan of the glass, with the place to look at drawn on it. */
import { sendJson } from "./api.js";
import { h } from "./dom.js";
import { formDialog } from "./form_dialog.js";
import { number } from "./format.js";
import { RESCAN_REASONS } from "./glass_words.js";
import { t } from "./i18n.js";
import { drawRegion } from "./rescan_region.js";

/**
 * @param {import("./microscope.js").Microscope} microscope
 * @param {import("./types_case.js").SlideCase} now
 * @param {AbortSignal} signal
 * @param {{reason: string, region: [number, number, number, number] | null}} [suggested] by the checks, in place of drawing
 * @returns {Promise<string | null>} the reason in words; null: thought better of it
 */
export async function askForRescan(microscope, now, signal, suggested) {
  if (!now.may.rescan) return null;
  const drawn = suggested ?? (await drawRegion(microscope));
  if (drawn === null) return null;
  const { region } = drawn;
  let asked = "";
  const share = region && { width: number(region[2] * 100), height: number(region[3] * 100) };
  const done = await formDialog({
    title: t("Ask for a rescan"),
    detail: [
      h("p", {}, share ? t("The place: {width} % by {height} % of the image, as drawn.", share) : t("The place: the whole glass.")),
      h("p", { class: "secondary" }, t("The scan that is there stays readable until the new one comes, and is kept afterwards.")),
    ],
    fields: [
      { name: "reason", label: t("What is wrong"), kind: "choice", value: suggested?.reason, options: Object.entries(RESCAN_REASONS).map(([value, words]) => ({ value, words })) },
      { name: "note", label: t("Note to the laboratory"), optional: true },
    ],
    action: t("Ask for a rescan"),
    send: (said) => {
      asked = RESCAN_REASONS[said.reason] ?? "";
      return sendJson("POST", `/api/v1/glasses/${encodeURIComponent(now.barcode)}/rescan`, { ...said, region }, signal);
    },
  });
  return done ? asked : null;
}
