/** The tools in a row, and how the one in hand is used. */
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

/** @typedef {import("./annotation_tools.js").Tool} Tool */

/** @type {{tool: Tool, icon: string, key: string, word: string, how: string}[]} */
export const TOOLS = [
  { tool: "point", icon: "map-pin", key: "k", word: t("Point"), how: t("Click where the point is. Esc puts the tool away.") },
  { tool: "rectangle", icon: "square", key: "b", word: t("Rectangle"), how: t("Drag from corner to corner. Esc puts the tool away.") },
  { tool: "polygon", icon: "pentagon", key: "g", word: t("Polygon"), how: t("Click corner by corner. Enter or a double click closes it, Backspace takes a corner back, Esc begins again.") },
  { tool: "text", icon: "type", key: "l", word: t("Text"), how: t("Click where the text belongs.") },
];

/**
 * @param {import("./annotation_store.js").AnnotationStore} store
 * @param {import("./annotation_tools.js").AnnotationTools} tools
 */
export function toolRow(store, tools) {
  const buttons = TOOLS.map((at) => h("button", { class: "tool", type: "button", "aria-label": at.word, title: `${at.word} (${at.key})`, "aria-pressed": "false", onclick: () => tools.take(at.tool) }, icon(at.icon)));
  const undo = h("button", { class: "tool", type: "button", "aria-label": t("Undo"), title: `${t("Undo")} (z)`, onclick: () => void store.undo() }, icon("undo-2"));
  const how = h("p", { class: "annotation-how", role: "status" });
  const row = h("div", { class: "annotation-tools" }, h("div", { role: "toolbar", "aria-label": t("Drawing tools") }, ...buttons, undo), how);
  const show = () => {
    row.hidden = !store.may.annotate;
    TOOLS.forEach(({ tool }, at) => buttons[at]?.setAttribute("aria-pressed", String(tools.tool === tool)));
    undo.disabled = store.undos.length === 0;
    const words = TOOLS.find(({ tool }) => tool === tools.tool)?.how ?? "";
    if (how.textContent !== words) how.textContent = words;
  };
  tools.addEventListener("change", show);
  return { row, show };
}
