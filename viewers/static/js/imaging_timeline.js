/** A patient's images in one line of time on the case's page: slides and radiology, newest first. */
import { getJson } from "./api.js";
import { showPart } from "./case_parts.js";
import { h, icon } from "./dom.js";
import { glassName } from "./case_glasses.js";
import { t, tn } from "./i18n.js";
import { bodyPartWord, dayWithYear, hasThumbnail, modalityWord } from "./imaging_words.js";
import { associatedAddress, slideAddress } from "./slide_row.js";

/**
 * @typedef {import("./types_imaging.js").SeriesEntry & {glass: {part: string, block: string, stain: string}}} TimelineSeries
 *
 * @typedef {object} TimelineStudy
 * @property {string} study_uid
 * @property {string | null} at
 * @property {string} description
 * @property {string} accession
 * @property {boolean} own
 * @property {TimelineSeries[]} series
 */

const FEW = 6;

/**
 * Shown with the case and again whenever the case is fetched again.
 * @param {import("./case_store.js").CaseStore} store
 */
export function startTimeline(store) {
  const load = async () => {
    try {
      /** @type {{studies: TimelineStudy[]}} */
      const { studies } = await getJson(`${store.address}/imaging`, store.signal);
      showPart("imaging", studies, () => timeline(studies, store.accession), true);
    } catch {
      // The case itself says when the server does not answer; this part then stays as it was.
    }
  };
  store.addEventListener("change", () => void load());
}

/**
 * Nothing but the case's own glasses says nothing that the tray does not.
 * @param {TimelineStudy[]} studies
 * @param {string} accession
 */
function timeline(studies, accession) {
  if (studies.every((study) => study.own && study.series.every((at) => at.slide_id))) return null;
  return { body: [h("ol", { class: "timeline" }, ...studies.map((study) => line(study, accession)))] };
}

/** @param {TimelineStudy} study @param {string} accession */
function line(study, accession) {
  const radiology = study.series.filter((at) => !at.slide_id);
  const slides = study.series.filter((at) => at.slide_id);
  const kinds = [...new Set(radiology.map((at) => modalityWord(at.modality)))];
  if (slides.length > 0) kinds.unshift(tn("{count} slide", "{count} slides", slides.length));
  const parts = [...new Set(radiology.map((at) => at.body_part).filter(Boolean))].map(bodyPartWord);
  return h(
    "li",
    { class: study.own ? "own" : "" },
    h("time", { datetime: study.at }, study.at ? dayWithYear(study.at) : t("no date")),
    h(
      "div",
      { class: "timeline-study" },
      h(
        "span",
        { class: "timeline-head" },
        h("b", {}, kinds.join(", ")),
        h("span", {}, [study.description, ...parts].filter(Boolean).join(" · ")),
        study.own ? h("span", { class: "state done" }, icon("circle-check"), h("span", {}, t("this case"))) : study.accession && h("span", { class: "secondary" }, study.accession),
      ),
      h("span", { class: "timeline-series" }, ...seriesOf(study, [...radiology, ...slides], accession)),
    ),
  );
}

/**
 * @param {TimelineStudy} study
 * @param {TimelineSeries[]} all
 * @param {string} accession
 */
function seriesOf(study, all, accession) {
  const shown = all.slice(0, FEW).map((series) => link(study, series, accession));
  const rest = all.slice(FEW);
  if (rest.length === 0) return shown;
  const more = h("details", {}, h("summary", {}, tn("{count} more", "{count} more", rest.length)), ...rest.map((series) => link(study, series, accession)));
  return [...shown, more];
}

/**
 * @param {TimelineStudy} study
 * @param {TimelineSeries} series
 * @param {string} accession
 */
function link(study, series, accession) {
  if (series.slide_id) {
    const { where, stain } = glassName(series.glass);
    return h("a", { class: "timeline-link", href: slideAddress(series.slide_id) }, picture(associatedAddress(series.slide_id, "thumbnail")), h("span", {}, `${stain} ${where}`));
  }
  const query = new URLSearchParams({ series: series.series_uid, case: accession });
  return h("a", { class: "timeline-link", href: `/imaging/${study.study_uid}?${query}` }, hasThumbnail(series.modality) ? picture(`/dicom-web/studies/${study.study_uid}/series/${series.series_uid}/thumbnail`) : icon("file-text"), h("span", {}, series.description || modalityWord(series.modality)));
}

/** @param {string} address */
function picture(address) {
  const image = h("img", { alt: "", loading: "lazy", decoding: "async", src: address });
  image.addEventListener("error", () => image.replaceWith(icon("file-text")), { once: true });
  return image;
}
