/** Keys and buttons of the radiology page. Each key has a button or a gesture that does the same. */
import { keyLines } from "./imaging_key_lines.js";
import { mirrored, turned, zoomed } from "./imaging_view.js";
import { keyIsTaken, keysDialog } from "./keys_dialog.js";
import { element } from "./page.js";

/** @typedef {import("./imaging_page.js").Page} Page */

const ZOOM_STEP = 1.25;
const PAGE = 10;
const PAN = 0.1;
const FAR = 10;

/**
 * @param {Page} page
 * @param {(step: number) => void} openSeries the one before or after
 */
export function startImagingKeys(page, openSeries) {
  const showKeys = keysDialog(keyLines());
  const actions = actionsOf(page, openSeries, showKeys);
  document.addEventListener(
    "keydown",
    (event) => {
      if (keyIsTaken(event) || onButton(event)) return;
      if (event.key === "Escape" && document.querySelector(":popover-open")) return;
      const action = page.marks.cross ? crossAction(page, event) ?? actions[event.key] : actions[event.key] ?? toneAction(page, event.key);
      if (!action) return;
      event.preventDefault();
      action(event);
    },
    { signal: page.signal },
  );
  /** @type {Record<string, string>} */
  const buttons = { "rotate-left": "R", "rotate-right": "r", flip: "f", "flip-upside": "F", fit: "0", "one-to-one": "x", invert: "i", overlays: "o", reset: "e", previous: "[", next: "]", keys: "?", "tray-toggle": "t" };
  for (const [id, key] of Object.entries(buttons)) element(id).addEventListener("click", () => actions[key]?.(new KeyboardEvent("keydown")));
}

/** Enter and, but for links, space press what has the focus. @param {KeyboardEvent} event */
function onButton({ key, target }) {
  const pressed = key === "Enter" ? "button, summary, a" : key === " " ? "button, summary" : "";
  return pressed !== "" && target instanceof Element && target.closest(pressed) !== null;
}

/**
 * @param {Page} page
 * @param {(step: number) => void} openSeries
 * @param {() => void} showKeys
 * @returns {Record<string, ((event: KeyboardEvent) => void) | undefined>}
 */
function actionsOf(page, openSeries, showKeys) {
  const { player, stage } = page;
  const pan = (/** @type {number} */ x, /** @type {number} */ y) => stage.setView({ ...stage.view, x: stage.view.x + x * stage.canvas.width, y: stage.view.y + y * stage.canvas.height });
  const zoom = (/** @type {number} */ factor) => stage.setView(zoomed(stage.view, factor, { x: 0, y: 0 }, stage.size));
  const view = (/** @type {import("./types_imaging.js").View} */ next) => (stage.isFitted ? refit(stage, next) : stage.setView(next));
  const moveOr = (/** @type {number} */ step, /** @type {[number, number]} */ way) => (/** @type {KeyboardEvent} */ event) => (event.shiftKey ? pan(...way) : player.step(step));
  return {
    ArrowUp: moveOr(-1, [0, PAN]),
    ArrowLeft: moveOr(-1, [PAN, 0]),
    ArrowDown: moveOr(1, [0, -PAN]),
    ArrowRight: moveOr(1, [-PAN, 0]),
    PageUp: () => player.step(-PAGE),
    PageDown: () => player.step(PAGE),
    Home: () => player.step(-player.count),
    End: () => player.step(player.count),
    " ": () => player.cine.toggle(),
    "+": () => zoom(ZOOM_STEP),
    "=": () => zoom(ZOOM_STEP),
    "-": () => zoom(1 / ZOOM_STEP),
    0: () => stage.fit(),
    x: () => stage.setView({ ...stage.view, scale: 1, x: 0, y: 0 }),
    r: () => view(turned(stage.view, 1)),
    R: () => view(turned(stage.view, -1)),
    f: () => view(mirrored(stage.view)),
    F: () => view(mirrored(stage.view, true)),
    i: () => toggle(page, () => (stage.inverted = !stage.inverted)),
    o: () => toggle(page, () => (page.marks.showOverlays = !page.marks.showOverlays)),
    e: () => reset(page),
    w: () => page.setTool("window"),
    p: () => page.setTool("pan"),
    z: () => page.setTool("zoom"),
    m: () => startMeasuring(page),
    Delete: () => page.lengths.undo(stage.frame),
    Backspace: () => page.lengths.undo(stage.frame),
    "<": () => player.cine.setRate(player.cine.rate - 1),
    ">": () => player.cine.setRate(player.cine.rate + 1),
    "[": () => openSeries(-1),
    "]": () => openSeries(1),
    t: () => element("main").classList.toggle("tray-folded"),
    "?": showKeys,
    Escape: () => (page.tool === "window" ? location.assign(element("back").getAttribute("href") ?? "/") : page.setTool("window")),
  };
}

/** @param {Page} page @param {() => void} change */
function toggle(page, change) {
  change();
  page.stage.draw();
  page.changed();
}

/** @param {import("./imaging_stage.js").Stage} stage @param {import("./types_imaging.js").View} next */
function refit(stage, next) {
  stage.setView(next);
  stage.fit();
}

/** As the picture opened. @param {Page} page */
function reset(page) {
  const { stage } = page;
  stage.tones.reset();
  stage.inverted = false;
  stage.view = { ...stage.view, turns: 0, flipped: false };
  stage.fit();
  stage.repaint();
  page.changed();
}

/** The key begins at a cross that arrows move; the mouse takes over when it moves. @param {Page} page */
function startMeasuring(page) {
  page.setTool("measure");
  page.raiseCross();
  page.stage.canvas.focus();
}

/** @param {Page} page @param {KeyboardEvent} event */
function crossAction(page, { key, shiftKey }) {
  const by = shiftKey ? FAR : 1;
  /** @type {Record<string, [number, number] | undefined>} */
  const ways = { ArrowUp: [0, -by], ArrowDown: [0, by], ArrowLeft: [-by, 0], ArrowRight: [by, 0] };
  const way = ways[key];
  if (way) return () => page.moveCross(...way);
  if (key === "Enter") return () => page.setPoint();
  return undefined;
}

/** @param {Page} page @param {string} key */
function toneAction(page, key) {
  const tone = /^[1-9]$/.test(key) ? page.stage.tones.list[Number(key) - 1] : undefined;
  return tone && (() => page.chooseTone(tone.key));
}
