/** The slim banner: which glass this is, its state, and what to be careful about. */
import { h, icon, setContent, stateMark } from "./dom.js";
import { slideSize } from "./format.js";
import { t, tn } from "./i18n.js";
import { element } from "./page.js";
import { SLIDE_STATES, noticeWords } from "./words.js";

/** @param {import("./types.js").Slide} slide */
export function showBanner(slide) {
  showRemarks(slide.notices);
  if (element("identity").dataset.accession) return; // the patient stands there
  document.title = `${slide.barcode ?? slide.name} – svartid`;
  setContent(
    element("identity"),
    h("h1", { id: "slide-name" }, slide.barcode ?? slide.name),
    stateMark(SLIDE_STATES[slide.state]),
    h("span", { class: "facts-line" }, slideFacts(slide)),
  );
}

/** What the file says of itself. @param {import("./types.js").Slide} slide */
export function slideFacts(slide) {
  const facts = [
    slide.barcode === null ? t("No barcode") : slide.name,
    slide.scanner,
    slide.objective_power === null ? null : t("scanned at {power}×", { power: slide.objective_power }),
    slideSize(slide),
  ];
  return facts.filter((fact) => fact !== null).join(" · ");
}

/** @param {string[]} notices */
function showRemarks(notices) {
  const place = element("remarks");
  if (notices.length === 0 || place.dataset.shown === notices.join()) return;
  place.dataset.shown = notices.join();
  place.replaceChildren(
    h(
      "button",
      { class: "badge attention", type: "button", popovertarget: "remarks-list" },
      icon("triangle-alert"),
      h("span", {}, tn("{count} remark", "{count} remarks", notices.length)),
    ),
    h("ul", { id: "remarks-list", popover: "auto" }, ...notices.map((code) => h("li", {}, noticeWords(code)))),
  );
}
