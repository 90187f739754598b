/** The intake on the ops page: every file, why it is stuck, and what can be done about it. */
import { post } from "./api.js";
import { confirmDialog } from "./confirm_dialog.js";
import { h, icon, setContent, stateMark } from "./dom.js";
import { bytes, number } from "./format.js";
import { t } from "./i18n.js";
import { mapOf, reason } from "./intake_reason.js";
import { KeyedRows } from "./keyed_rows.js";
import { element } from "./page.js";
import { moment, slideAddress } from "./slide_row.js";
import { showState } from "./states.js";
import { INTAKE_STATES } from "./words.js";

/** @typedef {import("./types.js").Intake} Intake */
/** @typedef {import("./types.js").IntakeList} IntakeList */
/** @typedef {"stuck" | "moving" | "all"} Filter */

/** @type {Record<Filter, {word: string, takes: (intake: Intake) => boolean}>} */
const FILTERS = {
  stuck: { word: t("Stuck"), takes: ({ state }) => state === "quarantined" || state === "failed" },
  moving: { word: t("On the way"), takes: ({ state }) => ["received", "reading", "ready", "completing"].includes(state) },
  all: { word: t("All"), takes: () => true },
};

/** The panel keeps its filter over live changes. */
export class IntakePanel {
  /**
   * @param {() => void} changed something was asked of the server
   * @param {AbortSignal} signal
   */
  constructor(changed, signal) {
    this.changed = changed;
    this.signal = signal;
    /** @type {Filter} */
    this.filter = "all";
    /** @type {IntakeList} */
    this.list = { intake: [], counts: {} };
    this.pointerInside = false;
    this.rows = new KeyedRows(element("intake-rows"), {
      key: (/** @type {Intake} */ intake) => intake.intake_id,
      create: createRow,
      update: (row, intake) => this.#update(row, intake),
    });
    const table = element("intake");
    table.addEventListener("pointerenter", () => (this.pointerInside = true));
    table.addEventListener("pointerleave", () => {
      this.pointerInside = false;
      this.#arrange(false);
    });
  }

  /** @param {IntakeList} list */
  show(list) {
    this.list = list;
    this.#arrange(this.pointerInside);
  }

  /** @param {boolean} hold */
  #arrange(hold) {
    const shown = this.list.intake.filter(FILTERS[this.filter].takes);
    this.rows.show(shown, hold);
    this.#filters();
    const state = element("intake-state");
    if (shown.length > 0) state.replaceChildren();
    else showState(state, "circle-check", this.filter === "stuck" ? t("Nothing is stuck") : t("No files"));
  }

  #filters() {
    const buttons = /** @type {Filter[]} */ (Object.keys(FILTERS)).map((name) => {
      const count = this.list.intake.filter(FILTERS[name].takes).length;
      const choose = () => {
        this.filter = name;
        this.#arrange(false);
      };
      return h(
        "button",
        { type: "button", "aria-pressed": String(name === this.filter), onclick: choose },
        FILTERS[name].word,
        h("span", { class: "count" }, number(count)),
      );
    });
    const place = element("intake-filter");
    const focused = [...place.children].findIndex((child) => child === document.activeElement);
    place.replaceChildren(...buttons);
    buttons[focused]?.focus();
  }

  /**
   * @param {HTMLTableRowElement} row
   * @param {Intake} intake
   */
  #update(row, intake) {
    const [name, state, received, attempts, size, actions] = row.cells;
    if (!name || !state || !received || !attempts || !size || !actions) return;
    const title = intake.slide_id === null ? intake.name : h("a", { href: slideAddress(intake.slide_id) }, intake.name);
    setContent(name, h("span", { class: "two-lines" }, h("span", { class: "slide-name" }, title), reason(intake), mapOf(intake)));
    setContent(state, stateMark(INTAKE_STATES[intake.state]));
    setContent(received, moment(intake.received_at));
    setContent(attempts, intake.attempts === 0 ? "–" : number(intake.attempts));
    setContent(size, bytes(intake.bytes));
    if (row.dataset.state === intake.state) return;
    row.dataset.state = intake.state;
    actions.replaceChildren(...this.#actions(intake));
  }

  /** @param {Intake} intake */
  #actions(intake) {
    const retry = h("button", { class: "button", type: "button", onclick: () => void this.#ask(intake, "retry") }, icon("refresh-cw"), t("Retry"));
    const release = h("button", { class: "button", type: "button", onclick: () => void this.#release(intake) }, icon("archive-restore"), t("Release"));
    if (intake.state === "quarantined") return [retry, release];
    return intake.state === "failed" ? [retry] : [];
  }

  /** @param {Intake} intake */
  async #release(intake) {
    const sure = await confirmDialog({
      title: t("Release {name} from quarantine?", { name: intake.name }),
      detail: t("The file is taken out of quarantine and is no longer held back. This is logged with your name."),
      action: t("Release"),
    });
    if (sure) await this.#ask(intake, "release");
  }

  /**
   * @param {Intake} intake
   * @param {"retry" | "release"} verb
   */
  async #ask(intake, verb) {
    try {
      await post(`/api/v1/intake/${encodeURIComponent(intake.intake_id)}/${verb}`, this.signal);
    } catch {
      const words = t("That did not reach the server. Try again.");
      this.rows.rows.get(intake.intake_id)?.cells[5]?.append(h("span", { class: "state failed" }, icon("circle-alert"), h("span", {}, words)));
      return;
    }
    this.changed();
  }
}

function createRow() {
  return h("tr", {}, ...Array.from({ length: 6 }, (_, index) => h("td", { class: index === 3 || index === 4 ? "number" : index === 5 ? "actions" : null })));
}
