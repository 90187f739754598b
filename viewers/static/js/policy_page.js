/** What the laboratory promises: for all to read, for those who manage to change. */
import { ApiError, getJson, sendJson } from "./api.js";
import { h, icon, setContent } from "./dom.js";
import { formDialog } from "./form_dialog.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { showGoals } from "./policy_goals.js";
import { showClosed, showRules } from "./policy_rules.js";
import { refusalWords } from "./refusal_words.js";
import { showError } from "./states.js";

/** @typedef {import("./types_policy.js").PolicyAnswer} PolicyAnswer */
/** @typedef {import("./types_policy.js").Policy} Policy */

const leaving = new AbortController();
const { signal } = leaving;
window.addEventListener("pagehide", (event) => event.persisted || leaving.abort());
/** @type {Policy | null} */
let draft = null;
let dirty = false;

async function load() {
  const version = new URLSearchParams(location.search).get("version");
  try {
    /** @type {PolicyAnswer} */
    const answer = await getJson(`/api/v1/policy${version ? `?version=${encodeURIComponent(version)}` : ""}`, signal);
    element("state").replaceChildren();
    element("policy").hidden = false;
    show(answer);
  } catch (error) {
    if (signal.aborted) return;
    showError(element("state"), error, t("The goals could not be fetched"), () => void load());
  }
}

/** @param {PolicyAnswer} answer */
function show(answer) {
  const { policy, current, history, sites } = answer;
  const newest = history[0]?.version ?? current;
  const may = answer.may.change && policy.version === newest;
  draft = structuredClone(policy);
  const words = policy.version === current ? t("Version {number}, in force", { number: policy.version }) : t("Version {number}, not in force now", { number: policy.version });
  setContent(element("version"), words);
  element("goals").replaceChildren();
  showGoals(draft, may, changed);
  showRules(draft, may, changed);
  showClosed(draft, sites, may, changed);
  showHistory(answer);
  mark(false);
}

function changed() {
  mark(true);
  setContent(element("changed"), t("Changed, not saved yet"));
}

/** @param {boolean} now */
function mark(now) {
  dirty = now;
  element("save").hidden = !now;
  element("undo").hidden = !now;
}

/** @param {PolicyAnswer} answer */
function showHistory({ history, policy, current }) {
  const columns = [t("Version"), t("Counts from"), t("Entered"), t("By")];
  const rows = history.map((at) =>
    h(
      "tr",
      { class: at.version === policy.version ? "current" : null },
      h("th", { scope: "row" }, h("a", { href: `?version=${at.version}`, "aria-current": at.version === policy.version ? "true" : null }, String(at.version)), at.version === current && " · ", at.version === current && t("in force")),
      h("td", {}, exactTime(at.effective_from)),
      h("td", {}, exactTime(at.entered_at)),
      h("td", {}, at.entered_by),
    ),
  );
  setContent(element("history"), h("thead", {}, h("tr", {}, ...columns.map((word) => h("th", { scope: "col" }, word)))), h("tbody", {}, ...rows));
}

async function save() {
  if (!draft) return;
  const { effective_from: _, ...document } = draft;
  const done = await formDialog({
    title: t("Make a new version"),
    detail: [h("p", {}, t("It counts for all figures, goals and warnings computed from then on, also of cases that are open. Published months stay as they are."))],
    fields: [{ name: "effective_from", label: t("Counts from"), kind: "moment", optional: true, hint: t("Left empty: from now") }],
    action: t("Make a new version"),
    final: true,
    send: (answers) => sendJson("PUT", "/api/v1/policy", answers.effective_from ? { ...document, effective_from: answers.effective_from } : document, signal),
    refused: (error) => (error instanceof ApiError && error.status === 400 ? t("It cannot be like that: {reason}", { reason: error.reason }) : refusalWords(error)),
  });
  if (!done) return;
  mark(false);
  history.replaceState(null, "", location.pathname);
  await load();
}

element("save").prepend(icon("circle-check"));
element("save").addEventListener("click", () => void save());
element("undo").addEventListener("click", () => void load());
window.addEventListener("beforeunload", (event) => dirty && event.preventDefault());
await load();
