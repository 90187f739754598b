/** Sending a new case; a number that is known under another name is looked at before it counts. */
import { ApiError, sendJson } from "./api.js";
import { confirmDialog } from "./confirm_dialog.js";
import { t } from "./i18n.js";

/**
 * @param {Record<string, unknown> & {name: string}} answers
 * @param {AbortSignal} signal
 * @returns {Promise<any>}
 */
export async function sendEntry(answers, signal) {
  try {
    return await sendJson("POST", "/api/v1/cases", answers, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== "another_name") throw error;
    const sure = await confirmDialog({
      title: t("Is the number right?"),
      detail: t("The number is known under another name. If it is right, the patient is called {name} from now on, also in earlier cases. The change is kept with your name.", { name: answers.name }),
      action: t("The number is right, the name is new"),
    });
    if (!sure) throw error;
    return sendJson("POST", "/api/v1/cases", { ...answers, renamed: true }, signal);
  }
}
