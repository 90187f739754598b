/** Keys of the annotations; each has a button or a gesture that does the same. */
import { TOOLS } from "./annotation_tool_row.js";
import { keyIsTaken } from "./keys_dialog.js";

/**
 * @param {import("./annotation_store.js").AnnotationStore} store
 * @param {import("./annotation_tools.js").AnnotationTools} tools
 * @param {import("./annotation_edit.js").AnnotationEditor} editor
 * @param {import("./annotation_panel.js").AnnotationPanel} panel
 * @param {AbortSignal} signal
 */
export function startAnnotationKeys(store, tools, editor, panel, signal) {
  /** @type {Record<string, () => boolean | void>} false: the key was meant for somebody else */
  const actions = {
    n: () => panel.toggle(),
    h: () => store.toggleHidden(),
    z: () => void store.undo(),
    " ": () => (tools.tool ? tools.set(tools.middle(), true) : false),
    Enter: () => (tools.tool === "polygon" ? tools.finish() : false),
    Backspace: () => (tools.ring.length ? tools.back() : remove(store, editor)),
    Delete: () => remove(store, editor),
    Escape: () => tools.cancel() || putAway(store),
  };
  for (const { tool, key } of TOOLS) {
    actions[key] = () => {
      if (!store.may.annotate) return false;
      panel.set(true);
      tools.take(tool);
    };
  }
  // Before the microscope's own keys: Esc leaves a tool before it leaves the slide.
  document.addEventListener(
    "keydown",
    (event) => {
      const action = actions[event.key];
      if (!action || keyIsTaken(event) || onButton(event)) return;
      if (action() === false) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { signal, capture: true },
  );
}

/** Space and Enter press the button that has the focus. @param {KeyboardEvent} event */
function onButton({ key, target }) {
  return (key === " " || key === "Enter") && target instanceof Element && Boolean(target.closest("button, a, summary"));
}

/** @param {import("./annotation_store.js").AnnotationStore} store @param {import("./annotation_edit.js").AnnotationEditor} editor */
function remove(store, editor) {
  const { chosen } = store;
  if (!chosen || !store.may.annotate || chosen.locked) return false;
  if (!editor.removeMarked()) void store.remove(chosen.annotation_id);
}

/** @param {import("./annotation_store.js").AnnotationStore} store */
function putAway(store) {
  if (!store.selected) return false;
  store.select(null);
}
