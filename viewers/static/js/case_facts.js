/** What is known beforehand: clinical information, specimens, earlier cases, why this pathologist. */
import { h, stateMark } from "./dom.js";
import { exactTime } from "./format.js";
import { t, tn } from "./i18n.js";
import { showPart } from "./case_parts.js";
import { why } from "./case_why.js";
import { CASE_STATES, specimenClass } from "./case_words.js";

/** @typedef {import("./types_case.js").Case} Case */
/** @typedef {import("./types_case.js").Specimen} Specimen */

/**
 * @param {Case} now
 * @param {boolean} own
 */
export function showFacts(now, own) {
  showPart("clinical", [now.clinical_information, now.requester, now.specimen_class, now.subspecialty, now.received_at], () => ({ body: clinical(now) }), own);
  showPart("specimens", now.specimens, () => (now.specimens.length === 0 ? null : { body: now.specimens.map(specimen) }), own);
  const earlier = now.earlier.map((row) => [row.accession, row.state]);
  showPart("earlier", earlier, () => ({ body: earlierCases(now) }), own);
  showPart("why", [now.why, now.assignee], () => (now.assignee === "" ? null : { body: why(now) }), own);
}

/** @param {Case} now */
function clinical(now) {
  const facts = [specimenClass(now.specimen_class), now.subspecialty, now.requester, now.received_at && t("received {time}", { time: exactTime(now.received_at) })];
  return [
    h("p", { class: "written" }, now.clinical_information || h("span", { class: "secondary" }, t("The requester has written nothing."))),
    h("p", { class: "secondary" }, facts.filter(Boolean).join(" · ")),
  ];
}

/** @param {Specimen} at */
function specimen(at) {
  const times = [at.taken_at && t("taken {time}", { time: exactTime(at.taken_at) }), at.received_at && t("received {time}", { time: exactTime(at.received_at) })];
  return h(
    "div",
    { class: "specimen" },
    h("b", {}, at.part, " ", at.topography),
    at.blocks.length > 0 && h("span", { class: "secondary" }, " · ", tn("{count} block", "{count} blocks", at.blocks.length), ": ", at.blocks.join(", ")),
    at.description && h("p", { class: "written" }, at.description),
    h("p", { class: "secondary" }, times.filter(Boolean).join(" · ")),
  );
}

/** @param {Case} now */
function earlierCases(now) {
  if (now.earlier.length === 0) return [h("p", { class: "secondary" }, t("None within your reach."))];
  return [
    h(
      "ul",
      { class: "lines" },
      ...now.earlier.map((row) =>
        h(
          "li",
          {},
          h("a", { href: `/cases/${encodeURIComponent(row.accession)}` }, row.accession),
          h("span", { class: "secondary" }, ` ${specimenClass(row.specimen_class)} · ${row.received_at ? exactTime(row.received_at) : ""} `),
          stateMark(CASE_STATES[row.state]),
        ),
      ),
    ),
  ];
}
