/** What is on the repair list, as a person would say it. */
import { factWords } from "./fact_words.js";
import { exactTime } from "./format.js";
import { t, tn } from "./i18n.js";
import { scanReason } from "./lab_words.js";
import { refusalReason } from "./refusal_words.js";

/** @typedef {import("./types_repairs.js").Repair} Repair */
/** @typedef {import("./words.js").StateWords} StateWords */

/** @type {Record<import("./types_repairs.js").RepairKind, StateWords>} the most harmful first */
export const REPAIR_KINDS = {
  two_accessions: { tone: "failed", icon: "shield-alert", word: t("One barcode, two cases") },
  image_after_closing: { tone: "attention", icon: "triangle-alert", word: t("Image after the case was closed") },
  scan_failed: { tone: "failed", icon: "circle-x", word: t("Scan failed") },
  undelivered: { tone: "failed", icon: "circle-alert", word: t("Message not delivered") },
  set_aside: { tone: "attention", icon: "archive-restore", word: t("Not recorded") },
  long_pause: { tone: "attention", icon: "clock", word: t("Long pause") },
  own_pause: { tone: "neutral", icon: "clock", word: t("Paused by its own reader") },
  clock_set_back: { tone: "attention", icon: "clock", word: t("Clock set back") },
  backdated: { tone: "neutral", icon: "clock", word: t("Entered late") },
};

/** @type {Record<string, string>} */
const MESSAGES = { report: t("Report"), notice: t("Notice"), image: t("Image") };

/** @type {Record<string, string>} */
const UNDELIVERED = {
  no_space: t("There is no room on the disk it is delivered to."),
  no_rights: t("svartid may not write to the folder it is delivered to."),
  disk: t("The disk it is delivered to does not answer."),
  report_unknown: t("There is no such report in the case."),
  message_malformed: t("The report could not be written as a message."),
};

/** What happened, in a line. @param {Repair} repair */
export function whatWords({ kind, what, about, count }) {
  if (kind === "undelivered") return t("{message} to {destination}", { message: MESSAGES[about.message] ?? about.message, destination: about.destination });
  if (kind === "long_pause") return t("The net clock has stood still for a long time");
  if (kind === "scan_failed") return t("No image of the glass");
  if (count > 1) return tn("{count} event", "{count} events", count);
  return factWords(what);
}

/** Which one: barcode, block, stain. @param {Repair} repair */
export function whichWords({ about }) {
  const { barcode, block, stain, part, pathologist } = about;
  return [barcode, stain, block && t("block {block}", { block }), part && !block && t("part {part}", { part }), pathologist].filter(Boolean).join(" · ");
}

/** Why a person has to look. @param {Repair} repair */
export function whyWords({ kind, reason, about, recorded_at: recorded, occurred_at: occurred }) {
  switch (kind) {
    case "two_accessions":
      return about.other_accession
        ? t("The barcode belongs to case {accession} already. Read both labels before anything else.", { accession: about.other_accession })
        : t("The barcode belonged to another case when this was said.");
    case "image_after_closing":
      return t("The image came after the case was cancelled or rejected. Should the case be opened again?");
    case "scan_failed":
      return sentence([scanReason(reason), tn("tried once", "tried {count} times", about.tries)].filter(Boolean).join(", "));
    case "undelivered":
      return [UNDELIVERED[reason] ?? t("It could not be delivered."), sentence([tn("tried once", "tried {count} times", about.tries), t("next try {time}", { time: exactTime(about.next_at) })].join(", "))].join(" ");
    case "long_pause":
      return t("Has what was waited for come, without anybody saying so?");
    case "own_pause":
      return t("The net clock was stopped by the pathologist whose case it is. That is allowed, and looked at.");
    case "clock_set_back":
      return t("The server's clock has gone backwards. The order of events may be wrong.");
    case "backdated":
      return t("Entered {late} after it happened; marked in every figure.", { late: lateness(occurred, recorded) });
    default:
      return refusalReason(reason);
  }
}

/** @param {string | null} occurred @param {string} recorded */
function lateness(occurred, recorded) {
  const hours = occurred === null ? 0 : (Date.parse(recorded) - Date.parse(occurred)) / 3.6e6;
  if (hours < 48) return tn("{count} hour", "{count} hours", Math.max(1, Math.round(hours)));
  return tn("{count} day", "{count} days", Math.round(hours / 24));
}

/** @param {string} words */
function sentence(words) {
  return `${words.charAt(0).toLocaleUpperCase()}${words.slice(1)}.`;
}
