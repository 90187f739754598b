/** The report: what is signed is read, what is written is kept as one types. */
import { h } from "./dom.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";
import { codesComplaint, parseCodes } from "./case_codes.js";
import { DraftKeeper } from "./case_draft.js";
import { actButton, markChanged, say } from "./case_parts.js";
import { ReportFields } from "./case_report_fields.js";
import { signDialog } from "./case_sign.js";
import { versions } from "./case_versions.js";
import { REPORT_KINDS, nameOf } from "./case_words.js";
import { element } from "./page.js";

/** @typedef {import("./types_case.js").ReportKind} ReportKind */

/** The report part of the page. */
export class ReportEditor {
  /** @param {import("./case_store.js").CaseStore} store */
  constructor(store) {
    this.store = store;
    /** Of a report that is begun after the first has gone out. @type {ReportKind | null} */
    this.begun = null;
    this.fields = new ReportFields(() => {
      this.draft.touched();
      store.dispatchEvent(new Event("typed"));
    });
    this.draft = new DraftKeeper(store, {
      read: () => this.written(),
      adopt: (draft) => this.fields.fill(draft.text, draft.codes),
      said: (state, newer) => {
        this.fields.saved(state, store.case?.draft);
        this.fields.disagree(newer, store.now, (which) => this.draft.settle(which));
      },
    });
    this.read = h("div", { class: "report-read" });
    element("report-body").replaceChildren(this.read, this.fields.place);
    this.shown = "";
  }

  /** Which report is being written, if one is. @returns {ReportKind | null} */
  get kind() {
    const { now } = this.store;
    if (!now.responsible || !now.may.report || !now.opened_at || now.state === "cancelled") return null;
    const final = now.reports.find((report) => report.kind === "final");
    if (!final) return "final";
    return final.distributed_at ? (this.begun ?? now.draft?.kind ?? null) : null;
  }

  /** @returns {import("./case_draft.js").Written | null} */
  written() {
    const { kind } = this;
    return kind === null ? null : { kind, ...this.fields.read() };
  }

  /** Whether something stands in the fields. */
  get hasText() {
    return this.kind !== null && this.fields.text.value.trim() !== "";
  }

  /** The case has been fetched. @param {boolean} own */
  update(own) {
    const { now } = this.store;
    const { kind } = this;
    if (kind !== null && this.fields.place.hidden) this.#takeLeftOver();
    this.fields.place.hidden = kind === null;
    if (kind !== null) this.fields.kind.textContent = REPORT_KINDS[kind];
    const before = this.fields.text.value;
    this.draft.compare();
    element("report").hidden = false;
    const key = JSON.stringify([now.reports, now.preliminaries, kind === null && now.draft, now.responsible, now.opened_at, kind]);
    if (key === this.shown && before === this.fields.text.value) return;
    if (this.shown !== "" && !own) markChanged("report");
    this.shown = key;
    this.read.replaceChildren(...versions(now), ...this.#unsigned(kind));
    element("report-acts").replaceChildren(...this.#acts(kind));
  }

  /** @param {ReportKind} [kind] */
  focus(kind) {
    if (kind && kind !== this.kind) {
      this.begun = kind;
      this.update(true);
    }
    this.fields.text.focus();
    this.fields.text.scrollIntoView({ block: "center" });
    this.store.dispatchEvent(new Event("typed"));
  }

  /** Everything in order first, then the dialog; what is missing is said where it is missing. */
  async sign() {
    const written = this.written();
    if (written === null) return;
    if (written.text.trim() === "") return this.fields.complain("text", t("The report has no text yet."));
    const complaint = codesComplaint(parseCodes(this.fields.codes.value));
    if (complaint) return this.fields.complain("codes", complaint);
    await this.draft.flush();
    if (this.draft.newer) return this.fields.complain("text", t("Somebody else has saved a newer draft. Choose first."));
    if (!(await signDialog(this.store, written))) return;
    this.begun = null;
    this.fields.fill("", []);
    this.fields.codes.value = "";
    this.draft.forget();
    this.update(true);
    say(t("Signed."));
    this.store.dispatchEvent(new Event("typed"));
    element("primary").focus();
  }

  #takeLeftOver() {
    const left = this.draft.leftOver();
    if (!left) return;
    this.begun = left.kind === "final" ? null : left.kind;
    this.fields.fill(left.text, left.codes);
    this.draft.touched();
  }

  /** @param {ReportKind | null} kind */
  #unsigned(kind) {
    const { now } = this.store;
    if (kind !== null) return [];
    if (now.draft) return [draftOf(now, now.draft)];
    if (now.reports.length + now.preliminaries.length > 0) return [];
    return [h("p", { class: "secondary" }, t("Nothing has been written yet."))];
  }

  /** @param {ReportKind | null} kind */
  #acts(kind) {
    const { now } = this.store;
    const out = now.reports.length > 0 && now.responsible && now.may.report && now.reports.every((at) => at.distributed_at);
    if (!out) return [];
    return [
      kind !== "supplementary" && actButton(t("Write a supplement"), () => this.focus("supplementary"), kind === null ? { key: "w" } : { quiet: true }),
      kind !== "corrected" && actButton(t("Correct"), () => this.focus("corrected"), { quiet: true }),
    ].filter((at) => at !== false);
  }
}

/**
 * @param {import("./types_case.js").Case} now
 * @param {import("./types_case.js").Draft} draft
 */
function draftOf(now, draft) {
  const who = h("span", { class: "secondary" }, ` ${nameOf(now, draft.by)} ${exactTime(draft.at)}`);
  return h("details", { class: "version", open: true }, h("summary", {}, h("b", {}, t("Draft, not signed")), who), h("p", { class: "written" }, draft.text), h("p", { class: "secondary" }, draft.codes.join(" ")));
}
