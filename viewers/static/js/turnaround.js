/** Turnaround: are we in time, and where does it wait? For leaders and for operations. */
import { getJson, sendJson } from "./api.js";
import { subscribe } from "./changes.js";
import { h, icon, setContent } from "./dom.js";
import { formDialog } from "./form_dialog.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { showError, showState } from "./states.js";
import { showAges, showCauses, showGroups, showLate } from "./turnaround_groups.js";
import { showHead, showToday } from "./turnaround_head.js";
import { showSteps } from "./turnaround_steps.js";
import { showTrend } from "./turnaround_trend.js";
import { monthName, percent } from "./turnaround_words.js";

/** @typedef {import("./types_turnaround.js").Turnaround} Turnaround */

const MONTHS = 24;
const CALM_MS = 15_000;

const leaving = new AbortController();
const { signal } = leaving;
window.addEventListener("pagehide", (event) => event.persisted || leaving.abort());
const asked = new URLSearchParams(location.search);
let asking = new AbortController();
let last = 0;

const picker = (/** @type {string} */ id) => /** @type {HTMLSelectElement} */ (element(id));

async function load() {
  linkTable();
  asking.abort();
  asking = new AbortController();
  last = Date.now();
  try {
    /** @type {Turnaround} */
    const told = await getJson(`/api/v1/turnaround?${asked}`, AbortSignal.any([signal, asking.signal]));
    element("state").replaceChildren();
    element("figures").hidden = false;
    show(told);
  } catch (error) {
    if (signal.aborted || asking.signal.aborted) return;
    element("figures").hidden = true;
    showError(element("state"), error, t("The figures could not be fetched"), () => void load());
  }
}

/** @param {Turnaround} told */
function show(told) {
  fillPickers(told);
  showPublished(told);
  showHead(told);
  showToday(told.today);
  showSteps(told);
  showTrend(told);
  showGroups(told);
  showAges(told.today.ages);
  showCauses(told);
  showLate(told.late_cases);
  setContent(
    element("about"),
    t("Computed {time} under policy version {number}. Turnaround runs from the first specimen received to the first final report at the requester, in calendar time; goals in working days of the site. Medians and P90 are of answered cases. The reason is taken from the step that took most beyond its usual.", { time: exactTime(told.cut.at), number: told.policy_version }),
  );
}

/** @param {Turnaround} told */
function fillPickers(told) {
  const published = new Set(told.published.map((at) => at.month));
  const [first, mark] = [new Date(), t("published")];
  const months = Array.from({ length: MONTHS }, (_, back) => {
    const at = new Date(Date.UTC(first.getFullYear(), first.getMonth() - back, 1));
    return at.toISOString().slice(0, 7);
  });
  if (!months.includes(told.month)) months.push(told.month);
  fill("month", months.map((month) => [month, published.has(month) ? `${monthName(month)} · ${mark}` : monthName(month)]), told.month);
  fill("unit", [["", t("All units")], ...named(told.units, told.unit)], told.unit);
  fill("site", [["", t("All sites")], ...named(told.sites, told.site)], told.site);
}

/** The same month as a table. */
function linkTable() {
  element("csv").setAttribute("href", `/api/v1/turnaround.csv?${asked}`);
}

/** @param {string[]} names @param {string} chosen @returns {[string, string][]} */
function named(names, chosen) {
  return [...new Set(chosen ? [...names, chosen] : names)].filter(Boolean).sort().map((name) => [name, name]);
}

/**
 * @param {string} id
 * @param {[string, string][]} options
 * @param {string} chosen
 */
function fill(id, options, chosen) {
  const select = picker(id);
  const same = select.options.length === options.length && options.every(([value, word], at) => select.options[at]?.value === value && select.options[at]?.text === word);
  if (!same) select.replaceChildren(...options.map(([value, word]) => h("option", { value }, word)));
  select.value = chosen;
}

/** @param {Turnaround} told */
function showPublished(told) {
  const found = told.site === "" ? told.published.find((at) => at.month === told.month) : undefined;
  const place = element("published");
  place.hidden = !found;
  if (found) {
    const words = t("Published {time} by {name}: {percent} of {count} in time, policy version {number}, edition {edition}", { time: exactTime(found.published_at), name: found.by, percent: percent(found.percent), count: found.n, number: found.policy_version, edition: found.edition });
    const differs = found.percent !== told.whole.percent || found.n !== told.whole.n;
    place.className = differs ? "published differs" : "published";
    setContent(place, icon(differs ? "triangle-alert" : "circle-check"), h("span", {}, words), differs && h("b", {}, t("Computed today the month comes out differently: see below.")));
  }
  const over = told.month < new Date().toISOString().slice(0, 7);
  const button = element("publish");
  button.hidden = !told.may.publish || !over || told.site !== "";
  button.onclick = () => void publish(told, found !== undefined);
}

/** @param {Turnaround} told @param {boolean} again */
async function publish(told, again) {
  const done = await formDialog({
    title: t("Publish {month}", { month: monthName(told.month) }),
    detail: [h("p", {}, t("The figures are frozen with policy version {number} and the events known now. They can be computed again from exactly these at any time.", { number: told.policy_version }))],
    fields: again ? [{ name: "reason", label: t("Why it is published again") }] : [],
    action: t("Publish"),
    final: true,
    send: (answers) => sendJson("POST", `/api/v1/turnaround/${told.month}/publish`, { unit: told.unit, reason: answers.reason ?? "" }, signal),
  });
  if (done) void load();
}

element("pickers").addEventListener("change", () => {
  for (const id of ["month", "unit", "site"]) {
    if (picker(id).value) asked.set(id, picker(id).value);
    else asked.delete(id);
  }
  history.replaceState(null, "", asked.size > 0 ? `?${asked}` : location.pathname);
  void load();
});
element("pickers").addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("beforeprint", () => element("trend-details").setAttribute("open", ""));
subscribe(["cases"], () => Date.now() - last > CALM_MS && void load(), signal);
window.setInterval(() => !document.hidden && Date.now() - last > 4 * CALM_MS && void load(), CALM_MS);
showState(element("state"), "hourglass", t("The figures are being computed"));
await load();
