/** Where on the glass to scan again: drawn on the overview, as fractions of the whole glass. */
import { h } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {[number, number, number, number]} Region left, top, width, height */

const LEAST = 0.01;

/**
 * @param {string} address of the overview
 * @param {Region | null} known what was asked for before
 */
export function regionPicker(address, known) {
  /** @type {Region | null} */
  let region = known;
  const frame = h("span", { class: "region" });
  const image = h("img", { src: address, alt: t("The whole glass"), draggable: "false" });
  const glass = h("div", { class: "region-glass" }, image, frame);
  const clear = h("button", { class: "button small quiet", type: "button" }, t("The whole glass"));
  const hint = h("small", {}, t("Draw on the picture where it has to be better. Without a drawing the whole glass is scanned again."));
  const figure = h("figure", { class: "region-picker" }, glass, h("figcaption", {}, hint, clear));
  image.addEventListener("error", () => figure.remove(), { once: true });

  /** @type {[number, number] | null} */
  let from = null;
  const show = () => {
    frame.hidden = clear.hidden = region === null;
    if (region === null) return;
    const [left, top, width, height] = region.map((share) => `${100 * share}%`);
    Object.assign(frame.style, { left, top, width, height });
  };
  glass.addEventListener("pointerdown", (event) => {
    glass.setPointerCapture(event.pointerId);
    from = at(glass, event);
    event.preventDefault();
  });
  glass.addEventListener("pointermove", (event) => {
    if (from === null) return;
    region = between(from, at(glass, event));
    show();
  });
  glass.addEventListener("pointerup", () => {
    from = null;
    if (region && (region[2] < LEAST || region[3] < LEAST)) region = null;
    show();
  });
  clear.addEventListener("click", () => {
    region = null;
    show();
  });
  show();
  return { figure, region: () => region };
}

/**
 * @param {Element} glass
 * @param {PointerEvent} event
 * @returns {[number, number]}
 */
function at(glass, event) {
  const box = glass.getBoundingClientRect();
  const within = (/** @type {number} */ share) => Math.min(1, Math.max(0, share));
  return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
}

/**
 * @param {[number, number]} one
 * @param {[number, number]} other
 * @returns {Region}
 */
function between([x, y], [u, v]) {
  const rounded = (/** @type {number} */ share) => Math.round(share * 1e4) / 1e4;
  return [rounded(Math.min(x, u)), rounded(Math.min(y, v)), rounded(Math.abs(u - x)), rounded(Math.abs(v - y))];
}
