/** The repair list: what a person has to look at, why, and what can be done about it. */
import { getJson } from "./api.js";
import { subscribe } from "./changes.js";
import { h, icon, setContent } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { KeyedRows } from "./keyed_rows.js";
import { keyIsTaken, keysDialog } from "./keys_dialog.js";
import { element } from "./page.js";
import { RepairRows } from "./repair_rows.js";
import { REPAIR_KINDS } from "./repair_words.js";
import { showError, showSkeleton, showState } from "./states.js";
import { RowChoice } from "./worklist_keys.js";

/** @typedef {import("./types_repairs.js").RepairList} RepairList */

const leaving = new AbortController();
const { signal } = leaving;
window.addEventListener("pagehide", (event) => event.persisted || leaving.abort());
window.addEventListener("pageshow", (event) => event.persisted && load());

const list = element("list");
const making = new RepairRows(() => void load(), signal);
const rows = new KeyedRows(element("rows"), { key: (repair) => repair.repair_id, create: (repair) => making.create(repair), update: (row, repair) => making.update(row, repair) });
const choice = new RowChoice(list, () => {});
/** @type {RepairList | null} */
let latest = null;
/** @type {string | null} */
let kind = null;
let pointerInside = false;

async function load() {
  try {
    latest = await getJson("/api/v1/repairs", signal);
    show(pointerInside);
  } catch (error) {
    if (signal.aborted) return;
    if (latest === null) element("rows").replaceChildren();
    showError(element("list-state"), error, t("The repair list could not be fetched"), () => void load());
  }
}

/** @param {boolean} hold whether rows must stay where they are */
function show(hold) {
  if (latest === null) return;
  making.people = latest.people;
  if (kind !== null && !latest.counts[kind]) kind = null;
  const shown = latest.repairs.filter((repair) => kind === null || repair.kind === kind);
  const waiting = rows.show(shown, hold);
  const pending = element("pending");
  pending.hidden = waiting === 0;
  setContent(pending, t("Show {count} new", { count: waiting }));
  setContent(element("count"), number(latest.repairs.length));
  showFilters(latest.counts);
  const state = element("list-state");
  if (shown.length > 0) state.replaceChildren();
  else showState(state, "circle-check", t("Nothing to repair"), h("p", {}, t("What contradicts what is known, fails for good or is entered late shows up here.")));
  element("table").hidden = shown.length === 0;
  const row = choice.rows().find((each) => each.dataset.key === choice.key);
  if (row) choice.choose(row, false);
}

/** @param {Record<string, number>} counts */
function showFilters(counts) {
  const there = Object.entries(REPAIR_KINDS).filter(([name]) => counts[name]);
  /** @type {[string | null, string, number][]} */
  const all = [[null, t("All"), latest?.repairs.length ?? 0], ...there.map(([name, { word }]) => /** @type {[string, string, number]} */ ([name, word, counts[name] ?? 0]))];
  const place = element("filters");
  const focused = [...place.children].findIndex((child) => child === document.activeElement);
  const buttons = all.map(([name, word, count]) => {
    const choose = () => {
      kind = name;
      show(false);
    };
    return h("button", { type: "button", "aria-pressed": String(name === kind), onclick: choose }, word, h("span", { class: "count" }, number(count)));
  });
  place.replaceChildren(...buttons);
  buttons[focused]?.focus();
}

function keys() {
  const toggle = keysDialog([
    [["j", "↓"], t("Next line")],
    [["k", "↑"], t("Previous line")],
    [["Enter"], t("Record again, send now or scan")],
    [["x"], t("Dismiss with a reason")],
    [["c"], t("Open the case")],
    [["n"], t("Show new lines")],
    [["?"], t("Keys")],
  ]);
  element("keys").addEventListener("click", toggle);
  /** @param {string} which */
  const press = (which) => {
    const button = list.querySelector(`tr[aria-selected] ${which}`);
    if (button instanceof HTMLElement) button.click();
  };
  /** @type {Record<string, () => void>} */
  const actions = { j: () => choice.move(1), ArrowDown: () => choice.move(1), k: () => choice.move(-1), ArrowUp: () => choice.move(-1), Enter: () => press(".first-act"), x: () => press(".dismiss"), c: () => press("a"), n: () => show(false), "?": toggle };
  document.addEventListener(
    "keydown",
    (event) => {
      const owned = event.key === "Enter" && event.target instanceof Element && event.target.closest("a, button");
      const action = actions[event.key];
      if (keyIsTaken(event) || owned || !action) return;
      event.preventDefault();
      action();
    },
    { signal },
  );
}

list.addEventListener("pointerenter", () => (pointerInside = true));
list.addEventListener("pointerleave", () => {
  pointerInside = false;
  show(false);
});
element("pending").addEventListener("click", () => show(false));

showSkeleton(element("rows"), 6, 5);
keys();
subscribe(["cases", "repairs"], () => void load(), signal);
window.setInterval(() => document.hidden || void load(), 60_000);
setContent(element("about"), icon("info"), h("span", {}, t("Nothing is lost: what could not be recorded is kept here as it was said.")));
await load();
