/** Annotations on the slide: fetched when the first view is there, drawn, changed, listed. */
import { AnnotationEditor } from "./annotation_edit.js";
import { AnnotationGroups } from "./annotation_groups.js";
import { startAnnotationKeys } from "./annotation_keys.js";
import { AnnotationLayer } from "./annotation_layer.js";
import { AnnotationPanel } from "./annotation_panel.js";
import { startPointer } from "./annotation_pointer.js";
import { startNotices } from "./annotation_notices.js";
import { AnnotationStore } from "./annotation_store.js";
import { AnnotationTools } from "./annotation_tools.js";
import { h } from "./dom.js";
import { formDialog } from "./form_dialog.js";
import { t } from "./i18n.js";

/** @typedef {import("./annotation_types.js").Content} Content */

/**
 * @param {import("./microscope.js").Microscope} microscope
 * @param {AbortSignal} signal
 */
export async function startAnnotations(microscope, signal) {
  await Promise.all([style("annotations.css"), style("forms.css")]);
  const store = new AnnotationStore(microscope.slide.slide_id, signal);
  const layer = new AnnotationLayer(microscope, store);
  const groups = new AnnotationGroups(store, () => layer.paint(), signal);
  layer.below.push((context, frame, seen) => groups.paint(context, frame, seen));
  const tools = new AnnotationTools(layer, (kind, ring) => void drawn(store, tools, kind, ring));
  const editor = new AnnotationEditor(layer, store);
  const panel = new AnnotationPanel(store, tools);
  startPointer(layer, store, tools, editor);
  startAnnotationKeys(store, tools, editor, panel, signal);
  startNotices(store, groups);
  document.addEventListener("server-change", (event) => event instanceof CustomEvent && event.detail === "annotations" && void store.load(), { signal });
  await store.load();
}

/**
 * A new one takes label and colour of the chosen one where that is of the same kind: for counting.
 * @param {AnnotationStore} store
 * @param {AnnotationTools} tools
 * @param {import("./annotation_tools.js").Tool} kind
 * @param {import("./annotation_types.js").Place[]} ring
 */
async function drawn(store, tools, kind, ring) {
  const { chosen } = store;
  const like = chosen && chosen.kind === kind && kind === "point" ? chosen : null;
  /** @type {Content} */
  const content = { kind, parts: [[ring]], label: like?.label ?? "", colour: like?.colour ?? "", text: "", measurements: [], group: "", locked: false };
  if (kind !== "point") tools.take(null);
  if (kind !== "text") return void store.draw(content);
  await formDialog({
    title: t("Text on the slide"),
    fields: [{ name: "text", label: t("Text"), kind: "long" }],
    action: t("Write it"),
    send: async ({ text }) => void store.draw({ ...content, text: String(text) }),
  });
}

/** @param {string} name of a stylesheet that comes with the annotations */
function style(name) {
  const href = new URL(`../css/${name}`, import.meta.url).pathname;
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  const link = h("link", { rel: "stylesheet", href });
  const loaded = new Promise((resolve) => {
    for (const event of ["load", "error"]) link.addEventListener(event, () => resolve(undefined));
  });
  document.head.append(link);
  return loaded;
}
