/** The list of cases: what to read next and by when; live, but nothing moves under the pointer. */
import { getJson, sendJson } from "./api.js";
import { showEmptyList } from "./cases_empty.js";
import { casesKeys } from "./cases_keys.js";
import { caseAddress, createCaseRow, isReady, updateCaseRow } from "./cases_row.js";
import { CaseSearch } from "./cases_search.js";
import { CaseTabs } from "./cases_tabs.js";
import { subscribe } from "./changes.js";
import { h, icon, setContent } from "./dom.js";
import { t, tn } from "./i18n.js";
import { KeyedRows } from "./keyed_rows.js";
import { element } from "./page.js";
import { refusalWords } from "./refusal_words.js";
import { showError, showSkeleton, showState } from "./states.js";
import { RowChoice } from "./worklist_keys.js";

/** @typedef {import("./types_cases.js").CaseList} CaseList */

const SAID_MS = 8_000;
const leaving = new AbortController();
const { signal } = leaving;
window.addEventListener("pagehide", (event) => event.persisted || leaving.abort());
window.addEventListener("pageshow", (event) => event.persisted && void load());

const input = /** @type {HTMLInputElement} */ (element("search"));
const list = element("list");
const pending = element("pending");
const state = element("list-state");
const rows = new KeyedRows(element("rows"), { key: (line) => line.accession, create: createCaseRow, update: updateCaseRow });
const choice = new RowChoice(list, () => {});
const tabs = new CaseTabs(element("lists"), () => void change());
const search = new CaseSearch(input, () => show(false), (error) => say(refusalWords(error), "failed"), signal);
const mayClaim = list.dataset.mayClaim === "true";

/** @type {CaseList | null} */
let latest = null;
let pointerInside = false;
let said = 0;

async function load() {
  const { query, name } = tabs;
  try {
    /** @type {CaseList} */
    const told = await getJson(`/api/v1/cases?${query}`, signal);
    if (tabs.query !== query) return;
    latest = told;
    tabs.showCounts(told.counts);
    element("list").dataset.list = name;
    show(pointerInside);
  } catch (error) {
    if (signal.aborted) return;
    if (latest === null) element("rows").replaceChildren();
    showError(state, error, t("The list of cases could not be fetched"), () => void load());
  }
}

async function change() {
  latest = null;
  state.replaceChildren();
  rows.clear();
  showSkeleton(element("rows"), 6, 7);
  await load();
}

/** @param {boolean} hold whether rows must stay where they are */
function show(hold) {
  if (latest === null) return;
  const lines = search.lines(latest.cases);
  const waiting = rows.show(lines, hold);
  const moved = hold && !rows.isInOrder(lines);
  pending.hidden = waiting === 0 && !moved;
  setContent(pending, waiting > 0 ? tn("Show {count} new case", "Show {count} new cases", waiting) : t("Show the new order"));
  setContent(element("count"), tn("{count} case", "{count} cases", lines.length));
  if (lines.length > 0) state.replaceChildren();
  else if (search.text !== "") showState(state, "search", t("No case matches the search"), h("p", {}, t("Search by accession number, barcode, whole CPR number, or the name in this list.")));
  else showEmptyList(state, tabs, latest.counts);
  choice.keep();
}

async function claim() {
  const accession = choice.key;
  if (accession === undefined) return;
  try {
    await sendJson("POST", `/api/v1${caseAddress(accession)}/claim`, {}, signal);
    say(t("{accession} is yours.", { accession }), "done");
  } catch (error) {
    if (!signal.aborted) say(refusalWords(error), "failed");
  }
  await load();
}

function next() {
  const ready = latest?.cases.filter(isReady) ?? [];
  const line = ready.find((each) => each.assignee === list.dataset.me) ?? ready[0];
  if (!line) return say(t("No case on this list can be read yet."), "neutral");
  location.assign(caseAddress(line.accession));
}

/**
 * @param {string} words
 * @param {import("./types.js").Tone} tone
 */
function say(words, tone) {
  const name = tone === "failed" ? "circle-alert" : tone === "done" ? "circle-check" : "info";
  element("said").replaceChildren(h("span", { class: `state ${tone}` }, icon(name), h("span", {}, words)));
  window.clearTimeout(said);
  said = window.setTimeout(() => element("said").replaceChildren(), SAID_MS);
}

list.addEventListener("pointerenter", () => (pointerInside = true));
list.addEventListener("pointerleave", () => {
  pointerInside = false;
  show(false);
});
pending.addEventListener("click", () => show(false));
const enter = /** @type {HTMLAnchorElement | null} */ (document.getElementById("enter"));
const showNew = () => show(false);
casesKeys({ search: input, choice, next, claim: () => void claim(), tab: (at) => tabs.choose(at), showNew, enter, mayClaim }, signal);
subscribe(["cases"], () => void load(), signal);
window.setInterval(() => void load(), 60_000);
showSkeleton(element("rows"), 8, 7);
await load();
