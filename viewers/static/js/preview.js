/** On wide screens: the chosen slide with its label, so that the right glass is opened. */
import { h, icon } from "./dom.js";
import { bytes, duration, exactTime, number, slideSize } from "./format.js";
import { t } from "./i18n.js";
import { associatedAddress, slideAddress } from "./slide_row.js";
import { noticeWords } from "./words.js";

/**
 * @param {HTMLElement} place
 * @param {import("./types.js").Slide | undefined} slide
 */
export function showPreview(place, slide) {
  if (!slide) {
    place.replaceChildren();
    delete place.dataset.shown;
    return;
  }
  const shown = JSON.stringify(slide);
  if (place.dataset.shown === shown) return;
  place.dataset.shown = shown;
  place.replaceChildren(
    h("h2", {}, slide.barcode ?? slide.name),
    h("p", { class: "secondary" }, slide.barcode === null ? t("No barcode") : slide.name),
    picture(slide, "thumbnail", t("The whole slide")),
    h("div", { class: "glass" }, ...glass(slide)),
    facts(slide),
    h("a", { class: "button primary wide", href: slideAddress(slide.slide_id) }, t("Open"), h("kbd", {}, "Enter")),
  );
}

/** @param {import("./types.js").Slide} slide */
function glass(slide) {
  /** @type {Node[]} */
  const pictures = [];
  if (slide.associated.includes("label")) pictures.push(picture(slide, "label", t("Label")));
  else pictures.push(h("p", { class: "no-label secondary" }, t("The file holds no picture of the label.")));
  if (slide.associated.includes("overview")) pictures.push(picture(slide, "overview", t("Overview")));
  return pictures;
}

/**
 * @param {import("./types.js").Slide} slide
 * @param {"label" | "overview" | "thumbnail"} kind
 * @param {string} words
 */
function picture(slide, kind, words) {
  const image = h("img", { src: associatedAddress(slide.slide_id, kind), alt: words, decoding: "async" });
  return h("figure", { class: kind }, image);
}

/** @param {import("./types.js").Slide} slide */
function facts(slide) {
  /** @type {[string, string | null][]} */
  const lines = [
    [t("Received"), exactTime(slide.received_at)],
    [t("Read in"), t("{time} until it could be read", { time: duration(slide.seconds) })],
    [t("Size"), `${slideSize(slide)} · ${bytes(slide.bytes)}`],
    [t("Pixel size"), slide.mpp === null ? t("Unknown") : `${number(slide.mpp, 3)} µm`],
    [t("Scanner"), slide.scanner],
  ];
  const shown = lines.filter(([, value]) => value !== null);
  return h(
    "dl",
    { class: "facts" },
    ...shown.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
    ...slide.notices.map((code) => h("dd", { class: "state attention whole" }, icon("triangle-alert"), h("span", {}, noticeWords(code)))),
  );
}
