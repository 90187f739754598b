/** A rectangle drawn on the slide, or the field in view, or the whole glass. */
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { element } from "./page.js";

/** @typedef {[number, number, number, number]} Region left, top, width, height as fractions of the image */

const LEAST_PX = 6;

/**
 * @param {import("./microscope.js").Microscope} microscope
 * @returns {Promise<{region: Region | null} | null>} null: thought better of it
 */
export function drawRegion(microscope) {
  const stage = element("stage");
  /** @type {{region: Region | null} | null} */
  let chosen = null;
  const box = h("span", { class: "drawn-box", hidden: true });
  const field = () => choose({ region: ofRectangle(microscope, whole(stage)) });
  const dialog = h(
    "dialog",
    { class: "draw-region", "aria-label": t("Where to scan again") },
    box,
    h(
      "p",
      {},
      h("span", {}, t("Draw the place that has to be scanned again, or take:")),
      h("button", { class: "button", type: "button", onclick: field }, t("The field in view"), h("kbd", {}, "Enter")),
      h("button", { class: "button", type: "button", onclick: () => choose({ region: null }) }, t("The whole glass"), h("kbd", {}, "h")),
      h("button", { class: "button quiet", type: "button", onclick: () => dialog.close() }, t("Cancel"), h("kbd", {}, "Esc")),
    ),
  );
  /** @param {{region: Region | null}} what */
  const choose = (what) => {
    chosen = what;
    dialog.close();
  };
  dialog.addEventListener("keydown", (event) => event.key === "h" && choose({ region: null }));
  watchDrag(dialog, box, stage, (rectangle) => choose({ region: ofRectangle(microscope, rectangle) }));
  const edge = stage.getBoundingClientRect(); // the patient above stays in sight
  Object.assign(dialog.style, { left: `${edge.left}px`, top: `${edge.top}px`, width: `${edge.width}px`, height: `${edge.height}px` });
  stage.append(dialog);
  dialog.showModal();
  dialog.querySelector("button")?.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      element("canvas").focus();
      resolve(chosen);
    });
  });
}

/**
 * @param {HTMLElement} surface
 * @param {HTMLElement} box
 * @param {HTMLElement} stage
 * @param {(rectangle: DOMRect) => void} done rectangle in the stage's pixels
 */
function watchDrag(surface, box, stage, done) {
  /** @type {{x: number, y: number} | null} */
  let from = null;
  const rectangle = (/** @type {PointerEvent} */ event) => {
    const edge = stage.getBoundingClientRect();
    const start = from ?? { x: event.clientX, y: event.clientY };
    const [left, top] = [Math.min(start.x, event.clientX), Math.min(start.y, event.clientY)];
    return new DOMRect(left - edge.left, top - edge.top, Math.abs(event.clientX - start.x), Math.abs(event.clientY - start.y));
  };
  surface.addEventListener("pointerdown", (event) => {
    if (event.target !== surface) return;
    from = { x: event.clientX, y: event.clientY };
    surface.setPointerCapture(event.pointerId);
  });
  surface.addEventListener("pointermove", (event) => {
    if (!from) return;
    const { x, y, width, height } = rectangle(event);
    box.hidden = false;
    Object.assign(box.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
  });
  surface.addEventListener("pointerup", (event) => {
    const drawn = rectangle(event);
    const far = from !== null && drawn.width > LEAST_PX && drawn.height > LEAST_PX;
    from = null;
    box.hidden = true;
    if (far) done(drawn);
  });
}

/** @param {HTMLElement} stage */
function whole(stage) {
  return new DOMRect(0, 0, stage.clientWidth, stage.clientHeight);
}

/**
 * The upright rectangle of the image that holds what was drawn, however the slide is turned.
 * @param {import("./microscope.js").Microscope} microscope
 * @param {DOMRect} drawn
 * @returns {Region}
 */
function ofRectangle(microscope, drawn) {
  const { width, height } = microscope.slide;
  const corners = [drawn.left, drawn.right].flatMap((x) => [drawn.top, drawn.bottom].map((y) => microscope.positionAt({ x, y })));
  const inside = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
  const [xs, ys] = [corners.map(({ x }) => inside(x / width)), corners.map(({ y }) => inside(y / height))];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const exact = (/** @type {number} */ value) => Math.round(value * 1e4) / 1e4;
  return [exact(left), exact(top), exact(Math.max(...xs) - left), exact(Math.max(...ys) - top)];
}
