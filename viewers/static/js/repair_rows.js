/** One line of the repair list, and what can be done about it. */
import { sendJson } from "./api.js";
import { h, icon, setContent, stateMark } from "./dom.js";
import { exactTime } from "./format.js";
import { formDialog } from "./form_dialog.js";
import { t } from "./i18n.js";
import { refusalWords } from "./refusal_words.js";
import { REPAIR_KINDS, whatWords, whichWords, whyWords } from "./repair_words.js";
import { moment } from "./slide_row.js";

/** @typedef {import("./types_repairs.js").Repair} Repair */

/** Makes rows and carries out what their buttons say. */
export class RepairRows {
  /**
   * @param {() => void} changed
   * @param {AbortSignal} signal
   */
  constructor(changed, signal) {
    this.changed = changed;
    this.signal = signal;
    /** @type {Record<string, string>} full names */
    this.people = {};
  }

  /** @param {Repair} repair */
  create(repair) {
    const cells = Array.from({ length: 4 }, () => h("td", {}));
    return h("tr", { "data-key": repair.repair_id }, ...cells, h("td", { class: "actions" }, ...this.#acts(repair)));
  }

  /**
   * @param {HTMLTableRowElement} row
   * @param {Repair} repair
   */
  update(row, repair) {
    const [kind, which, why, who] = row.cells;
    if (!kind || !which || !why || !who) return;
    setContent(kind, h("span", { class: "two-lines" }, stateMark(REPAIR_KINDS[repair.kind]), h("small", {}, whatWords(repair))));
    const link = repair.has_case ? h("a", { href: `/cases/${encodeURIComponent(repair.accession)}` }, repair.accession) : h("span", { title: t("No case has that number") }, repair.accession);
    setContent(which, h("span", { class: "two-lines" }, link, h("small", {}, whichWords(repair))));
    const words = [whyWords(repair), repair.about.reason && `“${repair.about.reason}”`].filter(Boolean).join(" ");
    setContent(why, h("span", { class: "why" }, words));
    const happened = repair.occurred_at && t("happened {time}", { time: exactTime(repair.occurred_at) });
    const by = [this.people[repair.actor] ?? repair.actor, repair.source].filter(Boolean).join(" · ");
    setContent(who, h("span", { class: "two-lines" }, moment(repair.recorded_at), h("small", {}, [by, happened].filter(Boolean).join(" · "))));
  }

  /** @param {Repair} repair */
  #acts(repair) {
    const again = repair.kind === "undelivered" ? t("Send now") : t("Record again");
    /** @type {Record<string, () => Node>} */
    const buttons = {
      retry: () => h("button", { class: "button small first-act", type: "button", onclick: () => void this.#now(repair, `/api/v1/repairs/${encodeURIComponent(repair.repair_id)}/retry`, {}) }, icon("refresh-cw"), again),
      scan: () => h("button", { class: "button small first-act", type: "button", onclick: () => void this.#now(repair, "/api/v1/lab/scan", { barcode: repair.about.barcode }) }, icon("barcode"), t("Scan")),
      dismiss: () => h("button", { class: "button small quiet dismiss", type: "button", onclick: () => void this.#dismiss(repair) }, repair.acts.includes("retry") ? t("Dismiss") : t("Seen")),
    };
    const made = repair.acts.map((act) => /** @type {() => Node} */ (buttons[act])());
    return [...made, h("p", { class: "said state failed", role: "alert", hidden: true })];
  }

  /**
   * @param {Repair} repair
   * @param {string} address
   * @param {unknown} body
   */
  async #now(repair, address, body) {
    const said = document.querySelector(`tr[data-key="${CSS.escape(repair.repair_id)}"] .said`);
    if (!(said instanceof HTMLElement)) return;
    said.hidden = true;
    try {
      await sendJson("POST", address, body, this.signal);
      this.changed();
    } catch (error) {
      if (this.signal.aborted) return;
      said.hidden = false;
      said.replaceChildren(icon("circle-alert"), h("span", {}, refusalWords(error)));
    }
  }

  /** @param {Repair} repair */
  async #dismiss(repair) {
    const about = [repair.accession, whatWords(repair), whichWords(repair)].filter(Boolean).join(" · ");
    const dropped = repair.acts.includes("retry");
    const done = await formDialog({
      title: dropped ? t("Dismiss what was said?") : t("Have you looked at it?"),
      detail: [
        h("p", {}, h("b", {}, about)),
        h("p", {}, whyWords(repair)),
        h("p", { class: "secondary" }, dropped ? t("It is not recorded in the case. It stays in the log, with your name and the reason.") : t("It stays in the case as it is. The list keeps your name and the reason.")),
      ],
      fields: [{ name: "reason", label: t("Reason") }],
      action: dropped ? t("Dismiss") : t("Seen"),
      send: (answers) => sendJson("POST", `/api/v1/repairs/${encodeURIComponent(repair.repair_id)}/dismiss`, answers, this.signal),
    });
    if (done) this.changed();
  }
}
