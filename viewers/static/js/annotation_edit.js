/** Corners of the chosen annotation: dragged, added between two others, taken away. */
import { scaleOf, toScreen } from "./annotation_frame.js";
import { AREAS } from "./annotation_shapes.js";

/** @typedef {import("./annotation_types.js").Place} Place */
/** @typedef {import("./annotation_types.js").Parts} Parts */
/** @typedef {{part: number, ring: number, at: number, fresh: boolean}} Grip a corner, or the middle between it and the one before */

const NEAR_PX = 10;
const APART_PX = 28;
const MOST_CORNERS = 500;
/** @type {Partial<Record<import("./annotation_types.js").Kind, number>>} corners a ring keeps at least; what is not named has fixed ones */
const LEAST = { polygon: 3, polyline: 2, multipoint: 1 };

/** What can be gripped of the chosen annotation. */
export class AnnotationEditor {
  /** @param {import("./annotation_layer.js").AnnotationLayer} layer @param {import("./annotation_store.js").AnnotationStore} store */
  constructor(layer, store) {
    this.layer = layer;
    this.store = store;
    /** A corner that was clicked: Delete takes it away. @type {Grip | null} */
    this.marked = null;
    this.of = "";
    layer.above.push((context, frame) => this.#paint(context, frame));
    store.addEventListener("change", () => store.selected !== this.of && this.#leave());
  }

  #leave() {
    this.marked = null;
    this.of = this.store.selected ?? "";
  }

  get item() {
    const { chosen } = this.store;
    return chosen && this.store.may.annotate && !chosen.locked && chosen.kind !== "ellipse" ? chosen : null;
  }

  /** What lies under a place of the screen. @param {Place} screen @param {import("./annotation_frame.js").Frame} frame @returns {Grip | null} */
  gripAt(screen, frame) {
    let [best, least] = [/** @type {Grip | null} */ (null), NEAR_PX];
    for (const { grip, place } of this.#grips(frame)) {
      const far = Math.hypot(place[0] - screen[0], place[1] - screen[1]);
      if (far < least) [best, least] = [grip, far];
    }
    return best;
  }

  /** The corner is there now. @param {Grip} grip @param {Place} place @returns {Grip} the same corner from now on */
  move(grip, place) {
    const { item } = this;
    if (!item) return grip;
    const shape = this.layer.shapeOf(item);
    const parts = /** @type {Parts} */ (shape.parts.map((part) => part.map((ring) => [...ring])));
    const ring = parts[grip.part]?.[grip.ring];
    if (!ring) return grip;
    if (grip.fresh) ring.splice(grip.at, 0, place);
    else if (item.kind === "rectangle") parts[grip.part] = [upright(ring, grip.at, place)];
    else ring[grip.at] = place;
    this.layer.moved.set(item.annotation_id, { kind: shape.kind, parts });
    this.layer.paint();
    return { ...grip, fresh: false };
  }

  /** The corner stays there. */
  drop() {
    const { item } = this;
    const moved = item && this.layer.moved.get(item.annotation_id);
    this.layer.moved.clear();
    if (item && moved) void this.store.change(item.annotation_id, { parts: moved.parts });
  }

  /** @param {Grip} grip */
  mark(grip) {
    this.marked = grip.fresh ? null : grip;
    this.layer.paint();
  }

  /** @returns {boolean} whether a corner was taken away */
  removeMarked() {
    const { item, marked } = this;
    const ring = marked && item?.parts[marked.part]?.[marked.ring];
    if (!item || !marked || !ring || ring.length <= (LEAST[item.kind] ?? Infinity)) return false;
    const parts = item.parts.map((part, p) => part.map((at, r) => (p === marked.part && r === marked.ring ? at.filter((_, c) => c !== marked.at) : at)));
    this.marked = null;
    void this.store.change(item.annotation_id, { parts });
    return true;
  }

  /** @param {import("./annotation_frame.js").Frame} frame */
  *#grips(frame) {
    const { item } = this;
    if (!item || item.parts.flat(2).length > MOST_CORNERS) return;
    const closed = AREAS.includes(item.kind);
    const adds = (item.kind === "polygon" || item.kind === "polyline") && scaleOf(frame) > 0;
    for (const [part, rings] of this.layer.shapeOf(item).parts.entries()) {
      for (const [ring, corners] of rings.entries()) {
        for (const [at, corner] of corners.entries()) {
          const place = toScreen(frame, corner);
          yield { grip: { part, ring, at, fresh: false }, place };
          const before = adds && (at || closed) ? corners.at(at - 1) : undefined;
          if (!before) continue;
          const [x, y] = toScreen(frame, before);
          if (Math.hypot(x - place[0], y - place[1]) < APART_PX) continue;
          yield { grip: { part, ring, at, fresh: true }, place: /** @type {Place} */ ([(x + place[0]) / 2, (y + place[1]) / 2]) };
        }
      }
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {import("./annotation_frame.js").Frame} frame */
  #paint(context, frame) {
    if (this.store.hidden) return;
    for (const { grip, place } of this.#grips(frame)) {
      const half = grip.fresh ? 3 : 4.5;
      const { marked } = this;
      const full = marked && marked.part === grip.part && marked.ring === grip.ring && marked.at === grip.at && !grip.fresh;
      context.fillStyle = full ? "#0d1014" : "#fff";
      context.strokeStyle = grip.fresh ? "rgb(13 16 20 / 55%)" : "#0d1014";
      context.lineWidth = 1.5;
      context.beginPath();
      context.rect(place[0] - half, place[1] - half, 2 * half, 2 * half);
      context.fill();
      context.stroke();
    }
  }
}

/**
 * An upright rectangle of which one corner is elsewhere now.
 * @param {Place[]} ring
 * @param {number} at
 * @param {Place} place
 * @returns {Place[]}
 */
function upright(ring, at, place) {
  const [x, y] = ring[(at + 2) % 4] ?? place;
  const xs = /** @type {const} */ ([Math.min(x, place[0]), Math.max(x, place[0])]);
  const ys = /** @type {const} */ ([Math.min(y, place[1]), Math.max(y, place[1])]);
  /** @type {Place[]} */
  const corners = [[xs[0], ys[0]], [xs[1], ys[0]], [xs[1], ys[1]], [xs[0], ys[1]]];
  const first = corners.findIndex(([cx, cy]) => cx === place[0] && cy === place[1]);
  // The corner that is dragged keeps its number, on whichever side of the others it is now.
  return corners.map((_, number) => corners[(number - at + Math.max(first, 0) + 4) % 4] ?? place);
}
