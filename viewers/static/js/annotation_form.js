/** The chosen annotation: what it says, what it measures, who made it; saved as soon as a field is left. */
import { showHistory } from "./annotation_history.js";
import { NO_COLOUR } from "./annotation_layer.js";
import { KINDS, makerWords, measureWords } from "./annotation_words.js";
import { h, icon } from "./dom.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {import("./annotation_types.js").Annotation} Annotation */

const TYPED_MS = 900;

/**
 * @param {import("./annotation_store.js").AnnotationStore} store
 * @param {Annotation} item
 * @param {number | null} mpp
 */
export function annotationForm(store, item, mpp) {
  const id = item.annotation_id;
  const may = store.may.annotate;
  const fixed = !may || item.locked;
  const label = h("input", { name: "label", value: item.label, maxlength: 200, list: "annotation-labels", autocomplete: "off", disabled: fixed });
  const colour = h("input", { name: "colour", type: "color", value: `#${item.colour || NO_COLOUR}`, "aria-label": t("Colour"), title: t("Colour"), disabled: fixed });
  const text = h("textarea", { name: "text", rows: 3, maxlength: 10_000, disabled: fixed }, item.text);
  label.addEventListener("change", () => void store.change(id, labelled(store, item, label.value.trim())));
  colour.addEventListener("change", () => void store.change(id, { colour: colour.value.slice(1).toUpperCase() }));
  const saveText = () => {
    const empty = item.kind === "text" && !text.value.trim();
    if (!empty) void store.change(id, { text: text.value });
  };
  let timer = 0;
  text.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(saveText, TYPED_MS);
  });
  text.addEventListener("change", saveText);
  return h(
    "form",
    { class: "annotation-form", onsubmit: (event) => event.preventDefault() },
    h("header", {}, icon(KINDS[item.kind].icon), h("h3", {}, KINDS[item.kind].word), h("button", { class: "tool", type: "button", "aria-label": t("Put away"), title: t("Put away"), onclick: () => store.select(null) }, icon("x"))),
    h("div", { class: "annotation-label" }, h("label", {}, h("span", {}, t("Class")), label), colour),
    h("datalist", { id: "annotation-labels" }, ...labelsOf(store).map((value) => h("option", { value }))),
    h("label", {}, h("span", {}, t("Text")), text),
    facts(store, item, mpp),
    item.locked && may && h("label", { class: "check" }, h("input", { type: "checkbox", checked: true, onchange: () => void store.change(id, { locked: false }) }), h("span", {}, t("Locked: cannot be changed"))),
    h("p", { class: "annotation-state", role: "status" }),
    h(
      "footer",
      {},
      may && h("button", { class: "button small", type: "button", disabled: item.locked, onclick: () => void store.remove(id) }, icon("trash-2"), t("Delete")),
      h("button", { class: "button small quiet", type: "button", onclick: () => showHistory(`${store.address}/${id}`, store.signal) }, icon("history"), t("History")),
    ),
  );
}

/** The state of saving, kept up to date without touching the fields. @param {import("./annotation_store.js").AnnotationStore} store @param {Element} place */
export function showSaving(store, place) {
  const id = store.selected ?? "";
  const trouble = store.saving.troubles.get(id);
  if (trouble) {
    const { again } = trouble;
    place.className = "annotation-state failed";
    place.replaceChildren(icon("circle-alert"), h("span", {}, again ? t("Not saved. {why}", { why: trouble.words }) : trouble.words), h("button", { class: "button small", type: "button", onclick: again ?? (() => store.saving.forgive(id)) }, again ? t("Try again") : t("Understood")));
    return;
  }
  const item = store.chosen;
  place.className = "annotation-state";
  const words = store.saving.queues.has(id) ? t("Saving …") : item && item.version ? t("Saved {time}", { time: exactTime(item.changed_at ?? item.drawn_at) }) : "";
  if (place.textContent !== words) place.replaceChildren(words);
}

/**
 * A label brings the colour that others of that label have, where there is none yet.
 * @param {import("./annotation_store.js").AnnotationStore} store
 * @param {Annotation} item
 * @param {string} label
 */
function labelled(store, item, label) {
  const other = [...store.items.values()].find((at) => at.label === label && at.colour);
  return item.colour || !other ? { label } : { label, colour: other.colour };
}

/** @param {import("./annotation_store.js").AnnotationStore} store */
function labelsOf(store) {
  return [...new Set([...store.items.values(), ...store.groups].map((at) => at.label).filter(Boolean))].sort();
}

/** @param {import("./annotation_store.js").AnnotationStore} store @param {Annotation} item @param {number | null} mpp */
function facts(store, item, mpp) {
  const measured = measureWords(item, mpp);
  const changed = item.changed_at && item.changed_by;
  return h(
    "dl",
    { class: "annotation-facts" },
    ...(measured ? [h("dt", {}, t("Measure")), h("dd", {}, measured)] : []),
    ...item.measurements.slice(0, 12).flatMap(({ name, value, unit }) => [h("dt", {}, name), h("dd", {}, `${value} ${unit}`)]),
    h("dt", {}, t("By")),
    h("dd", {}, makerWords(item, store.people)),
    h("dt", {}, t("Drawn")),
    h("dd", {}, exactTime(item.drawn_at)),
    ...(changed ? [h("dt", {}, t("Changed")), h("dd", {}, `${store.people[item.changed_by] ?? item.changed_by} · ${exactTime(item.changed_at ?? "")}`)] : []),
  );
}
