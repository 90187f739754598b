/** Why something was refused: the server's `reason` as a sentence that says what can be done. */
import { ApiError } from "./api.js";
import { factWords } from "./fact_words.js";
import { glassState, scanState } from "./glass_words.js";
import { t } from "./i18n.js";
import { reasonWords } from "./words.js";

/** @type {Record<string, string>} */
const REFUSALS = {
  absence_empty: t("The absence ends before it begins."),
  accepted_by_another: t("Somebody else has accepted it."),
  accession_taken: t("Another case has that number."),
  ai_may_not: t("A program that judges pictures may only raise the priority or leave a note."),
  already: t("That has been recorded already."),
  annotation_locked: t("The annotation is locked. Unlock it first."),
  annotation_newer: t("Somebody has changed the annotation meanwhile. What you see is theirs; make your change in it."),
  annotation_removed: t("Somebody has deleted the annotation meanwhile."),
  annotation_there: t("The annotation is there already."),
  another_name: t("The number is known under another name. Read the number once more."),
  asked_missing: t("Say who is asked; nobody asks themselves."),
  assigned_to_another: t("The case belongs to another pathologist. Ask for a handover, or have it reassigned."),
  barcode_missing: t("The glass has no barcode."),
  barcode_of_another_case: t("That barcode belongs to another case. Read both labels."),
  barcode_twice: t("The same barcode is there twice."),
  case_answered: t("The case has been answered."),
  case_closed: t("The case is cancelled or rejected."),
  case_not_opened: t("The case has not been opened by its pathologist yet."),
  case_opened: t("The case is being read. It can be cancelled, but no longer rejected."),
  case_signed: t("The report is signed. Order additional work, or write a supplement."),
  case_unknown: t("There is no such case. Enter it first."),
  claimed_by_another: t("Somebody else has begun this work."),
  code_malformed: t("A code is not a Danish SNOMED code: one letter and five digits, such as T28000."),
  code_missing_M: t("A morphology code (M) is missing."),
  code_missing_T: t("A topography code (T) is missing."),
  consultation_ended: t("The second opinion has ended: answered, declined or withdrawn."),
  consultation_unknown: t("There is no such second opinion."),
  draft_newer: t("Somebody has saved a newer draft meanwhile. Nothing has been saved over it."),
  event_unknown: t("There is no such event on the case, or it is a correction itself."),
  evidence_missing: t("A pause needs what it is linked to: the question sent, or the requisition elsewhere."),
  final_exists: t("There is a final report already. Write a supplement or a correction."),
  final_not_distributed: t("The final report has not reached the requester yet."),
  flag_unknown: t("There is no such flag."),
  from_the_future: t("The time lies in the future. Check the clock of the machine that says so."),
  image_of_another_slide: t("That image belongs to another glass."),
  image_unknown: t("There is no such image of the glass."),
  key_used_before: t("The sender has used the same message number for something else."),
  month_not_over: t("The month is not over yet."),
  no_annotations: t("Nothing is drawn on this slide."),
  no_areas: t("A mask is of areas, and none is drawn here."),
  not_assigned: t("The case is nobody's yet. Take it first."),
  not_claimed: t("Nobody has begun this work: it waits, or was taken back."),
  not_possible_here: t("That cannot be done about this line."),
  of_another_image: t("The file is about another image. Open that one, and import it there."),
  opinion_missing: t("Write the opinion."),
  order_ended: t("The order is fulfilled or cancelled."),
  order_unknown: t("There is no such order on the case."),
  part_missing: t("There has to be at least one part."),
  part_twice: t("The same part is there twice."),
  part_unknown: t("A glass is of a part that is not there."),
  pathologist_missing: t("Say which pathologist."),
  pathologist_unknown: t("Nobody of that name is a pathologist here."),
  patient_unknown: t("The patient is not known. Enter the patient first."),
  pause_unknown: t("There is no such pause."),
  policy_changed: t("Somebody has made another version meanwhile. Read it, and make your change in it."),
  preliminary_is_not_signed: t("A preliminary report is sent, not signed."),
  published_before: t("The month has been published. Say why it is published again."),
  question_missing: t("Write the question."),
  reason_missing: t("Give a reason."),
  report_unknown: t("There is no such report, or it has not been sent."),
  second_does_not_fit: t("That does not fit the glass of this barcode. Read the label once more; if it is right, it is another glass."),
  signed_report_stays: t("It would change the order or the fact of a signed report. Write a corrected report instead."),
  slide_unknown: t("The case expects no such glass."),
  slides_not_readable: t("Not every glass of the case can be read."),
  something_stands_open: t("A flag or a second opinion stands open. See it, or sign with a reason."),
  specimen_not_received: t("The specimen has not been received."),
  specimen_received: t("The specimen has been received already: that cannot have come after."),
  stain_missing: t("Say which stain."),
  text_missing: t("The text is empty."),
  told_otherwise: t("The same thing has been told before, in other words. Find out which is right."),
  too_many_for_a_report: t("A report holds two thousand annotations. Export DICOM annotations instead."),
  too_many_for_masks: t("There are too many labels for masks, or the slide is too large."),
  unit_missing: t("Say which department the case belongs to."),
  work_ended: t("The work has ended already."),
};

/** @param {string} reason */
export function refusalReason(reason) {
  const [kind = "", rest = ""] = parted(reason);
  if (kind === "slide_is") return t("The glass does not allow that now: {state}.", { state: glassState(rest).word });
  if (kind === "scan_is") return t("The scan does not allow that now: {state}.", { state: scanState(rest) });
  if (kind === "contradicts") return t("It cannot be so, since this happened: {event}.", { event: factWords(rest) });
  return REFUSALS[reason] ?? t("It contradicts what is known already.");
}

/**
 * What an ApiError (or a call that never came through) means to the person who asked.
 * @param {unknown} error
 */
export function refusalWords(error) {
  if (!(error instanceof ApiError) || error.status === 0) return t("That did not reach the server. Try again.");
  if (error.reason) return refusalReason(error.reason);
  if (error.status === 403) return t("You do not have the right to do that.");
  if (error.status === 404) return t("There is nothing of that number within your reach.");
  if (error.status === 422) return t("Something is missing or written in a way svartid does not understand.");
  return reasonWords(error.code || "internal");
}

/** @param {string} reason */
function parted(reason) {
  return /^(slide_is|scan_is|contradicts)_(.+)$/.exec(reason)?.slice(1) ?? [];
}
