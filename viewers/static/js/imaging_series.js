/** The series of the study: a picture of each, the open one marked; slides lead to the microscope. */
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { thumbnailAddress } from "./imaging_read.js";
import { bodyPartWord, dayWithYear, hasThumbnail, modalityWord } from "./imaging_words.js";
import { element } from "./page.js";
import { associatedAddress, slideAddress } from "./slide_row.js";

/**
 * @typedef {import("./types_imaging.js").SeriesEntry} SeriesEntry
 * @typedef {import("./types_imaging.js").StudyEntry} StudyEntry
 */

/** The tray. */
export class SeriesTray {
  /**
   * @param {StudyEntry} study
   * @param {(series: SeriesEntry) => void} open
   */
  constructor(study, open) {
    this.study = study;
    this.open = open;
    /** @type {string} */
    this.current = "";
    element("tray").replaceChildren(...study.series.map((at) => this.#item(at)));
  }

  /** @param {string} uid */
  mark(uid) {
    this.current = uid;
    for (const item of element("tray").querySelectorAll("a")) {
      const here = item.dataset.series === uid;
      item.toggleAttribute("aria-current", here);
      if (here) {
        item.setAttribute("aria-current", "true");
        item.scrollIntoView({ block: "nearest" });
      }
    }
    const at = this.#index;
    element("previous").toggleAttribute("disabled", at <= 0);
    element("next").toggleAttribute("disabled", at < 0 || at >= this.study.series.length - 1);
  }

  get #index() {
    return this.study.series.findIndex((at) => at.series_uid === this.current);
  }

  /** @param {number} step */
  go(step) {
    const next = this.study.series[this.#index + step];
    if (next && this.#index >= 0) this.#enter(next);
  }

  /** @param {SeriesEntry} series */
  #enter(series) {
    if (series.slide_id) location.assign(slideAddress(series.slide_id));
    else this.open(series);
  }

  /** @param {SeriesEntry} series @returns {string | null} */
  #picture({ slide_id: slide, modality, series_uid: uid }) {
    if (slide) return associatedAddress(slide, "thumbnail");
    return hasThumbnail(modality) ? thumbnailAddress(this.study.study_uid, uid) : null;
  }

  /** @param {SeriesEntry} series */
  #item(series) {
    const { slide_id: slide } = series;
    const words = seriesName(series);
    return h(
      "a",
      {
        href: slide ? slideAddress(slide) : `?series=${encodeURIComponent(series.series_uid)}`,
        "data-series": series.series_uid,
        title: [words, series.at && dayWithYear(series.at)].filter(Boolean).join(" · "),
        onclick: (event) => {
          if (slide || !isPlain(/** @type {MouseEvent} */ (event))) return;
          event.preventDefault();
          this.open(series);
        },
      },
      thumbnail(this.#picture(series)),
      h("span", { class: "tray-name" }, words),
      h("span", { class: "tray-state" }, slide ? t("in the microscope") : modalityWord(series.modality)),
    );
  }
}

/** @param {SeriesEntry} series */
export function seriesName({ description, modality, body_part: part, number }) {
  return description || [modalityWord(modality), part && bodyPartWord(part), number > 0 && number].filter(Boolean).join(" ");
}

/** A picture, or a sheet where there is none. @param {string | null} address */
function thumbnail(address) {
  if (address === null) return h("span", { class: "tray-picture radiology" }, icon("file-text"));
  const image = h("img", { alt: "", loading: "lazy", decoding: "async", src: address });
  const place = h("span", { class: "tray-picture radiology" }, image);
  image.addEventListener("error", () => place.replaceChildren(icon("file-text")));
  return place;
}

/** @param {MouseEvent} event */
function isPlain({ ctrlKey, metaKey, shiftKey, button }) {
  return !ctrlKey && !metaKey && !shiftKey && button === 0;
}
