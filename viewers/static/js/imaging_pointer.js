/** Mouse, pen and fingers on the stage. Left does the chosen tool, middle moves, right zooms. */
import { draggedWindow } from "./imaging_window.js";
import { rangeOf } from "./imaging_values.js";
import { toImage, zoomed } from "./imaging_view.js";

/**
 * @typedef {"window" | "pan" | "zoom" | "measure"} Tool
 * @typedef {import("./types_imaging.js").Point} Point
 * @typedef {import("./types_imaging.js").Window} Window
 * @typedef {import("./imaging_page.js").Page} Page
 */

const WHEEL_STEP = 60;
const ZOOM_PER_PIXEL = 1.008;
/** @type {Record<number, Tool>} */
const BY_BUTTON = { 1: "pan", 2: "zoom" };

/** @param {Page} page */
export function startPointer(page) {
  const { canvas } = page.stage;
  /** @type {Map<number, PointerEvent>} */
  const down = new Map();
  /** @type {Tool} */
  let doing = "window";
  /** @type {Window | null} that a drag began with */
  let began = null;
  /** @type {PointerEvent | null} */
  let start = null;
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointerdown", (event) => {
    if (!page.stage.frame) return;
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, event);
    if (down.size > 1) page.lengths.undo(null);
    doing = BY_BUTTON[event.button] ?? page.tool;
    began = page.stage.pixels?.kind === "grey" ? page.stage.tones.asWindow(page.stage.pixels) : null;
    start = event;
    if (doing === "measure" && down.size === 1) page.lengths.begin(page.stage.frame, imagePoint(page, event));
  });
  canvas.addEventListener("pointermove", (event) => {
    page.point(imagePoint(page, event));
    const before = down.get(event.pointerId);
    if (!before) return;
    if (down.size === 2) pinch(page, down, before, event);
    else if (doing === "window" && began && start) dragWindow(page, began, start, event);
    else drag(page, doing, before, event);
    down.set(event.pointerId, event);
  });
  for (const ends of /** @type {const} */ (["pointerup", "pointercancel"])) {
    canvas.addEventListener(ends, (event) => {
      if (down.delete(event.pointerId) && doing === "measure") page.lengths.end();
    });
  }
  canvas.addEventListener("pointerleave", () => page.point(null));
  canvas.addEventListener("dblclick", () => page.tool !== "measure" && page.stage.fit());
  startWheel(page);
}

/** @param {Page} page */
function startWheel(page) {
  let turned = 0;
  page.stage.canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      if (event.ctrlKey || page.player.count < 2) {
        zoomAt(page, event, ZOOM_PER_PIXEL ** -event.deltaY);
        return;
      }
      turned += event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * WHEEL_STEP : event.deltaY;
      const steps = Math.trunc(turned / WHEEL_STEP);
      if (steps === 0) return;
      turned -= steps * WHEEL_STEP;
      page.player.step(steps);
    },
    { passive: false },
  );
}

/**
 * @param {Page} page
 * @param {Tool} doing
 * @param {PointerEvent} before
 * @param {PointerEvent} now
 */
function drag(page, doing, before, now) {
  const { stage } = page;
  const [across, down] = [now.clientX - before.clientX, now.clientY - before.clientY];
  if (doing === "measure") page.lengths.move(imagePoint(page, now));
  if (doing === "pan") stage.setView({ ...stage.view, x: stage.view.x + across * devicePixelRatio, y: stage.view.y + down * devicePixelRatio });
  if (doing === "zoom") stage.setView(zoomed(stage.view, ZOOM_PER_PIXEL ** -down, { x: 0, y: 0 }, stage.size));
}

/**
 * @param {Page} page
 * @param {Window} began
 * @param {PointerEvent} start
 * @param {PointerEvent} now
 */
function dragWindow(page, began, start, now) {
  const { pixels } = page.stage;
  if (pixels?.kind !== "grey") return;
  const [low, high] = rangeOf(pixels);
  page.setWindow(draggedWindow(began, now.clientX - start.clientX, now.clientY - start.clientY, high - low));
}

/**
 * Two fingers: what lies under them stays under them.
 * @param {Page} page
 * @param {Map<number, PointerEvent>} down
 * @param {PointerEvent} before
 * @param {PointerEvent} now
 */
function pinch({ stage }, down, before, now) {
  const other = [...down.values()].find((at) => at.pointerId !== now.pointerId);
  if (!other) return;
  const span = (/** @type {PointerEvent} */ at) => Math.hypot(at.clientX - other.clientX, at.clientY - other.clientY) || 1;
  const moved = { x: ((now.clientX - before.clientX) / 2) * devicePixelRatio, y: ((now.clientY - before.clientY) / 2) * devicePixelRatio };
  const middle = fromMiddle(stage.canvas, (now.clientX + other.clientX) / 2, (now.clientY + other.clientY) / 2);
  const view = { ...stage.view, x: stage.view.x + moved.x, y: stage.view.y + moved.y };
  stage.setView(zoomed(view, span(now) / span(before), middle, stage.size));
}

/** @param {Page} page @param {MouseEvent} event @param {number} factor */
function zoomAt({ stage }, event, factor) {
  if (stage.pixels) stage.setView(zoomed(stage.view, factor, fromMiddle(stage.canvas, event.clientX, event.clientY), stage.size));
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} x of the window, CSS pixels
 * @param {number} y
 * @returns {Point} device pixels from the middle of the stage
 */
function fromMiddle(canvas, x, y) {
  const box = canvas.getBoundingClientRect();
  return { x: (x - box.x) * devicePixelRatio - canvas.width / 2, y: (y - box.y) * devicePixelRatio - canvas.height / 2 };
}

/** @param {Page} page @param {MouseEvent} event @returns {Point} in the image's pixels */
export function imagePoint({ stage }, event) {
  const box = stage.canvas.getBoundingClientRect();
  return toImage(stage.matrix, { x: (event.clientX - box.x) * devicePixelRatio, y: (event.clientY - box.y) * devicePixelRatio });
}
