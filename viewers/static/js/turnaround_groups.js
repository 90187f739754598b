/** Who it concerns: by priority and kind, the age of open cases, reasons, late cases by name. */
import { axis, colour, draw, TOOLTIP } from "./charts.js";
import { elapsed, stepName } from "./case_terms.js";
import { priorityMark, specimenClass } from "./case_words.js";
import { showChoices } from "./choices.js";
import { h, icon, setContent, stateMark } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { timeLeft } from "./time_left.js";
import { GROUPINGS, groupingName, groupName, percent, reasonName } from "./turnaround_words.js";

/** @typedef {import("./types_turnaround.js").Turnaround} Turnaround */

const FEW = 20;
let by = "priority+specimen_class";

/** @param {Turnaround} told */
export function showGroups(told) {
  showChoices(element("by"), GROUPINGS.map((choice) => [choice, groupingName(choice)]), by, (choice) => {
    by = choice;
    showGroups(told);
  });
  const columns = [t("Answered"), t("In time"), t("Goal"), t("Median"), "P90", "P95", t("Longest"), t("Working days, P90"), t("Paused"), t("Entered late")];
  const groups = told.groups[by] ?? [];
  setContent(
    element("groups"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, groupingName(by)), ...columns.map((word) => h("th", { scope: "col", class: "number" }, word)))),
    h("tbody", {}, ...groups.map((group) => row(groupName(by, group.key), group)), row(t("Together"), told.whole, "sum")),
  );
}

/**
 * @param {string} name
 * @param {import("./types_turnaround.js").Figures} at
 * @param {string} [kind]
 */
function row(name, at, kind) {
  const times = ["median", "p90", "p95", "max"].map((key) => (at.gross ? elapsed(at.gross[/** @type {"median"} */ (key)]) : "–"));
  const rest = [at.working_days ? number(at.working_days.p90) : "–", percent(at.paused_share === null ? null : 100 * at.paused_share, 0), at.backdated ? number(at.backdated) : "–"];
  return h(
    "tr",
    { class: kind },
    h("th", { scope: "row" }, name),
    h("td", { class: "number", title: at.n < FEW ? t("few cases: chance weighs much") : null }, number(at.n)),
    h("td", { class: "number" }, reached(at)),
    ...[percent(at.promised, 0), ...times, ...rest].map((text) => h("td", { class: "number" }, text)),
  );
}

/** @param {import("./types_turnaround.js").Figures} at */
function reached(at) {
  if (at.percent === null || at.promised === null) return "–";
  if (at.n < FEW) return stateMark({ tone: "neutral", icon: "circle-dashed", word: percent(at.percent), hint: t("few cases: chance weighs much") });
  const good = at.percent >= at.promised;
  return stateMark({ tone: good ? "done" : "failed", icon: good ? "circle-check" : "circle-alert", word: percent(at.percent), hint: good ? t("Goal reached") : t("Below the goal") });
}

/** @param {import("./types_turnaround.js").Age[]} ages */
export function showAges(ages) {
  const names = ages.map(({ least, most }) => (most === null ? `${least}+` : most === least ? `${least}` : `${least}–${most}`));
  setContent(
    element("ages"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Working days")), ...names.map((name) => h("th", { scope: "col", class: "number" }, name)))),
    h("tbody", {}, ageRow(t("Open cases"), ages.map((at) => at.n)), ageRow(t("of them late"), ages.map((at) => at.late))),
  );
  element("ages-chart").hidden = ages.every((at) => at.n === 0);
  if (element("ages-chart").hidden) return;
  const said = ages.map((at, index) => `${names[index]}: ${at.n}`).join(", ");
  void draw(element("ages-chart"), t("Open cases by age in working days: {figures}. The table below has the figures.", { figures: said }), {
    grid: { left: 32, right: 8, top: 28, bottom: 24 },
    legend: { top: 0, right: 0, itemWidth: 12, itemHeight: 12, textStyle: { fontSize: 12, color: colour("--ink-2") } },
    tooltip: TOOLTIP,
    xAxis: { type: "category", ...axis(), data: names, axisLabel: { ...axis().axisLabel, interval: 0, fontSize: 11 } },
    yAxis: { type: "value", minInterval: 1, ...axis() },
    series: [
      { type: "bar", stack: "all", name: t("within their goal"), data: ages.map((at) => at.n - at.late), itemStyle: { color: colour("--scan_queue") } },
      { type: "bar", stack: "all", name: t("late"), data: ages.map((at) => at.late), itemStyle: { color: colour("--failed"), decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: -0.8, color: "rgba(255,255,255,0.6)" } } },
    ],
  });
}

/** @param {string} name @param {number[]} counts */
function ageRow(name, counts) {
  return h("tr", {}, h("th", { scope: "row" }, name), ...counts.map((count) => h("td", { class: "number" }, count ? number(count) : "–")));
}

/** @param {Turnaround} told */
export function showCauses({ causes: { late, reasons }, whole }) {
  if (late === 0) {
    const none = h("p", { class: "secondary" }, t("No case has been answered in this month."));
    const good = h("p", { class: "state done" }, icon("circle-check"), h("span", {}, t("No answer came late in this month.")));
    setContent(element("causes"), h("div", { class: "reasons" }, whole.n > 0 ? good : none));
    return;
  }
  const rows = Object.entries(reasons).sort(([, one], [, other]) => other - one).map(([reason, count]) => {
    const bar = h("i", {});
    bar.style.width = `${(100 * count) / late}%`;
    return h("li", { class: "row" }, h("span", {}, reasonName(reason)), h("span", { "aria-hidden": "true" }, bar), h("b", {}, number(count)));
  });
  setContent(element("causes"), h("ul", { class: "reasons" }, ...rows));
}

/** @param {Turnaround["late_cases"]} cases */
export function showLate(cases) {
  element("late-panel").hidden = !cases || cases.length === 0;
  const columns = [t("Case"), t("Priority and kind"), t("Time left"), t("Waits at")];
  const rows = (cases ?? []).map((at) =>
    h("tr", {}, h("th", { scope: "row" }, h("a", { href: `/cases/${encodeURIComponent(at.accession)}` }, at.accession)), h("td", {}, h("div", {}, priorityMark(at.priority)), h("small", {}, specimenClass(at.specimen_class))), h("td", {}, timeLeft(at)), h("td", {}, stepName(at.standing.step))),
  );
  setContent(element("late"), h("thead", {}, h("tr", {}, ...columns.map((word) => h("th", { scope: "col" }, word)))), h("tbody", {}, ...rows));
}
