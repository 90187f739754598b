/** Forwarding on the ops page: what is on its way to other nodes, and sending it once more. */
import { ApiError, post } from "./api.js";
import { h, icon, setContent, stateMark } from "./dom.js";
import { number } from "./format.js";
import { FORWARD_DELAYED, FORWARD_ON, FORWARD_STATES, forwardReason } from "./forward_words.js";
import { t, tn } from "./i18n.js";
import { KeyedRows } from "./keyed_rows.js";
import { element } from "./page.js";
import { moment, slideAddress } from "./slide_row.js";
import { showState } from "./states.js";

/** @typedef {import("./types.js").Forward} Forward */
/** @typedef {import("./types.js").Forwarding} Forwarding */

/** The panel is there once a node is known. */
export class ForwardingPanel {
  /**
   * @param {() => void} changed something was asked of the server
   * @param {AbortSignal} signal
   */
  constructor(changed, signal) {
    this.changed = changed;
    this.signal = signal;
    this.rows = new KeyedRows(element("forwarding-rows"), {
      key: (/** @type {Forward} */ at) => at.forward_id,
      create: () => h("tr", {}, ...Array.from({ length: 6 }, (_, index) => h("td", { class: index === 3 ? "number" : index === 5 ? "actions" : null }))),
      update: (row, at) => this.#update(row, at),
    });
    const table = element("forwarding");
    table.addEventListener("pointerenter", () => (this.pointerInside = true));
    table.addEventListener("pointerleave", () => (this.pointerInside = false));
    this.pointerInside = false;
  }

  /** @param {Forwarding} told */
  show(told) {
    element("forwarding-panel").hidden = told.peers.length === 0 && told.forwarding.length === 0;
    this.rows.show(told.forwarding, this.pointerInside);
    setContent(element("forwarding-rules"), ...told.rules.map(ruleLine));
    const waiting = told.counts.waiting ?? 0;
    setContent(element("forwarding-count"), waiting === 0 ? "" : tn("{count} series waits", "{count} series wait", waiting));
    const state = element("forwarding-state");
    if (told.forwarding.length > 0) state.replaceChildren();
    else showState(state, "circle-check", told.rules.length === 0 ? t("No rule forwards anything") : t("Nothing has been forwarded yet"));
  }

  /**
   * @param {HTMLTableRowElement} row
   * @param {Forward} at
   */
  #update(row, at) {
    const [node, series, state, objects, since, actions] = row.cells;
    if (!node || !series || !state || !objects || !since || !actions) return;
    const name = at.slide_id === null ? at.modality : h("a", { href: slideAddress(at.slide_id) }, at.modality);
    const delayed = at.state === "waiting" && at.reason !== "";
    const why = forwardReason(at);
    const object = at.failed === "" ? null : h("small", { class: "reason uid" }, t("Object {uid}", { uid: at.failed }));
    setContent(node, at.peer);
    setContent(series, h("span", { class: "two-lines" }, name, h("small", { class: "uid" }, at.series_uid)));
    setContent(state, h("span", { class: "two-lines" }, stateMark(delayed ? FORWARD_DELAYED : FORWARD_STATES[at.state]), why && h("small", { class: "reason" }, why), object));
    setContent(objects, at.objects === 0 ? "–" : `${number(at.done)}/${number(at.objects)}`);
    setContent(since, moment(at.sent_at ?? at.created_at));
    if (actions.childElementCount > 0) return;
    actions.replaceChildren(h("button", { class: "button", type: "button", onclick: () => void this.#resend(at, actions) }, icon("refresh-cw"), t("Send again")));
  }

  /**
   * @param {Forward} at
   * @param {HTMLTableCellElement} actions
   */
  async #resend(at, actions) {
    actions.querySelector(".state")?.remove();
    try {
      await post(`/api/v1/forwarding/${encodeURIComponent(at.forward_id)}/resend`, this.signal);
    } catch (error) {
      if (this.signal.aborted) return;
      const changed = error instanceof ApiError && error.status === 409;
      const words = changed ? t("It has changed meanwhile. Look again.") : t("That did not reach the server. Try again.");
      actions.append(h("span", { class: "state failed", role: "alert" }, icon("circle-alert"), h("span", {}, words)));
      return;
    }
    this.changed();
  }
}

/** @param {import("./types.js").ForwardRule} rule */
function ruleLine(rule) {
  const narrowed = [...rule.modalities, ...rule.units, ...rule.stains, ...rule.received_from.map((name) => t("from {name}", { name }))];
  const what = narrowed.length === 0 ? t("everything") : narrowed.join(", ");
  return h("li", {}, h("b", {}, rule.peer), ` ${t("gets {what} {when}", { what, when: FORWARD_ON[rule.on] })}`);
}
