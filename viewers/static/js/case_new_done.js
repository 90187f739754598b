/** After entering: the numbers to write on the glasses, what to look at once more, the ways on. */
import { warningWords } from "./case_new_identifier.js";
import { caseAddress } from "./cases_row.js";
import { h, icon } from "./dom.js";
import { t, tn } from "./i18n.js";

/**
 * @param {HTMLElement} place
 * @param {{accession: string, barcodes: string[], warnings: string[]}} told
 * @param {() => void} again
 */
export function showEntered(place, { accession, barcodes, warnings }, again) {
  const open = h("a", { class: "button primary", href: caseAddress(accession) }, t("Open the case"));
  place.replaceChildren(
    h("p", { class: "state done" }, icon("circle-check"), h("span", {}, t("The case is entered."))),
    h("h2", { class: "made" }, accession),
    ...warnings.map((code) => h("p", { class: "state attention" }, icon("triangle-alert"), h("span", {}, warningWords(code)))),
    h("h3", {}, tn("{count} glass to wait for", "{count} glasses to wait for", barcodes.length)),
    h("ul", { class: "barcodes" }, ...barcodes.map((barcode) => h("li", {}, icon("barcode"), h("code", {}, barcode)))),
    h("p", { class: "ways" }, open, h("button", { class: "button", type: "button", onclick: again }, t("Enter another")), h("a", { class: "button quiet", href: "/cases" }, t("To the list"))),
  );
  place.hidden = false;
  open.focus();
}
