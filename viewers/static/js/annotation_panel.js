/** The list of what is drawn: people's, imported, and what algorithms found, kept apart. */
import { annotationForm, showSaving } from "./annotation_form.js";
import { fileMenu } from "./annotation_files.js";
import { NO_COLOUR } from "./annotation_layer.js";
import { pathOf } from "./annotation_path.js";
import { bringIntoView } from "./annotation_reach.js";
import { toolRow } from "./annotation_tool_row.js";
import { KINDS, makerWords, measureWords } from "./annotation_words.js";
import { h, icon, setContent } from "./dom.js";
import { exactTime, number } from "./format.js";
import { t, tn } from "./i18n.js";
import { element } from "./page.js";
import { showError } from "./states.js";

/** @typedef {import("./annotation_types.js").Annotation} Annotation */
/** @typedef {import("./annotation_types.js").Group} Group */

const KEY = "svartid.annotations";
/** @type {Record<Annotation["origin"]["kind"], string>} */
const SECTIONS = { person: t("Drawn here"), import: t("Imported"), algorithm: t("Found by algorithms") };

/** The panel; whether it stands open is remembered in the browser. */
export class AnnotationPanel {
  /** @param {import("./annotation_store.js").AnnotationStore} store @param {import("./annotation_tools.js").AnnotationTools} tools */
  constructor(store, tools) {
    this.store = store;
    this.tools = tools;
    this.microscope = tools.microscope;
    this.place = element("annotations");
    this.button = element("annotations-toggle");
    this.head = h("header");
    this.row = toolRow(store, tools);
    this.form = h("div", { class: "annotation-chosen" });
    this.list = h("div", { class: "annotation-list", tabindex: "0", role: "region", "aria-label": t("List of annotations") });
    this.files = fileMenu(store);
    this.shownForm = "";
    this.place.replaceChildren(this.head, this.row.row, this.form, this.list, this.files.menu);
    this.button.addEventListener("click", () => this.toggle());
    store.addEventListener("change", () => this.#show());
    this.set(localStorage.getItem(KEY) === "open");
  }

  toggle() {
    this.set(this.place.hidden);
  }

  /** @param {boolean} open */
  set(open) {
    this.place.hidden = !open;
    this.button.setAttribute("aria-pressed", String(open));
    localStorage.setItem(KEY, open ? "open" : "folded");
    this.#show();
  }

  #show() {
    const { store } = this;
    const count = store.items.size + store.groups.reduce((sum, { count: many }) => sum + many, 0);
    this.button.dataset.count = count ? (count > 999 ? "999+" : String(count)) : "";
    this.button.setAttribute("aria-busy", String(!store.loaded && !store.failed));
    if (this.place.hidden) return;
    const eye = h("button", { class: "tool", type: "button", id: "annotations-hide", "aria-pressed": String(store.hidden), "aria-label": t("Show the slide without annotations"), title: `${t("Show the slide without annotations")} (h)`, onclick: () => store.toggleHidden() }, icon(store.hidden ? "eye-off" : "eye"));
    setContent(this.head, h("h2", {}, t("Annotations")), h("span", { class: "secondary" }, store.loaded ? (count > 999 ? number(count) : tn("{count} annotation", "{count} annotations", count)) : ""), eye);
    this.row.show();
    this.#showForm();
    this.#showList();
    this.files.show(count > 0);
  }

  /** The fields stay as they are while somebody types in them. */
  #showForm() {
    const { chosen } = this.store;
    const typing = this.form.contains(document.activeElement) && document.activeElement?.matches("input, textarea");
    const shown = JSON.stringify(chosen && [chosen, this.store.people, this.store.may]);
    const key = `${chosen?.annotation_id ?? ""} ${this.store.saving.refusals}`;
    const other = key !== this.form.dataset.of;
    if (other || (!typing && shown !== this.shownForm)) {
      this.shownForm = shown;
      this.form.dataset.of = key;
      this.form.replaceChildren(...(chosen ? [annotationForm(this.store, chosen, this.microscope.slide.mpp)] : []));
    }
    const state = this.form.querySelector(".annotation-state");
    if (state) showSaving(this.store, state);
  }

  #showList() {
    const { store } = this;
    if (store.failed) return showError(this.list, store.failed, t("The annotations could not be fetched"), () => void store.load());
    if (!store.loaded) return setContent(this.list, h("p", { class: "secondary" }, t("Fetching the annotations")));
    const kinds = /** @type {const} */ (["person", "import", "algorithm"]);
    const sections = kinds.map((kind) => this.#section(kind)).filter((at) => at !== null);
    const none = store.may.annotate ? t("Nothing is drawn on this slide. Take a tool above.") : t("Nothing is drawn on this slide.");
    this.list.replaceChildren(...(sections.length ? sections : [h("p", { class: "secondary" }, none)]));
  }

  /** @param {Annotation["origin"]["kind"]} kind */
  #section(kind) {
    const items = [...this.store.items.values()].filter((at) => at.origin.kind === kind);
    const groups = this.store.groups.filter((at) => at.origin.kind === kind);
    if (!items.length && !groups.length) return null;
    return h("section", {}, h("h3", {}, SECTIONS[kind]), h("ul", {}, ...groups.map((at) => this.#group(at)), ...items.map((at) => this.#item(at))));
  }

  /** @param {Annotation} item */
  #item(item) {
    const { store } = this;
    const words = item.label || item.text.trim().split("\n")[0] || KINDS[item.kind].word;
    const about = [makerWords(item, store.people), exactTime(item.drawn_at)].join(" · ");
    const measured = measureWords(item, this.microscope.slide.mpp);
    const trouble = store.saving.troubles.get(item.annotation_id)?.again && h("span", { class: "state failed" }, icon("circle-alert"), h("span", {}, t("not saved")));
    return h(
      "li",
      {},
      h("button", { class: "annotation-line", type: "button", "aria-current": store.selected === item.annotation_id ? "true" : null, onclick: () => this.#go(item) }, swatch(item.colour, KINDS[item.kind].icon), h("span", {}, h("b", {}, words), measured && h("span", {}, measured), h("small", {}, about), trouble)),
    );
  }

  /** @param {Group} group */
  #group(group) {
    const { store } = this;
    const take = store.may.annotate && h("button", { class: "tool", type: "button", "aria-label": t("Delete the group {label}", { label: group.label }), title: t("Delete the group"), onclick: () => void store.showGroup(group.group_id, false).catch(() => store.load()) }, icon("trash-2"));
    return h("li", { class: "annotation-group" }, swatch(group.colour, KINDS[group.kind].icon), h("span", {}, h("b", {}, group.label || group.group || KINDS[group.kind].word), h("span", {}, number(group.count)), h("small", {}, [...new Set([makerWords(group, store.people), group.source, exactTime(group.drawn_at)])].filter(Boolean).join(" · "))), take);
  }

  /** Choose it, and bring it into the field where it is not. @param {Annotation} item */
  #go(item) {
    this.store.select(item.annotation_id);
    bringIntoView(this.microscope, pathOf(item).box, this.place.offsetLeft + this.place.offsetWidth);
  }
}

/** @param {string} colour @param {string} name */
function swatch(colour, name) {
  const made = h("span", { class: "annotation-swatch" }, icon(name));
  made.style.color = `#${colour || NO_COLOUR}`;
  return made;
}
