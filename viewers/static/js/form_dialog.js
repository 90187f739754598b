/** A question with fields, in a dialog that holds the focus; what was typed stays when it fails. */
import { h, icon } from "./dom.js";
import { answersOf, fieldElement, missing } from "./form_fields.js";
import { t } from "./i18n.js";
import { refusalWords } from "./refusal_words.js";

/**
 * @typedef {import("./form_fields.js").Field} Field
 *
 * @typedef {object} Question
 * @property {string} title
 * @property {(Node | string)[]} [detail] what it is about, and what will happen
 * @property {Field[]} fields
 * @property {string} action the button that does it
 * @property {boolean} [final] it cannot be undone
 * @property {(answers: Record<string, any>) => Promise<unknown>} send
 * @property {(error: unknown) => string} [refused]
 */

let counter = 0;

/**
 * @param {Question} question
 * @returns {Promise<boolean>} whether it was done
 */
export function formDialog({ title, detail = [], fields, action, final = false, send, refused = refusalWords }) {
  const id = `form-${(counter += 1)}`;
  const complaint = h("p", { class: "message failed", role: "alert", hidden: true });
  const button = h("button", { class: `button primary${final ? " final" : ""}`, type: "submit" }, action, h("kbd", {}, "Ctrl+Enter"));
  /** @type {HTMLFormElement} */
  const form = h(
    "form",
    { novalidate: true },
    h("h2", { id }, title),
    ...detail,
    ...fields.map((field) => fieldElement(field, id)),
    complaint,
    h("footer", {}, h("button", { class: "button", type: "button", onclick: () => dialog.close() }, t("Cancel")), button),
  );
  /** @type {HTMLDialogElement} */
  const dialog = h("dialog", { class: "form", "aria-labelledby": id }, form);
  let done = false;
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const empty = missing(form, fields);
    if (empty) return say(t("Still missing: {field}.", { field: empty.label }), empty.name);
    button.disabled = true;
    try {
      await send(answersOf(form, fields));
      done = true;
      dialog.close();
    } catch (error) {
      say(refused(error), "password");
    } finally {
      button.disabled = false;
    }
  };
  /**
   * @param {string} words
   * @param {string} name of the field to go to
   */
  const say = (words, name) => {
    complaint.replaceChildren(icon("circle-alert"), h("span", {}, words));
    complaint.hidden = false;
    const field = form.querySelector(`[name="${name}"]`);
    if (field instanceof HTMLElement) field.focus();
  };
  form.addEventListener("submit", (event) => void submit(event));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit(event);
  });
  document.body.append(dialog);
  dialog.showModal();
  firstField(form)?.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(done);
    });
  });
}

/** @param {HTMLFormElement} form */
function firstField(form) {
  const field = form.querySelector("input:not([type=hidden]), select, textarea");
  return field instanceof HTMLElement ? field : null;
}
