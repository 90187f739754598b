/** Series on their way to other nodes, in words: how far, and why one waits or was refused. */
import { t } from "./i18n.js";

/** @typedef {import("./types.js").Tone} Tone */
/** @typedef {import("./types.js").Forward} Forward */

/** @type {Record<Forward["state"], {tone: Tone, icon: string, word: string, hint?: string}>} */
export const FORWARD_STATES = {
  waiting: { tone: "neutral", icon: "clock", word: t("Waiting") },
  sent: { tone: "done", icon: "check", word: t("Stored there") },
  kept: { tone: "done", icon: "circle-check", word: t("Kept there"), hint: t("The node has taken over the keeping of every object") },
  refused: { tone: "failed", icon: "circle-x", word: t("Not sent") },
};
/** Something is wrong, and it will be tried again. */
export const FORWARD_DELAYED = { tone: /** @type {Tone} */ ("attention"), icon: "triangle-alert", word: t("Delayed") };

/** @type {Record<string, string>} */
const REASONS = {
  peer_away: t("The node does not answer."),
  peer_refuses: t("The node does not let svartid in."),
  peer_busy: t("The node cannot take anything just now."),
  peer_untrusted: t("The node's certificate is not trusted."),
  peer_unclear: t("The node's answer cannot be understood."),
  peer_silent: t("The node did not say that it has stored an object."),
  peer_conflict: t("The node holds something else under the same number."),
  no_context: t("The node does not take objects of this kind."),
  no_token: t("The node's access token cannot be read."),
  no_address: t("It is not known where the node listens."),
  store_damaged: t("An object cannot be read here."),
  not_allowed: t("The node's unit may not see this."),
  withdrawn: t("The image has been withdrawn or replaced."),
  gone: t("The series is not here any more."),
  peer_unknown: t("The node has been removed."),
  not_kept: t("The node does not keep every object."),
  internal: t("An error in svartid; the log says more."),
};

/** @type {Record<import("./types.js").ForwardRule["on"], string>} */
export const FORWARD_ON = {
  slide_complete: t("when a slide is complete"),
  final_report: t("when the case is answered"),
  series_received: t("when a series has been received"),
};

/** Why, without a number only where there is no word for it. @param {Forward} at */
export function forwardReason(at) {
  if (at.reason === "") return "";
  return REASONS[at.reason] ?? t("The node refused an object ({status}).", { status: at.reason });
}
