/** At the right of the slide: what is asked, what must be seen, what is written; `p` folds it. */
import { h, icon, setContent } from "./dom.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";
import { REPORT_KINDS, nameOf } from "./case_words.js";
import { element } from "./page.js";
import { slideAddress } from "./slide_row.js";

/** @typedef {import("./types_case.js").SlideCase} SlideCase */

const KEY = "svartid.panel";

/** The panel; whether it stands open is remembered in the browser. */
export class CasePanel {
  /** @param {string} slideId */
  constructor(slideId) {
    this.slideId = slideId;
    this.body = h("div", { class: "case-panel-body", tabindex: "0", role: "region", "aria-label": t("Question, flags and report") });
    const words = t("Show or hide question, flags and report");
    this.button = h("button", { class: "tool", type: "button", id: "panel-toggle", "aria-controls": "case-panel", "aria-label": words, title: `${words} (p)`, onclick: () => this.toggle() }, icon("list"));
    element("main").append(h("aside", { class: "case-panel", id: "case-panel" }, this.body));
    element("overview-toggle").before(this.button);
    this.#set(localStorage.getItem(KEY) === "open");
  }

  toggle() {
    this.#set(!element("main").classList.contains("with-panel"));
  }

  /** @param {boolean} open */
  #set(open) {
    element("main").classList.toggle("with-panel", open);
    element("case-panel").hidden = !open;
    this.button.setAttribute("aria-pressed", String(open));
    localStorage.setItem(KEY, open ? "open" : "folded");
  }

  /** @param {SlideCase} now */
  show(now) {
    const open = now.flags.filter((flag) => !flag.closed_at);
    const asked = now.consultations.filter((at) => !at.closed_at);
    setContent(
      this.body,
      part(t("Clinical information"), h("p", { class: "written" }, now.clinical_information || "–")),
      ...asked.map((at) => part(t("Question to {name}", { name: nameOf(now, at.consultant || at.asked) }), h("p", { class: "written" }, at.question), at.opinion && h("blockquote", { class: "written" }, at.opinion))),
      open.length > 0 && part(t("Flags"), h("ul", {}, ...open.map((flag) => h("li", { class: `state ${flag.severity === "must_see" ? "attention" : "neutral"}` }, icon("triangle-alert"), h("span", {}, flag.text))))),
      ...report(now),
      scans(now, this.slideId),
    );
  }
}

/**
 * @param {string} title
 * @param {...import("./dom.js").Child} children
 */
function part(title, ...children) {
  return h("section", {}, h("h2", {}, title), ...children);
}

/** The newest of what is written. @param {SlideCase} now */
function report(now) {
  const signed = now.reports.at(-1);
  const draft = now.draft && part(t("Draft, not signed"), h("p", { class: "secondary" }, `${nameOf(now, now.draft.by)} ${exactTime(now.draft.at)}`), h("p", { class: "written" }, now.draft.text), h("p", { class: "secondary" }, now.draft.codes.join(" ")));
  const out = signed && part(REPORT_KINDS[signed.kind], h("p", { class: "secondary" }, `${nameOf(now, signed.signed_by)} ${exactTime(signed.signed_at)}`), h("p", { class: "written" }, signed.text), h("p", { class: "secondary" }, signed.codes.join(" ")));
  return [draft, out, !draft && !out && part(t("Report"), h("p", { class: "secondary" }, t("Nothing has been written yet.")))];
}

/**
 * Every scan of the glass stays within reach.
 * @param {SlideCase} now
 * @param {string} slideId
 */
function scans(now, slideId) {
  const glass = now.slides.find((at) => at.barcode === now.barcode);
  if (!glass || glass.scans.length < 2) return null;
  const lines = glass.scans.toReversed().map((scan) => {
    const words = t("Scan {number}", { number: scan.number });
    const name = scan.slide_id && scan.slide_id !== slideId ? h("a", { href: slideAddress(scan.slide_id) }, words) : h("span", {}, words);
    const state = scan.slide_id === now.current_slide_id ? t("the one to read") : scan.available_at ? t("replaced") : t("not readable");
    return h("li", {}, name, h("span", { class: "secondary" }, ` ${scan.available_at ? exactTime(scan.available_at) : ""} ${state}`), scan.slide_id === slideId && h("b", {}, " ", t("shown here")));
  });
  return part(t("Scans of this glass"), h("ul", {}, ...lines));
}
