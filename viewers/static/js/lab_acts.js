/** Acts on one glass: stained, scanned again, read as glass, not coming, one more of its block. */
import { sendJson } from "./api.js";
import { h, icon } from "./dom.js";
import { formDialog } from "./form_dialog.js";
import { RESCAN_REASONS } from "./glass_words.js";
import { t } from "./i18n.js";
import { regionPicker } from "./lab_region.js";
import { element } from "./page.js";
import { refusalWords } from "./refusal_words.js";
import { associatedAddress } from "./slide_row.js";

/** @typedef {import("./types_lab.js").LabGlass} LabGlass */
/** @typedef {{changed: () => void, signal: AbortSignal}} Acting */

/** @param {string} barcode @param {string} act */
function address(barcode, act) {
  return `/api/v1/glasses/${encodeURIComponent(barcode)}/${act}`;
}

/**
 * Whose glass it is, before anything is said about it.
 * @param {{barcode: string, stain: string, block: string, accession: string, patient: {name: string}}} glass
 */
export function aboutGlass({ barcode, stain, block, accession, patient }) {
  const words = [stain, block && t("block {block}", { block }), accession, patient.name];
  return h("p", { class: "about-glass" }, h("b", { class: "barcode" }, barcode), h("span", {}, words.filter(Boolean).join(" · ")));
}

/** @param {LabGlass} glass @param {Acting} acting */
export async function markStained({ barcode }, { changed, signal }) {
  const place = element("scan-said");
  try {
    await sendJson("POST", address(barcode, "stained"), {}, signal);
    place.className = "scan-said state done";
    place.replaceChildren(icon("circle-check"), h("span", {}, t("{barcode} is stained.", { barcode })));
    changed();
  } catch (error) {
    place.className = "scan-said state failed";
    place.replaceChildren(icon("circle-alert"), h("span", {}, `${barcode}: ${refusalWords(error)}`));
  }
}

/**
 * @param {Pick<LabGlass, "barcode" | "stain" | "block" | "accession" | "patient" | "slide_id" | "region">} glass
 * @param {Acting} acting
 * @param {{reason?: string, note?: string, picture?: string}} [asked] what the checks would ask for
 */
export async function rescan(glass, { changed, signal }, asked = {}) {
  const picker = glass.slide_id ? regionPicker(asked.picture ?? associatedAddress(glass.slide_id, "overview"), glass.region) : null;
  const reasons = Object.entries(RESCAN_REASONS).map(([value, words]) => ({ value, words }));
  const done = await formDialog({
    title: t("Scan again"),
    detail: [aboutGlass(glass), ...(picker ? [picker.figure] : [])],
    fields: [
      { name: "reason", label: t("Reason"), kind: "choice", options: reasons, value: asked.reason },
      { name: "note", label: t("Note to whoever scans"), optional: true, value: asked.note },
    ],
    action: t("Scan again"),
    send: (answers) => sendJson("POST", address(glass.barcode, "rescan"), { ...answers, region: picker?.region() ?? null }, signal),
  });
  if (done) changed();
  return done;
}

/** @param {LabGlass} glass @param {Acting} acting */
export async function glassOnly(glass, acting) {
  await withReason(glass, acting, "glass-only", {
    title: t("Read as glass only"),
    detail: t("The case no longer waits for an image of it. The pathologist reads it under the light microscope."),
    action: t("Glass only"),
  });
}

/** @param {LabGlass} glass @param {Acting} acting */
export async function cancelGlass(glass, acting) {
  await withReason(glass, acting, "cancel", {
    title: t("The glass is not coming"),
    detail: t("The case no longer waits for it, and its scan is taken out of the queue."),
    action: t("Not coming"),
  });
}

/**
 * @param {LabGlass} glass
 * @param {Acting} acting
 * @param {string} act
 * @param {{title: string, detail: string, action: string}} words
 */
async function withReason(glass, { changed, signal }, act, { title, detail, action }) {
  const done = await formDialog({
    title,
    detail: [aboutGlass(glass), h("p", {}, detail)],
    fields: [{ name: "reason", label: t("Reason") }],
    action,
    send: (answers) => sendJson("POST", address(glass.barcode, act), answers, signal),
  });
  if (done) changed();
}

/**
 * One more glass of a case, of the same block to begin with; under an order if there is one.
 * @param {{accession: string, part: string, block: string, stain: string, order_id: string, detail?: Node}} like
 * @param {Acting} acting
 */
export async function expectAnother({ accession, part, block, stain, order_id, detail }, { changed, signal }) {
  const done = await formDialog({
    title: t("Expect a glass for {accession}", { accession }),
    detail: detail ? [detail] : [],
    fields: [
      { name: "barcode", label: t("Barcode"), hint: t("Read it from the label of the new glass.") },
      { name: "block", label: t("Block"), value: block },
      { name: "stain", label: t("Stain"), value: stain },
    ],
    action: t("Expect the glass"),
    send: (answers) => sendJson("POST", `/api/v1/cases/${encodeURIComponent(accession)}/slides`, { ...answers, part: part || answers.block.charAt(0), order_id }, signal),
  });
  if (done) changed();
}
