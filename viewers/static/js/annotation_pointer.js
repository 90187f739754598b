/** The pointer over the slide: draws with a tool, grips a corner, chooses what is clicked, else moves the slide. */
import { frameOf, scaleOf } from "./annotation_frame.js";
import { areaOf, distanceTo } from "./annotation_shapes.js";

/** @typedef {import("./annotation_types.js").Place} Place */

const STILL_PX = 6;
const HIT_PX = 8;

/**
 * @param {import("./annotation_layer.js").AnnotationLayer} layer
 * @param {import("./annotation_store.js").AnnotationStore} store
 * @param {import("./annotation_tools.js").AnnotationTools} tools
 * @param {import("./annotation_edit.js").AnnotationEditor} editor
 */
export function startPointer(layer, store, tools, editor) {
  const { microscope } = layer;
  const { viewer } = microscope;
  /** @type {{from: Place, place: Place, moved: boolean, grip: import("./annotation_edit.js").Grip | null} | null} */
  let down = null;
  const screen = (/** @type {{clientX: number, clientY: number}} */ event) => {
    const box = viewer.element.getBoundingClientRect();
    return /** @type {Place} */ ([event.clientX - box.left, event.clientY - box.top]);
  };
  const placeOf = (/** @type {{clientX: number, clientY: number}} */ event) => {
    const [x, y] = screen(event);
    const at = microscope.positionAt({ x, y });
    return /** @type {Place} */ ([at.x, at.y]);
  };
  /** @param {any} event of OpenSeadragon */
  const press = ({ originalEvent }) => {
    if (originalEvent.isPrimary === false || store.hidden) return void (down = null);
    const grip = tools.tool ? null : editor.gripAt(screen(originalEvent), frameOf(microscope));
    down = { from: screen(originalEvent), place: placeOf(originalEvent), moved: false, grip };
  };
  /** @param {any} event */
  const drag = (event) => {
    if (!down) return;
    const [x, y] = screen(event.originalEvent);
    down.moved ||= Math.hypot(x - down.from[0], y - down.from[1]) > STILL_PX;
    const place = placeOf(event.originalEvent);
    if (down.grip) {
      event.preventDefaultAction = true;
      if (down.moved) down.grip = editor.move(down.grip, place);
    } else if (tools.tool === "rectangle") {
      event.preventDefaultAction = true;
      if (down.moved && !tools.ring.length) tools.set(down.place);
      tools.hover(place);
    }
  };
  /** @param {any} event */
  const release = ({ originalEvent }) => {
    const at = down;
    down = null;
    if (!at) return;
    if (at.grip) return at.moved ? editor.drop() : editor.mark(at.grip);
    if (tools.tool === "rectangle" && at.moved && tools.ring[0]) tools.rectangle(tools.ring[0], placeOf(originalEvent));
    else if (!at.moved && tools.tool) tools.set(placeOf(originalEvent));
    else if (!at.moved) store.select(hit(layer, store, at.place));
  };
  viewer.addHandler("canvas-press", press);
  viewer.addHandler("canvas-drag", drag);
  viewer.addHandler("canvas-drag-end", (/** @type {any} */ event) => {
    if (tools.tool === "rectangle" || down?.grip) event.preventDefaultAction = true;
  });
  viewer.addHandler("canvas-release", release);
  viewer.addHandler("canvas-double-click", (/** @type {any} */ event) => {
    if (!tools.tool) return;
    event.preventDefaultAction = true;
    tools.finish();
  });
  viewer.element.addEventListener("pointermove", (event) => tools.hover(placeOf(event)));
  viewer.element.addEventListener("pointerleave", () => tools.hover(null));
}

/**
 * What lies under a place: the smallest of those that do.
 * @param {import("./annotation_layer.js").AnnotationLayer} layer
 * @param {import("./annotation_store.js").AnnotationStore} store
 * @param {Place} place
 */
function hit(layer, store, place) {
  const most = HIT_PX / scaleOf(frameOf(layer.microscope));
  const near = [...store.items.values()].filter((item) => distanceTo(item, place) <= most);
  near.sort((one, other) => areaOf(one) - areaOf(other));
  return near[0]?.annotation_id ?? null;
}
