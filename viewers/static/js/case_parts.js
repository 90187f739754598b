/** The parts of the case's page: made anew only when what they show has changed. */
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { element } from "./page.js";

/**
 * @typedef {import("./dom.js").Child} Child
 * @typedef {{body: Child[], acts?: Child[], tone?: string} | null} Built null: nothing to show
 */

/** @type {Map<string, string>} */
const shown = new Map();

/**
 * Show a part; where the focus was inside it stays, and what others changed is marked.
 * @param {string} id
 * @param {unknown} about what it shows; the same again changes nothing
 * @param {() => Built} build
 * @param {boolean} own changed by whoever looks, or shown for the first time
 */
export function showPart(id, about, build, own) {
  const key = JSON.stringify(about);
  if (shown.get(id) === key) return;
  const first = !shown.has(id);
  shown.set(id, key);
  const place = element(id);
  const built = build();
  place.hidden = built === null;
  if (built === null) return;
  const held = heldFocus(place);
  place.classList.toggle("attention", built.tone === "attention");
  element(`${id}-body`).replaceChildren(...kept(built.body));
  element(`${id}-acts`).replaceChildren(...kept(built.acts ?? []));
  held();
  if (!own && !first) markChanged(id);
}

/** @param {string} id */
export function markChanged(id) {
  const mark = element(`${id}-mark`);
  mark.replaceChildren(h("span", { class: "state attention" }, icon("refresh-cw"), h("span", {}, t("changed"))));
  const seen = () => mark.replaceChildren();
  element(id).addEventListener("pointermove", seen, { once: true });
  element(id).addEventListener("focusin", seen, { once: true });
}

/**
 * Something to say aloud to those who do not see it.
 * @param {string} words
 */
export function say(words) {
  element("said").textContent = words;
}

/**
 * Puts the focus back on the element with the same `data-focus`.
 * @param {HTMLElement} place
 */
function heldFocus(place) {
  const name = place.contains(document.activeElement) ? document.activeElement?.closest("[data-focus]")?.getAttribute("data-focus") : null;
  return () => {
    if (!name) return;
    const again = [...place.querySelectorAll("[data-focus]")].find((at) => at.getAttribute("data-focus") === name);
    (again instanceof HTMLElement ? again : place).focus({ preventScroll: true });
  };
}

/** @param {Child[]} children */
function kept(children) {
  return /** @type {(Node | string)[]} */ (children.filter((child) => child !== null && child !== undefined && child !== false));
}

/**
 * A button inside a part.
 * @param {string} words
 * @param {() => void} act
 * @param {{key?: string, icon?: string, focus?: string, quiet?: boolean}} [more]
 */
export function actButton(words, act, { key, icon: name, focus, quiet } = {}) {
  return h(
    "button",
    { class: `button small${quiet ? " quiet" : ""}`, type: "button", "data-focus": focus ?? words, onclick: act },
    name && icon(name),
    h("span", {}, words),
    key && h("kbd", {}, key),
  );
}
