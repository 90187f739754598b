/** `?` lists the keys of this screen. */
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {[string[], string]} KeyLine keys, and what they do */

/**
 * @param {KeyLine[]} lines
 * @returns {() => void} opens or closes the list
 */
export function keysDialog(lines) {
  /** @type {HTMLDialogElement} */
  const dialog = h(
    "dialog",
    { class: "keys", "aria-labelledby": "keys-title" },
    h(
      "header",
      {},
      h("h2", { id: "keys-title" }, t("Keys")),
      h("button", { class: "button quiet", type: "button", "aria-label": t("Close"), onclick: () => dialog.close() }, icon("x")),
    ),
    h("dl", {}, ...lines.flatMap(([keys, words]) => [h("dt", {}, ...keys.map((key) => h("kbd", {}, key))), h("dd", {}, words)])),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  return () => (dialog.open ? dialog.close() : dialog.showModal());
}

/**
 * Whether a key belongs to a field, a dialog or the browser rather than to the screen.
 * @param {KeyboardEvent} event
 */
export function keyIsTaken(event) {
  const { target } = event;
  const typing =
    target instanceof Element && target.closest("input, textarea, select, [contenteditable], dialog");
  return event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || Boolean(typing);
}
