/** Additional work asked of the laboratory, and how far it has come. */
import { h, icon } from "./dom.js";
import { exactTime } from "./format.js";
import { formDialog } from "./form_dialog.js";
import { t } from "./i18n.js";
import { actButton, showPart } from "./case_parts.js";
import { ORDER_KINDS } from "./case_terms.js";
import { nameOf } from "./case_words.js";

/** @typedef {import("./case_store.js").CaseStore} CaseStore */
/** @typedef {import("./types_case.js").Order} Order */

/**
 * @param {CaseStore} store
 * @param {boolean} own
 */
export function showOrders(store, own) {
  const { now } = store;
  const order = mayOrder(store) && actButton(t("Order"), () => void orderMore(store), { key: "b", icon: "layers" });
  const build = () => (now.orders.length === 0 && !order ? null : { body: [list(store)], acts: [order] });
  showPart("orders", [now.orders, now.may, mayOrder(store)], build, own);
}

/** @param {CaseStore} store */
export function mayOrder({ now }) {
  return now.responsible && now.may.report && now.state !== "cancelled" && now.state !== "rejected";
}

/** @param {CaseStore} store */
function list(store) {
  const { orders } = store.now;
  if (orders.length === 0) return h("p", { class: "secondary" }, t("Nothing has been ordered."));
  return h("ul", { class: "lines" }, ...orders.toReversed().map((order) => line(store, order)));
}

/**
 * @param {CaseStore} store
 * @param {Order} order
 */
function line(store, order) {
  const { now } = store;
  const open = !order.fulfilled_at && !order.cancelled_at;
  const what = [ORDER_KINDS[order.kind] ?? "", order.stain, order.block && t("block {block}", { block: order.block })].filter(Boolean).join(" · ");
  const mayCancel = open && (now.responsible || now.may.run_lab);
  return h(
    "li",
    {},
    h("p", {}, state(order), " ", h("b", {}, what), h("span", { class: "secondary" }, ` ${nameOf(now, order.placed_by)} ${exactTime(order.placed_at)}`), mayCancel && actButton(t("Cancel the order"), () => void cancel(store, order), { quiet: true, focus: `cancel ${order.order_id}` })),
    order.note && h("p", { class: "written" }, order.note),
    order.cancelled_at && order.reason && h("p", { class: "secondary" }, order.reason),
  );
}

/** @param {Order} order */
function state(order) {
  if (order.fulfilled_at) return h("span", { class: "state done", title: exactTime(order.fulfilled_at) }, icon("circle-check"), t("Done"));
  if (order.cancelled_at) return h("span", { class: "state neutral", title: exactTime(order.cancelled_at) }, icon("circle-dashed"), t("Cancelled"));
  if (order.accepted_at) return h("span", { class: "state neutral", title: exactTime(order.accepted_at) }, icon("hourglass"), t("In the laboratory"));
  return h("span", { class: "state neutral" }, icon("clock"), t("Ordered"));
}

/** @param {CaseStore} store */
export function orderMore(store) {
  const { now } = store;
  const blocks = [...new Set([...now.specimens.flatMap((at) => at.blocks), ...now.slides.map((at) => at.block)])].filter(Boolean);
  const focused = document.activeElement?.getAttribute("data-barcode");
  const block = now.slides.find((at) => at.barcode === focused)?.block ?? blocks[0] ?? "";
  return formDialog({
    title: t("Order additional work"),
    detail: now.state === "distributed" ? [h("p", {}, t("The report is out: the answer to this becomes a supplementary report."))] : [],
    fields: [
      { name: "kind", label: t("What"), kind: "choice", value: "immuno", options: Object.entries(ORDER_KINDS).map(([value, words]) => ({ value, words })) },
      { name: "block", label: t("Block"), kind: "choice", value: block, optional: true, options: [...blocks.map((each) => ({ value: each, words: each })), { value: "", words: t("No block") }] },
      { name: "stain", label: t("Stain or antibody"), optional: true, hint: t("Needed for stains and immunohistochemistry, such as CK5 or PAS.") },
      { name: "note", label: t("Note to the laboratory"), optional: true },
    ],
    action: t("Order"),
    send: (said) => store.act("orders", said),
  });
}

/**
 * @param {CaseStore} store
 * @param {Order} order
 */
function cancel(store, order) {
  const fields = [{ name: "reason", label: t("Reason") }];
  return formDialog({ title: t("Cancel the order"), fields, action: t("Cancel the order"), send: (said) => store.act(`orders/${order.order_id}/cancel`, said) });
}
