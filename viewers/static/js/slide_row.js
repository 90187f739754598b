/** One slide as a row of the worklist. */
import { h, icon, setContent, stateMark } from "./dom.js";
import { ago, exactTime, slideSize } from "./format.js";
import { t, tn } from "./i18n.js";
import { SLIDE_STATES, noticeWords } from "./words.js";

/** @param {string} slideId */
export function slideAddress(slideId) {
  return `/slides/${encodeURIComponent(slideId)}`;
}

/**
 * @param {string} slideId
 * @param {"label" | "overview" | "thumbnail"} kind
 */
export function associatedAddress(slideId, kind) {
  return `${slideAddress(slideId)}/associated/${kind}`;
}

/** @param {import("./types.js").Slide} slide */
export function createSlideRow(slide) {
  const link = h("a", { href: slideAddress(slide.slide_id), class: "slide-name" });
  const row = h(
    "tr",
    { "data-key": slide.slide_id, "data-href": slideAddress(slide.slide_id) },
    h("td", { class: "name" }, thumbnail(slide), h("span", { class: "two-lines" }, link, h("small", {}))),
    ...Array.from({ length: 4 }, (_, index) => h("td", { class: index > 1 ? "number" : null })),
    h("td", { class: "clip" }),
    h("td", {}),
  );
  return row;
}

/**
 * @param {HTMLTableRowElement} row
 * @param {import("./types.js").Slide} slide
 */
export function updateSlideRow(row, slide) {
  const [name, state, received, size, objective, scanner, remarks] = row.cells;
  if (!name || !state || !received || !size || !objective || !scanner || !remarks) return;
  setContent(/** @type {Element} */ (name.querySelector("a")), slide.barcode ?? slide.name);
  setContent(/** @type {Element} */ (name.querySelector("small")), slide.barcode ? slide.name : t("No barcode"));
  setContent(state, stateMark(SLIDE_STATES[slide.state]));
  setContent(received, moment(slide.received_at));
  setContent(size, slide.mpp === null ? h("span", { class: "secondary" }, slideSize(slide)) : slideSize(slide));
  setContent(objective, slide.objective_power === null ? none() : `${slide.objective_power}×`);
  setContent(scanner, slide.scanner ?? none());
  setContent(remarks, slide.notices.length > 0 && noticeCount(slide.notices));
}

/** @param {string} at ISO */
export function moment(at) {
  return h("time", { datetime: at, title: exactTime(at) }, ago(at));
}

function none() {
  return h("span", { class: "secondary", title: t("Not stated in the file") }, "–");
}

/** @param {string[]} notices */
function noticeCount(notices) {
  return h(
    "span",
    { class: "state attention", title: notices.map(noticeWords).join("\n") },
    icon("triangle-alert"),
    h("span", {}, tn("{count} remark", "{count} remarks", notices.length)),
  );
}

/** @param {import("./types.js").Slide} slide */
function thumbnail(slide) {
  const image = h("img", { alt: "", loading: "lazy", decoding: "async", src: associatedAddress(slide.slide_id, "thumbnail") });
  image.addEventListener("error", () => image.replaceWith(icon("circle-dashed")), { once: true });
  return h("span", { class: "thumb" }, image);
}
