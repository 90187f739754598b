/** States, reasons and remarks as a person would say them. */
import { t } from "./i18n.js";

/** @typedef {{tone: import("./types.js").Tone, icon: string, word: string, hint?: string}} StateWords */

/** @type {Record<import("./types.js").SlideState, StateWords>} */
export const SLIDE_STATES = {
  ready: { tone: "neutral", icon: "circle-dot", word: t("Ready to read"), hint: t("Can be read now; the last of it is still being stored.") },
  complete: { tone: "done", icon: "circle-check", word: t("Complete"), hint: t("Everything is stored.") },
};

/** @type {Record<import("./types.js").IntakeState, StateWords>} */
export const INTAKE_STATES = {
  received: { tone: "neutral", icon: "inbox", word: t("Arrived") },
  reading: { tone: "neutral", icon: "hourglass", word: t("Being read in") },
  ready: { tone: "neutral", icon: "circle-dot", word: t("Ready to read") },
  completing: { tone: "neutral", icon: "hourglass", word: t("Ready to read, being stored") },
  complete: { tone: "done", icon: "circle-check", word: t("Complete") },
  quarantined: { tone: "attention", icon: "shield-alert", word: t("In quarantine") },
  failed: { tone: "failed", icon: "circle-x", word: t("Failed") },
};

/** @type {Record<import("./types.js").ProcessState, StateWords>} */
export const PROCESS_STATES = {
  starting: { tone: "neutral", icon: "hourglass", word: t("Starting") },
  running: { tone: "done", icon: "circle-check", word: t("Running") },
  backing_off: { tone: "attention", icon: "triangle-alert", word: t("Waiting to restart") },
  stopped: { tone: "failed", icon: "circle-x", word: t("Stopped") },
};

/** @type {Record<string, string>} */
const PROCESS_NAMES = {
  prefect: "Prefect",
  dispatcher: t("Dispatcher"),
  web: t("Web server"),
  watch: t("Watch folder"),
  casework: t("Casework"),
  forwarder: t("Forwarding"),
  quality: t("Quality"),
  dicom: "DICOM",
};

/** @type {Record<string, string>} */
const FLOW_NAMES = {
  "read in slide": t("Read in slide"),
  "complete pyramid": t("Complete pyramid"),
  "report slide": t("Report slide afterwards"),
  "match slide": t("Find the glass of a slide"),
  "commit slide": t("Record the proof of a slide"),
  "take scan back": t("Take back a scan"),
  "keep time": t("Keep time"),
  "route case": t("Choose a pathologist"),
  "deliver message": t("Deliver a message"),
  "check quality": t("Check the quality of a slide"),
};

/** @type {Record<string, string>} */
const REASONS = {
  truncated: t("The file ends too early; the transfer was probably cut off. Send it again."),
  parts_missing: t("The slide is in several files, and one of them has not come. Send all of them again."),
  not_a_slide: t("The file is not a slide image."),
  unsupported_format: t("svartid cannot read this file format yet."),
  unsupported_compression: t("The image is compressed in a way svartid cannot read yet."),
  unsupported_dicom: t("This kind of DICOM file is not a slide svartid can read."),
  damaged: t("The file is damaged. Scan the slide again, or fetch the file from the scanner again."),
  levels_disagree: t("The overview shows tissue where the full image has none. Scan the slide again."),
  too_large: t("The image is larger than svartid accepts."),
  empty: t("The file is empty."),
  unreadable: t("The file could not be opened. Check the rights to the folder and the network drive."),
  changed_while_read: t("The file changed while it was being read. It is read in again when it rests."),
  no_space: t("There is no room on the disk. Free some space, then retry."),
  reader_crashed: t("The reader broke down on this file. The other slides are not affected."),
  took_too_long: t("Reading took too long and was stopped."),
  not_found: t("The file is no longer where it was put. Deliver it again."),
  no_access: t("svartid has no access to the file. Check the rights to the folder."),
  invalid_request: t("svartid does not understand what was asked for."),
  refused: t("Its state does not allow that."),
  illegal: t("It contradicts what is known already."),
  store_damaged: t("Something svartid had stored cannot be read back. Check the disk, then retry."),
  settings: t("A setting is missing or wrong; svartid doctor says which."),
  profile_unusable: t("The colour profile cannot be used."),
  busy: t("Something svartid needs did not answer in time: disk, database or another process."),
  internal: t("An error in svartid. It has been logged."),
};

/** @type {Record<string, string>} */
const NOTICES = {
  colour_tag_disagrees: t("The file's colour tag does not agree with its pixels; the pixels were believed."),
  mpp_unknown: t("Pixel size unknown: nothing can be measured."),
  encoded_once: t("The image had to be compressed once more while it was read in."),
  level_ignored: t("A level in the file did not fit the others and was left out."),
  missing_tiles: t("Parts of the image are missing in the file and are shown empty."),
  damaged_tiles: t("Parts of the image are damaged in the file; they are left out of the coarser levels."),
  focal_plane_chosen: t("The file holds several focal planes; one of them is shown."),
  optical_path_chosen: t("The file holds pictures in several kinds of light; the first is shown."),
  depth_reduced: t("The file's colours are finer than the 8 bits that are shown."),
};

/** @param {string | null} code */
export function reasonWords(code) {
  return code === null ? "" : (REASONS[code] ?? t("Unknown reason."));
}

/** @param {string} code */
export function noticeWords(code) {
  return NOTICES[code] ?? t("Unknown remark.");
}

/** @type {Record<string, StateWords>} */
const RUN_STATES = {
  Completed: { tone: "done", icon: "circle-check", word: t("Done") },
  Running: { tone: "neutral", icon: "hourglass", word: t("Running") },
  Scheduled: { tone: "neutral", icon: "clock", word: t("Planned") },
  Pending: { tone: "neutral", icon: "clock", word: t("Waiting") },
  Retrying: { tone: "attention", icon: "refresh-cw", word: t("Trying again") },
  Failed: { tone: "failed", icon: "circle-x", word: t("Failed") },
  Crashed: { tone: "failed", icon: "circle-x", word: t("Crashed") },
  Cancelled: { tone: "neutral", icon: "circle-dashed", word: t("Cancelled") },
};

/**
 * A run's state: Prefect's own word, or how the slide ended (`flows.intake` names states so). What
 * other flows call their ends is theirs: they are done.
 * @param {{state: string, done: boolean}} run
 */
export function runState({ state, done }) {
  const slideStates = /** @type {Record<string, StateWords>} */ (INTAKE_STATES);
  const unknown = { tone: /** @type {const} */ ("neutral"), icon: "circle-dashed", word: t("Unknown") };
  return RUN_STATES[state] ?? slideStates[state.toLowerCase()] ?? (done && RUN_STATES.Completed ? RUN_STATES.Completed : unknown);
}

/** @param {string} name */
export function flowName(name) {
  return FLOW_NAMES[name] ?? name;
}

/** @param {string} name of a process, with a number where there are several */
export function processName(name) {
  const [kind = "", ...rest] = name.split(" ");
  return [PROCESS_NAMES[kind] ?? kind, ...rest].join(" ");
}
