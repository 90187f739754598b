/** A question before an act that is final: says what will happen, and asks nothing more. */
import { h } from "./dom.js";
import { t } from "./i18n.js";

/**
 * @param {{title: string, detail: string, action: string}} words
 * @returns {Promise<boolean>}
 */
export function confirmDialog({ title, detail, action }) {
  const dialog = h(
    "dialog",
    { class: "confirm", "aria-labelledby": "confirm-title" },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: "confirm-title" }, title),
      h("p", {}, detail),
      h("footer", {}, h("button", { class: "button", value: "no" }, t("Cancel")), h("button", { class: "button primary", value: "yes" }, action)),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
