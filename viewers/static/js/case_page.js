/** A case's page: whose it is, what there is to see, what is written, and what to do next. */
import { ApiError } from "./api.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { showPatient, showPrimary, watchOtherWindows } from "./case_banner.js";
import { showClocks } from "./case_clocks.js";
import { showFacts } from "./case_facts.js";
import { showFlags } from "./case_flags.js";
import { showGlasses } from "./case_glasses.js";
import { startHistory } from "./case_history.js";
import { keysOfCase, startCaseKeys } from "./case_keys.js";
import { moreMenu } from "./case_more.js";
import { showOpinions } from "./case_opinions.js";
import { showOrders } from "./case_orders.js";
import { primaryOf } from "./case_primary.js";
import { ReportEditor } from "./case_report.js";
import { CaseStore, changeOf } from "./case_store.js";
import { showWay } from "./case_way.js";
import { startTimeline } from "./imaging_timeline.js";
import { element } from "./page.js";
import { showError, showState } from "./states.js";
import { markVisit } from "./visits.js";

const TIMES_MS = 60_000;

const leaving = new AbortController();
const { signal } = leaving;
window.addEventListener("pagehide", (event) => event.persisted || leaving.abort());
window.addEventListener("pageshow", (event) => event.persisted && void store.load(true));

const { accession = "", me = "" } = element("main").dataset;
const state = element("case-state");
const store = new CaseStore(accession, me, signal);
const editor = new ReportEditor(store);
const showKeys = keysOfCase();
const more = moreMenu(store, showKeys);

store.addEventListener("change", (event) => {
  const { before, own } = changeOf(event);
  state.replaceChildren();
  showAll(own || before === null);
  noteSeen();
  if (before === null) startHistory(store);
});
store.addEventListener("failed", (event) => failed(/** @type {CustomEvent} */ (event).detail));
store.addEventListener("typed", showNext);

/** What stands on a screen that is looked at is no longer new. */
function noteSeen() {
  if (store.case && !document.hidden) markVisit(accession);
}

/** @param {boolean} own */
function showAll(own) {
  const { now } = store;
  showPatient(now);
  showGlasses(now);
  showWay(store, own);
  showFacts(now, own);
  editor.update(own);
  showOpinions(store, own);
  showOrders(store, own);
  showFlags(store, own);
  showClocks(now);
  showNext();
}

function showNext() {
  if (store.case) showPrimary(primaryOf(store, editor, complain), more);
}

/** What was refused, above everything, until it is put away. @param {string} words */
function complain(words) {
  const place = element("notices");
  const close = h("button", { class: "button quiet", type: "button", "aria-label": t("Close"), onclick: () => place.replaceChildren() }, icon("x"));
  place.replaceChildren(h("p", { class: "message failed" }, icon("circle-alert"), h("span", {}, words), close));
}

/** @param {unknown} error */
function failed(error) {
  if (store.case !== null) return;
  const back = h("a", { class: "button", href: "/cases" }, icon("arrow-left"), t("Back to the list"));
  const code = error instanceof ApiError ? error.status : 0;
  if (code === 404) showState(state, "circle-alert", t("There is no such case"), h("p", {}, t("Check the number; it may belong to another laboratory.")), back);
  else if (code === 403) showState(state, "lock", t("This case is outside your reach"), h("p", {}, t("You see the cases of your own unit, your own cases, and those you are asked about. Its pathologist can ask you.")), back);
  else showError(state, error, t("The case could not be fetched"), () => void store.load());
}

showState(state, "hourglass", t("Fetching the case"));
startCaseKeys(store, editor, { showKeys, complain });
watchOtherWindows(accession, signal);
document.addEventListener("visibilitychange", noteSeen, { signal });
startTimeline(store);
store.follow();
window.setInterval(() => document.hidden || void store.load(), TIMES_MS);
await store.load(true);
