/** Whose images these are, always in sight; what they show, and the way to the case. */
import { h, icon, setContent } from "./dom.js";
import { t } from "./i18n.js";
import { dayWithYear, modalityWord } from "./imaging_words.js";
import { element } from "./page.js";
import { ageWords, patientLine, sexWord } from "./patient.js";

/** @typedef {import("./types_imaging.js").StudyEntry} StudyEntry */

/**
 * @param {StudyEntry} study
 * @param {string} cameFrom the case to go back to; empty: the study's own
 */
export function showStudy(study, cameFrom) {
  const kinds = [...new Set(study.series.map((at) => modalityWord(at.modality)))].join(", ");
  document.title = `${[study.patient.name, study.description || kinds].filter(Boolean).join(" · ")} – svartid`;
  const facts = [study.description || kinds, study.at && dayWithYear(study.at), study.accession];
  setContent(
    element("identity"),
    h("h1", { class: "patient" }, study.known ? patientLine(study.patient) : strangerLine(study.patient)),
    !study.known && h("span", { class: "state attention" }, icon("circle-help"), h("span", {}, t("patient not known here"))),
    h("span", { class: "facts-line" }, facts.filter(Boolean).join(" · ")),
  );
  leadBack(cameFrom || study.case);
}

/** @param {string | null} accession */
function leadBack(accession) {
  const back = element("back");
  const words = accession ? t("Back to the case") : t("Back to the worklist");
  back.setAttribute("href", accession ? `/cases/${encodeURIComponent(accession)}` : "/");
  back.setAttribute("aria-label", words);
  back.setAttribute("title", `${words} (Esc)`);
}

/** As the images tell it: name, number, age and sex. @param {import("./types_case.js").Patient} patient */
function strangerLine(patient) {
  return h(
    "span",
    { class: "patient-line" },
    h("b", { class: "patient-name" }, patient.name || t("Name not stated")),
    h("span", { class: "patient-number" }, patient.identifier),
    h("span", { class: "patient-age" }, `${ageWords(patient)}, ${sexWord(patient.sex)}`),
  );
}
