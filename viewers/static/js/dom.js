/** Building elements without a framework: text is always text, never markup. */
import { spriteAddress } from "./page.js";

/** @typedef {Node | string | null | undefined | false} Child */
/** @typedef {Record<string, string | number | boolean | null | undefined | EventListener>} Attributes */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Attributes} [attributes] `onclick` and the like are listeners
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(key, String(value));
    }
  }
  made.append(...kept(children));
  return made;
}

/** @param {Child[]} children */
function kept(children) {
  return /** @type {(Node | string)[]} */ (
    children.filter((child) => child !== null && child !== undefined && child !== false)
  );
}

/**
 * @param {string} name one of the symbols in icons/sprite.svg
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${spriteAddress}#${name}`);
  svg.append(use);
  return svg;
}

/**
 * Replace the content only when it would look different, so that nothing flickers.
 * @param {Element} target
 * @param {...Child} children
 */
export function setContent(target, ...children) {
  const next = document.createElement("template");
  next.content.append(...kept(children));
  const same =
    next.innerHTML === target.innerHTML && !next.content.querySelector("button, input");
  if (!same) target.replaceChildren(...next.content.childNodes);
}

/**
 * State is never colour alone: icon, word and tone together.
 * @param {{tone: import("./types.js").Tone, icon: string, word: string, hint?: string}} state
 */
export function stateMark(state) {
  return h(
    "span",
    { class: `state ${state.tone}`, title: state.hint },
    icon(state.icon),
    h("span", {}, state.word),
  );
}
