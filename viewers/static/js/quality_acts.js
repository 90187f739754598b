/** What a person says after looking: good enough as it is, and why. */
import { sendJson } from "./api.js";
import { h } from "./dom.js";
import { formDialog } from "./form_dialog.js";
import { t } from "./i18n.js";

/** @param {string} slideId @param {string} runId */
function address(slideId, runId) {
  return `/api/v1/slides/${encodeURIComponent(slideId)}/quality/${encodeURIComponent(runId)}/verdict`;
}

/**
 * @param {{slide_id: string, run_id: string}} of
 * @param {(Node | string)[]} detail what it is about
 * @param {AbortSignal} signal
 */
export function release({ slide_id: slideId, run_id: runId }, detail, signal) {
  return formDialog({
    title: t("Good enough as it is"),
    detail: [...detail, h("p", {}, t("The image stays as it is, and is no longer asked about. Your reason is kept with it."))],
    fields: [{ name: "note", label: t("Reason") }],
    action: t("Release"),
    send: ({ note }) => sendJson("POST", address(slideId, runId), { state: "released", note }, signal),
  });
}

/**
 * After another scan was asked for: that the image was not good enough. The rescan stands anyway.
 * @param {{slide_id: string, run_id: string}} of
 * @param {string} note
 * @param {AbortSignal} signal
 */
export async function reject({ slide_id: slideId, run_id: runId }, note, signal) {
  await sendJson("POST", address(slideId, runId), { state: "rejected", note }, signal).catch(() => undefined);
}
