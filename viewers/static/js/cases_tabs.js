/** The lists a person works from, with how much is on each; the chosen one is in the address. */
import { setContent } from "./dom.js";
import { number } from "./format.js";

/** @typedef {import("./types_cases.js").ListName} ListName */

export class CaseTabs {
  /**
   * @param {HTMLElement} place buttons with `data-list`; the last may be a check box for ended cases
   * @param {() => void} changed
   */
  constructor(place, changed) {
    this.buttons = [...place.querySelectorAll("button")];
    this.changed = changed;
    const wanted = new URLSearchParams(location.search);
    this.ended = wanted.get("ended") === "true";
    const button = this.buttons.find((each) => each.dataset.list === wanted.get("list")) ?? this.buttons[0];
    this.name = /** @type {ListName} */ (button?.dataset.list ?? "mine");
    for (const each of this.buttons) each.addEventListener("click", () => this.#choose(each));
    const box = document.getElementById("ended");
    if (box instanceof HTMLInputElement) {
      box.checked = this.ended;
      box.addEventListener("change", () => {
        this.ended = box.checked;
        this.#show();
        this.changed();
      });
    }
    this.#show();
  }

  get query() {
    return `list=${this.name}${this.ended ? "&ended=true" : ""}`;
  }

  /** @param {number} number of the list, from 1 */
  choose(number) {
    const button = this.buttons[number - 1];
    if (button) this.#choose(button);
  }

  /** @param {Record<string, number>} counts */
  showCounts(counts) {
    for (const button of this.buttons) {
      const place = button.querySelector(".count");
      if (place) setContent(place, number(counts[button.dataset.list ?? ""] ?? 0));
    }
  }

  /** @param {HTMLButtonElement} button */
  #choose(button) {
    const name = /** @type {ListName} */ (button.dataset.list);
    if (name === this.name) return;
    this.name = name;
    this.#show();
    this.changed();
  }

  #show() {
    for (const each of this.buttons) each.setAttribute("aria-pressed", String(each.dataset.list === this.name));
    history.replaceState(null, "", `/cases?${this.query}`);
  }
}
