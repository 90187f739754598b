/** The alarm: label, file and scanner contradict each other. It stays until a person has decided. */
import { h, icon } from "./dom.js";
import { t, tn } from "./i18n.js";
import { element } from "./page.js";

const title = document.title;

/** @param {number} mismatches */
export function showAlarm(mismatches) {
  const place = element("alarm");
  document.title = mismatches > 0 ? `(${mismatches}) ${title}` : title;
  if (place.dataset.shown === String(mismatches)) return;
  place.dataset.shown = String(mismatches);
  place.hidden = mismatches === 0;
  if (mismatches === 0) return place.replaceChildren();
  const words = tn(
    "The label and the barcode of {count} glass do not agree. It may be the wrong patient.",
    "The labels and the barcodes of {count} glasses do not agree. They may be the wrong patient's.",
    mismatches,
  );
  const show = () => element("unknown").querySelector("button")?.focus();
  place.replaceChildren(icon("shield-alert"), h("b", {}, words), h("button", { class: "button", type: "button", onclick: show }, t("Show")));
}
