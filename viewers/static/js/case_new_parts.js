/** The parts of a case and the glasses of each, as rows that the keyboard adds and leaves. */
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

const MOST_PARTS = 26;
const STAINS = ["HE", "PAS", "vGE", "Ki-67", "p16", "ER", "PgR", "HER2"];

export class PartsOfCase {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    place.append(h("datalist", { id: "stains" }, ...STAINS.map((value) => h("option", { value }))));
    this.#part(false);
  }

  reset() {
    for (const part of this.#parts()) part.remove();
    this.#part(false);
  }

  add() {
    if (this.#parts().length < MOST_PARTS) this.#part(true);
  }

  /** Another glass in the part that has the focus, else in the last. @param {EventTarget | null} target */
  addGlass(target) {
    const own = target instanceof Element ? target.closest("fieldset.part") : null;
    const part = own ?? this.#parts().at(-1);
    if (part instanceof HTMLElement) this.#glass(part, true);
  }

  /** Enter in a glass is another one; in other fields nothing. @param {HTMLInputElement} input */
  enterIn(input) {
    if (input.closest(".glass-row")) this.addGlass(input);
  }

  answers() {
    const parts = this.#parts();
    return {
      parts: parts.map((part) => ({
        part: value(part, "part"),
        topography: value(part, "topography"),
        taken_at: moment(value(part, "taken_at")),
        received_at: moment(value(part, "received_at")),
      })),
      slides: parts.flatMap((part) =>
        [...part.querySelectorAll(".glass-row")].map((row) => ({
          part: value(part, "part"),
          block: value(row, "block"),
          stain: value(row, "stain"),
          barcode: value(row, "barcode"),
        })),
      ),
    };
  }

  #parts() {
    return [...this.place.querySelectorAll("fieldset.part")];
  }

  /** @param {boolean} focus */
  #part(focus) {
    const letter = String.fromCharCode(65 + this.#parts().length);
    const part = h(
      "fieldset",
      { class: "part" },
      h("legend", { class: "visually-hidden" }, t("Part")),
      h("div", { class: "fields" },
        field("part", t("Part"), { value: letter, maxlength: 10, required: true, class: "short" }),
        field("topography", t("Topography (T code)"), { maxlength: 10, placeholder: "T02500" }),
        field("taken_at", t("Taken"), { type: "datetime-local" }),
        field("received_at", t("Received, now when left empty"), { type: "datetime-local" }),
      ),
      h("div", { class: "glass-rows" }),
      h("div", { class: "add" },
        h("button", { class: "button small", type: "button", onclick: () => this.#glass(part, true) }, icon("plus"), t("Another glass"), h("kbd", {}, "Alt+G")),
        h("button", { class: "button small quiet", type: "button", onclick: () => this.#remove(part) }, t("Remove the part")),
      ),
    );
    this.place.append(part);
    this.#glass(part, false);
    if (focus) part.querySelector("input")?.focus();
  }

  /** @param {Element} part */
  #remove(part) {
    if (this.#parts().length > 1) part.remove();
    this.#parts().at(-1)?.querySelector("input")?.focus();
  }

  /**
   * @param {Element} part
   * @param {boolean} focus
   */
  #glass(part, focus) {
    const rows = part.querySelector(".glass-rows");
    const before = rows?.lastElementChild;
    const block = before ? value(before, "block") : `${value(part, "part")}1`;
    const remove = () => {
      row.remove();
      part.querySelector("button")?.focus();
    };
    const row = h(
      "div",
      { class: "glass-row" },
      field("block", t("Block"), { value: block, maxlength: 10, class: "short" }),
      field("stain", t("Stain"), { value: "HE", maxlength: 40, list: "stains" }),
      field("barcode", t("Barcode, made when left empty"), { maxlength: 64, spellcheck: "false" }),
      h("button", { class: "button quiet", type: "button", title: t("Remove the glass"), "aria-label": t("Remove the glass"), onclick: remove }, icon("x")),
    );
    rows?.append(row);
    if (focus) row.querySelector("input")?.focus();
  }
}

/**
 * @param {string} name
 * @param {string} label
 * @param {import("./dom.js").Attributes} attributes
 */
function field(name, label, attributes) {
  return h("label", {}, h("span", {}, label), h("input", { name, autocomplete: "off", ...attributes }));
}

/**
 * @param {Element} within
 * @param {string} name
 */
function value(within, name) {
  const input = within.querySelector(`input[name="${name}"]`);
  return input instanceof HTMLInputElement ? input.value.trim() : "";
}

/** @param {string} local */
function moment(local) {
  return local === "" ? null : new Date(local).toISOString();
}
