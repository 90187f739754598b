/** The fields of a form dialog: made from a description, read back as answers. */
import { h } from "./dom.js";
import { t } from "./i18n.js";

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {"text" | "long" | "choice" | "check" | "moment" | "password" | "several"} [kind] text when left out
 * @property {{value: string, words: string, hint?: string, chosen?: boolean}[]} [options] of a choice or of several
 * @property {string | boolean} [value] to begin with
 * @property {string} [hint]
 * @property {boolean} [optional]
 */

/**
 * @param {HTMLFormElement} form
 * @param {Field[]} fields
 */
export function missing(form, fields) {
  const answers = answersOf(form, fields);
  return fields.find(({ name, optional, kind }) => !optional && kind !== "check" && kind !== "several" && !answers[name]);
}

/**
 * @param {HTMLFormElement} form
 * @param {Field[]} fields
 */
export function answersOf(form, fields) {
  const data = new FormData(form);
  /** @type {Record<string, any>} */
  const answers = {};
  for (const { name, kind } of fields) {
    const value = String(data.get(name) ?? "");
    if (kind === "check") answers[name] = data.has(name);
    else if (kind === "several") answers[name] = data.getAll(name).map(String);
    else if (kind === "moment") answers[name] = value === "" ? null : new Date(value).toISOString();
    else answers[name] = kind === "password" ? value : value.trim();
  }
  return answers;
}

/**
 * @param {Field} field
 * @param {string} id
 */
export function fieldElement({ name, label, kind = "text", options = [], value = "", hint, optional }, id) {
  const described = hint ? `${id}-${name}` : null;
  const common = { name, required: !optional, "aria-describedby": described };
  const words = h("span", { class: "field-label" }, label, optional && kind !== "check" && h("small", {}, " (", t("may be left empty"), ")"));
  const more = hint ? h("small", { id: described ?? "" }, hint) : null;
  if (kind === "check") return h("label", { class: "check" }, h("input", { name, type: "checkbox", checked: value === true }), words, more);
  if (kind === "several") return h("fieldset", {}, h("legend", {}, label), ...options.map((at) => option(at, name)), more);
  const input =
    kind === "long"
      ? h("textarea", { ...common, rows: 4 }, String(value))
      : kind === "choice"
        ? h("select", common, ...options.map((at) => h("option", { value: at.value, selected: at.value === value, title: at.hint }, at.words)))
        : h("input", { ...common, type: kind === "moment" ? "datetime-local" : kind, value: String(value), autocomplete: kind === "password" ? "current-password" : "off" });
  return h("label", {}, words, input, more);
}

/**
 * @param {{value: string, words: string, chosen?: boolean}} at
 * @param {string} name
 */
function option(at, name) {
  return h("label", { class: "check" }, h("input", { name, type: "checkbox", value: at.value, checked: at.chosen === true }), h("span", {}, at.words));
}
