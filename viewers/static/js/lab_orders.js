/** Additional work the pathologists have ordered: taken on, and fulfilled by new glasses. */
import { sendJson } from "./api.js";
import { h, icon, setContent } from "./dom.js";
import { confirmDialog } from "./confirm_dialog.js";
import { formDialog } from "./form_dialog.js";
import { t } from "./i18n.js";
import { priorityMark } from "./case_words.js";
import { expectAnother } from "./lab_acts.js";
import { ORDER_KINDS } from "./lab_words.js";
import { element } from "./page.js";
import { identifierText } from "./patient.js";
import { refusalWords } from "./refusal_words.js";
import { moment } from "./slide_row.js";

/** @typedef {import("./types_lab.js").LabOrder} LabOrder */

/**
 * @param {LabOrder[]} orders
 * @param {Record<string, string>} people full names
 * @param {() => void} changed
 * @param {AbortSignal} signal
 */
export function showOrders(orders, people, changed, signal) {
  setContent(element("orders-count"), String(orders.length));
  const place = element("orders-list");
  const state = JSON.stringify(orders);
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  if (orders.length === 0) place.replaceChildren(h("p", { class: "secondary" }, t("No open orders")));
  else place.replaceChildren(h("ul", { class: "cards" }, ...orders.map((order) => card(order, people, { changed, signal }))));
}

/**
 * @param {LabOrder} order
 * @param {Record<string, string>} people
 * @param {import("./lab_acts.js").Acting} acting
 */
function card(order, people, acting) {
  const said = h("p", { class: "message failed", role: "alert", hidden: true });
  /** @param {string} act */
  const tell = async (act) => {
    try {
      await sendJson("POST", addressOf(order, act), {}, acting.signal);
      acting.changed();
    } catch (error) {
      said.hidden = false;
      said.replaceChildren(icon("circle-alert"), h("span", {}, refusalWords(error)));
    }
  };
  const what = [ORDER_KINDS[order.kind] ?? order.kind, order.stain, order.block && t("block {block}", { block: order.block })];
  const accepted = order.accepted_by !== "" && t("taken on");
  const by = t("ordered by {name}", { name: people[order.placed_by] ?? order.placed_by });
  const accept = h("button", { class: "button small", type: "button", onclick: () => void tell("accept") }, icon("check"), t("Accept"));
  const expect = h("button", { class: "button small", type: "button", onclick: () => void expectFor(order, acting) }, icon("plus"), t("Expect glass"));
  return h(
    "li",
    {},
    h("div", { class: "card-head" }, h("b", {}, what.filter(Boolean).join(" · ")), order.priority !== "routine" && priorityMark(order.priority)),
    order.note !== "" && h("p", { class: "note" }, order.note),
    h("p", { class: "secondary" }, h("a", { href: `/cases/${encodeURIComponent(order.accession)}` }, order.accession), ` · ${order.patient.name} · ${identifierText(order.patient)}`),
    h("p", { class: "secondary" }, by, " ", moment(order.placed_at), accepted && ` · ${accepted}`),
    said,
    h(
      "div",
      { class: "card-acts" },
      order.accepted_by === "" ? accept : expect,
      h("button", { class: "button small quiet", type: "button", onclick: () => void finish(order, () => tell("fulfil")) }, t("Done")),
      h("button", { class: "button small quiet", type: "button", onclick: () => void decline(order, acting) }, t("Not possible")),
    ),
  );
}

/** @param {LabOrder} order @param {string} act */
function addressOf({ accession, order_id }, act) {
  return `/api/v1/cases/${encodeURIComponent(accession)}/orders/${encodeURIComponent(order_id)}/${act}`;
}

/** @param {LabOrder} order @param {import("./lab_acts.js").Acting} acting */
async function expectFor(order, acting) {
  const words = [ORDER_KINDS[order.kind] ?? order.kind, order.stain, order.note].filter(Boolean).join(" · ");
  const detail = h("p", {}, t("The order is fulfilled by itself when its glasses can be read."), " ", words);
  await expectAnother({ ...order, part: "", detail }, acting);
}

/** @param {LabOrder} order @param {() => Promise<void>} fulfil */
async function finish(order, fulfil) {
  const sure = await confirmDialog({
    title: t("Is the order done without a new glass?"),
    detail: t("{accession}: the pathologist no longer waits for it. An order with glasses of its own is done by itself when they can be read.", { accession: order.accession }),
    action: t("Done"),
  });
  if (sure) await fulfil();
}

/** @param {LabOrder} order @param {import("./lab_acts.js").Acting} acting */
async function decline(order, { changed, signal }) {
  const done = await formDialog({
    title: t("The order is not possible"),
    detail: [h("p", {}, t("{accession}: the pathologist sees the reason.", { accession: order.accession }))],
    fields: [{ name: "reason", label: t("Reason") }],
    action: t("Cancel the order"),
    send: (answers) => sendJson("POST", addressOf(order, "cancel"), answers, signal),
  });
  if (done) changed();
}
