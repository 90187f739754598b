/** The fields a report is written in, and what is said beside them. */
import { h, icon } from "./dom.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";
import { codesRead, parseCodes } from "./case_codes.js";
import { actButton } from "./case_parts.js";
import { nameOf } from "./case_words.js";

/** Text and codes; they live as long as the page does. */
export class ReportFields {
  /** @param {() => void} typed */
  constructor(typed) {
    this.text = h("textarea", { id: "report-text", rows: 10, spellcheck: true, "aria-label": t("Report text") });
    this.codes = h("input", { id: "report-codes", autocomplete: "off", spellcheck: false, autocapitalize: "characters", "aria-describedby": "codes-read", placeholder: "T28000 M81403" });
    this.kind = h("b", {});
    this.status = h("span", { class: "saved", role: "status" });
    this.codesLine = h("p", { class: "codes-read", id: "codes-read", "aria-live": "polite" });
    this.conflict = h("div", { class: "conflict", role: "alert", hidden: true });
    const label = h("label", { class: "codes-label" }, h("span", {}, t("Codes")), this.codes);
    this.place = h("div", { class: "report-write", hidden: true }, h("p", { class: "report-kind" }, this.kind, this.status), this.conflict, this.text, label, this.codesLine);
    for (const field of [this.text, this.codes]) {
      field.addEventListener("input", () => {
        this.showCodes();
        typed();
      });
    }
  }

  /** Text and codes as they stand; what is no code is kept as it was typed. */
  read() {
    const { codes, unknown } = parseCodes(this.codes.value);
    return { text: this.text.value, codes: [...codes, ...unknown] };
  }

  /**
   * @param {string} text
   * @param {string[]} codes
   */
  fill(text, codes) {
    if (this.text.value !== text) this.text.value = text;
    if (parseCodes(this.codes.value).codes.join() !== codes.join()) this.codes.value = codes.join(" ");
    this.showCodes();
  }

  showCodes() {
    const shown = codesRead(this.codes.value).filter((at) => at !== false);
    this.codesLine.replaceChildren(...shown);
  }

  /**
   * Say what is missing, where it is missing.
   * @param {"text" | "codes"} field
   * @param {string} words
   */
  complain(field, words) {
    this.status.replaceChildren(h("span", { class: "state attention" }, icon("triangle-alert"), words));
    this[field].focus();
  }

  /**
   * @param {import("./case_draft.js").Saved} state
   * @param {import("./types_case.js").Draft | null | undefined} draft
   */
  saved(state, draft) {
    const words = {
      saved: draft ? t("saved {time}", { time: exactTime(draft.at) }) : "",
      saving: t("being saved"),
      unsaved: t("not saved yet"),
      conflict: t("not saved: a newer draft is there"),
    };
    this.status.textContent = words[state];
  }

  /**
   * Both texts in sight, and a choice: nothing is written over before it is made.
   * @param {import("./types_case.js").Draft | null} newer
   * @param {import("./types_case.js").Case} now
   * @param {(which: "mine" | "theirs") => void} settle
   */
  disagree(newer, now, settle) {
    this.conflict.hidden = newer === null;
    if (newer === null) return;
    const who = { name: nameOf(now, newer.by), time: exactTime(newer.at) };
    this.conflict.replaceChildren(
      h("p", { class: "state attention" }, icon("triangle-alert"), h("span", {}, t("{name} saved a newer draft {time}. Yours has not been saved over it.", who))),
      h("blockquote", { class: "written" }, newer.text, "\n", newer.codes.join(" ")),
      h("p", { class: "acts" }, actButton(t("Keep mine"), () => settle("mine")), actButton(t("Take the newer one"), () => settle("theirs"))),
    );
  }
}
