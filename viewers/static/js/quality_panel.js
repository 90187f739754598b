/** The panel of quality beside the slide: the verdict, every check, what a person said and may do. */
import { h, icon, stateMark } from "./dom.js";
import { exactTime, number } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { checkLine } from "./quality_check.js";
import { QUALITY_STATES } from "./quality_words.js";
import { showError } from "./states.js";

/** @typedef {import("./types_quality.js").Quality} Quality */
/** @typedef {import("./quality_check.js").Acts & {release: () => void, rescan: (() => void) | null}} PanelActs */

const KEY = "svartid.quality";

/** The panel; whether it stands open is remembered in the browser. */
export class QualityPanel {
  /** @param {import("./quality_store.js").QualityStore} store @param {() => PanelActs} acts */
  constructor(store, acts) {
    this.store = store;
    this.acts = acts;
    this.place = element("quality");
    this.button = element("quality-toggle");
    this.button.addEventListener("click", () => this.toggle());
    store.addEventListener("change", () => this.#show());
    this.set(localStorage.getItem(KEY) === "open");
  }

  toggle() {
    this.set(this.place.hidden);
  }

  /** Both lists lie at the left of the slide: one of them at a time. @param {boolean} open */
  set(open) {
    if (open && !element("annotations").hidden) element("annotations-toggle").click();
    this.place.hidden = !open;
    this.button.setAttribute("aria-pressed", String(open));
    localStorage.setItem(KEY, open ? "open" : "folded");
    this.#show();
  }

  #show() {
    const { now, failed } = this.store;
    const { tone, word } = QUALITY_STATES[now?.state ?? "not_yet"];
    const words = t("Quality: {state}", { state: now ? word : t("is being fetched") });
    this.button.className = `tool quality-tool ${now ? tone : ""}`;
    this.button.setAttribute("aria-label", words);
    this.button.title = `${words} (q)`;
    if (this.place.hidden) return;
    if (failed && !now) return showError(this.place, failed, t("The checks could not be fetched"), () => void this.store.load());
    const focused = this.#focused();
    this.place.replaceChildren(...(now ? content(now, this.store, this.acts()) : [heading(null)]));
    if (focused) this.place.querySelectorAll("button")[focused - 1]?.focus();
  }

  /** Which button has the focus, from 1; it keeps it when the panel is drawn again. */
  #focused() {
    return [...this.place.querySelectorAll("button")].findIndex((at) => at === document.activeElement) + 1;
  }
}

/** @param {Quality | null} now */
function heading(now) {
  return h("header", {}, h("h2", {}, t("Quality")), now && stateMark(QUALITY_STATES[now.state]));
}

/**
 * @param {Quality} now
 * @param {import("./quality_store.js").QualityStore} store
 * @param {PanelActs} acts
 */
function content(now, store, acts) {
  if (!now.run) return [heading(now), h("p", { class: "quality-about" }, t("The slide is checked behind the reading. Nothing waits for it."))];
  const { run } = now;
  const order = ["rescan", "review", "error", "not_evaluated", "pass"];
  const findings = [...run.findings].sort((one, other) => order.indexOf(one.state) - order.indexOf(other.state));
  const more = [run.human && humanLine(now, run.human)].flatMap((at) => at ?? []);
  const list = h("ul", {}, ...findings.map((at) => checkLine(at, store.shown, acts)));
  return [
    heading(now),
    h("p", { class: "quality-about secondary" }, aboutRun(run, now.runs.length)),
    ...more,
    h("div", { class: "quality-checks", tabindex: "0", role: "region", "aria-label": t("Checks") }, list),
    ...[footer(now, acts)].flatMap((at) => at ?? []),
  ];
}

/** @param {import("./types_quality.js").Run} run @param {number} runs */
function aboutRun({ at, tissue_mm2: tissue, tissue_examined: examined }, runs) {
  const parts = [t("Checked {time}", { time: exactTime(at) })];
  if (typeof tissue === "number") parts.push(t("{area} mm² of tissue", { area: number(tissue, 1) }));
  if (typeof examined === "number") parts.push(t("{share} % examined", { share: number(Math.floor(100 * examined)) }));
  if (runs > 1) parts.push(t("run {number}", { number: runs }));
  return parts.join(" · ");
}

/** @param {Quality} now @param {NonNullable<import("./types_quality.js").Run["human"]>} human */
function humanLine(now, { state, by, note, at }) {
  const { tone, icon: name, word } = QUALITY_STATES[state];
  return h("p", { class: `quality-human state ${tone}` }, icon(name), h("span", {}, `${word}: ${note} – ${now.people[by] || by} ${exactTime(at)}`));
}

/** What a person may do about it, where there is something to be done. @param {Quality} now @param {PanelActs} acts */
function footer(now, acts) {
  const asks = now.run?.verdict.state === "review" || now.run?.verdict.state === "rescan";
  if (!asks) return null;
  const again = acts.rescan && h("button", { class: "button small", type: "button", id: "quality-rescan", onclick: acts.rescan }, icon("refresh-cw"), t("Ask for a rescan"));
  const enough = now.may.judge && now.state !== "released" && h("button", { class: "button small", type: "button", id: "quality-release", onclick: acts.release }, icon("check"), t("Release …"));
  return again || enough ? h("footer", {}, again, enough) : null;
}
