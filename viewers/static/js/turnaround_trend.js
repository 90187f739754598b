/** Share in time by week or month, against the goal, with how many it rests on. */
import { axis, colour, draw, TOOLTIP } from "./charts.js";
import { elapsed } from "./case_terms.js";
import { showChoices } from "./choices.js";
import { h, icon, setContent } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { monthName, percent, periodName, periodShort } from "./turnaround_words.js";

const FEW = 20;
/** @type {"week" | "month"} */
let period = "week";

/** @typedef {import("./types_turnaround.js").Turnaround} Turnaround */

/** @param {Turnaround} told */
export function showTrend(told) {
  showChoices(element("period"), [["week", t("Weeks")], ["month", t("Months")]], period, (choice) => {
    period = choice === "month" ? "month" : "week";
    showTrend(told);
  });
  const groups = told.trend[period];
  const published = new Map(told.site === "" ? told.published.map((at) => [at.month, at]) : []);
  setContent(
    element("trend"),
    h("thead", {}, h("tr", {}, ...[period === "week" ? t("Week") : t("Month"), t("Answered"), t("In time"), t("Median"), "P90", t("Published")].map((word, at) => h("th", { scope: "col", class: at ? "number" : null }, word)))),
    h("tbody", {}, ...groups.map((group) => row(group, published.get(group.key[0] ?? "")))),
  );
  element("trend-chart").hidden = groups.every((group) => group.n === 0);
  setContent(element("trend-none"), element("trend-chart").hidden && t("No case has been answered in the period."));
  if (!element("trend-chart").hidden) void drawTrend(groups);
}

/**
 * @param {import("./types_turnaround.js").Group} group
 * @param {import("./types_turnaround.js").Published | undefined} published
 */
function row(group, published) {
  const key = group.key[0] ?? "";
  const name = period === "month" ? monthName(key) : `${periodName(key)}, ${key.slice(0, 4)}`;
  const mark = published && [icon("circle-check"), ` ${percent(published.percent)} · `, t("policy version {number}", { number: published.policy_version })];
  const cells = [number(group.n), percent(group.percent), group.gross ? elapsed(group.gross.median) : "–", group.gross ? elapsed(group.gross.p90) : "–"];
  return h("tr", {}, h("th", { scope: "row" }, name), ...cells.map((text) => h("td", { class: "number" }, text)), h("td", { class: "number" }, ...(mark || ["–"])));
}

/** @param {import("./types_turnaround.js").Group[]} groups */
function drawTrend(groups) {
  const goal = groups.findLast((group) => group.promised !== null)?.promised ?? 90;
  const said = groups.filter((group) => group.n > 0).map((group) => `${periodName(group.key[0] ?? "")} ${percent(group.percent, 0)}`);
  const description = t("Share of cases answered in time against the goal of {goal}: {figures}. The table below has the figures.", { goal: percent(goal, 0), figures: said.join(", ") });
  const ink = colour("--accent");
  return draw(element("trend-chart"), description, {
    grid: { left: 44, right: 12, top: 16, bottom: 40 },
    tooltip: { ...TOOLTIP, formatter: (/** @type {{dataIndex: number}[]} */ [at]) => hint(groups[at?.dataIndex ?? 0]) },
    xAxis: { type: "category", ...axis(), data: groups.map(underneath), axisLabel: { ...axis().axisLabel, interval: 0, fontSize: 11, lineHeight: 14 }, name: period === "week" ? t("week") : "", nameLocation: "start", nameTextStyle: { color: colour("--ink-2"), fontSize: 11, verticalAlign: "top", padding: [9, 0, 0, 0] } },
    yAxis: { type: "value", min: lowest(groups), max: 100, interval: 25, ...axis(), axisLabel: { ...axis().axisLabel, formatter: (/** @type {number} */ value) => percent(value, 0) } },
    series: [
      {
        type: "line",
        data: groups.map((group) => ({
          value: group.percent,
          symbol: group.n < FEW ? "emptyCircle" : "circle",
          itemStyle: { color: (group.percent ?? 100) < (group.promised ?? 0) ? colour("--failed") : ink },
        })),
        symbolSize: 8,
        lineStyle: { color: ink, width: 2 },
        markLine: { silent: true, symbol: "none", data: [{ yAxis: goal }], lineStyle: { color: colour("--ink"), type: "dashed" }, label: { position: "insideStartBottom", formatter: t("goal {percent}", { percent: percent(goal, 0) }), color: colour("--ink") } },
      },
    ],
  });
}

/** Half is low enough for what is nearly always above. @param {import("./types_turnaround.js").Group[]} groups */
function lowest(groups) {
  return groups.some((group) => (group.percent ?? 100) < 50) ? 0 : 50;
}

/** @param {import("./types_turnaround.js").Group | undefined} group */
function hint(group) {
  if (!group) return "";
  const reached = t("{percent} of {count} in time", { percent: percent(group.percent), count: number(group.n) });
  const few = group.n < FEW ? t("few cases: chance weighs much") : "";
  return [periodName(group.key[0] ?? ""), reached, few].filter(Boolean).join("\n");
}

/** @param {import("./types_turnaround.js").Group} group */
function underneath(group) {
  return [periodShort(group.key[0] ?? ""), t("n {number}", { number: number(group.n) })].join("\n");
}
