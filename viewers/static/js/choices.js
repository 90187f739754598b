/** One of few, as buttons that stay where they are: new figures do not take the focus away. */
import { h } from "./dom.js";

/**
 * @param {HTMLElement} place
 * @param {[string, string][]} options value and words
 * @param {string} chosen
 * @param {(value: string) => void} choose
 */
export function showChoices(place, options, chosen, choose) {
  if (place.childElementCount !== options.length) {
    place.replaceChildren(...options.map(([value, words]) => h("button", { type: "button", "data-value": value }, words)));
  }
  place.onclick = ({ target }) => {
    const value = target instanceof Element ? target.closest("button")?.dataset.value : undefined;
    if (value !== undefined) choose(value);
  };
  for (const button of place.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.value === chosen));
}
