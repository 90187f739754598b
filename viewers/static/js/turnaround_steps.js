/** Where the time goes: mean time by step as one stacked bar, and who stands where now. */
import { draw, colour } from "./charts.js";
import { elapsed, stepName } from "./case_terms.js";
import { h, setContent } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { percent } from "./turnaround_words.js";

const WIDE_ENOUGH = 64;
const DARK = new Set(["lab", "read", "await_work_order", "to_requester", "await_information"]);

/** @param {import("./types_turnaround.js").Turnaround} told */
export function showSteps(told) {
  const means = Object.entries(told.whole.step_means);
  const sum = means.reduce((total, [, seconds]) => total + seconds, 0);
  const waiting = new Map(told.today.waiting.map((at) => [at.step, at]));
  const names = means.length > 0 ? means.map(([step]) => step) : [...waiting.keys()];
  const shown = names.filter((step) => (told.whole.step_means[step] ?? 0) > 0 || told.causes.steps[step] || waiting.has(step));
  element("steps-chart").hidden = sum === 0;
  setContent(element("steps-about"), sum === 0 ? t("No case has been answered in this month.") : t("Mean time of {count} answered cases from received to reported: {time}", { count: number(told.whole.n), time: elapsed(sum) }));
  if (sum > 0) void drawBar(means, sum);
  element("steps").hidden = shown.length === 0;
  const rows = shown.map((step) => row(step, told.whole.step_means[step] ?? 0, sum, told.causes.steps[step] ?? 0, waiting.get(step)));
  setContent(element("steps"), head(), h("tbody", {}, ...rows, total(told, sum)));
}

function head() {
  const columns = [t("Mean"), t("Share"), t("Made late"), t("Open now"), t("Late now")];
  return h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Step")), ...columns.map((word) => h("th", { scope: "col", class: "number" }, word))));
}

/**
 * @param {string} step
 * @param {number} seconds
 * @param {number} sum
 * @param {number} made
 * @param {import("./types_turnaround.js").Waiting | undefined} now
 */
function row(step, seconds, sum, made, now) {
  const there = now ? now.calm + now.warn + now.late : 0;
  const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
  swatch.style.setProperty("--c", `var(--${step})`);
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, swatch, stepName(step)),
    ...[elapsed(seconds), sum > 0 ? percent((100 * seconds) / sum, 0) : "–", counted(made), counted(there), counted(now?.late ?? 0)].map((text) => h("td", { class: "number" }, text)),
  );
}

/**
 * @param {import("./types_turnaround.js").Turnaround} told
 * @param {number} sum
 */
function total(told, sum) {
  const cells = [sum > 0 ? elapsed(sum) : "–", sum > 0 ? percent(100, 0) : "–", counted(told.causes.late), counted(told.today.open), counted(told.today.standing.late)];
  return h("tr", { class: "sum" }, h("th", { scope: "row" }, t("Together")), ...cells.map((text) => h("td", { class: "number" }, text)));
}

/** @param {number} value */
function counted(value) {
  return value === 0 ? "–" : number(value);
}

/**
 * @param {[string, number][]} means
 * @param {number} sum
 */
function drawBar(means, sum) {
  const said = means.filter(([, seconds]) => seconds > 0).map(([step, seconds]) => `${stepName(step)} ${percent((100 * seconds) / sum, 0)}`);
  const place = element("steps-chart");
  const room = (/** @type {number} */ seconds) => (place.clientWidth * seconds) / sum - 8;
  return draw(place, t("The mean time by step: {steps}. The table below has the figures.", { steps: said.join(", ") }), {
    grid: { left: 0, right: 0, top: 0, bottom: 22 },
    xAxis: { type: "value", max: sum, interval: 86400 * Math.max(1, Math.round(sum / 86400 / 6)), axisLabel: { fontSize: 12, color: colour("--ink-2"), formatter: dayMark, showMaxLabel: false }, splitLine: { show: false } },
    yAxis: { type: "category", data: [""], show: false },
    series: means.map(([step, seconds]) => ({
      type: "bar",
      stack: "whole",
      name: stepName(step),
      data: [seconds],
      barWidth: "100%",
      silent: true,
      itemStyle: { color: colour(`--${step}`), borderColor: colour("--surface"), borderWidth: 1 },
      label: { show: room(seconds) > WIDE_ENOUGH, formatter: stepName(step), fontSize: 12, color: DARK.has(step) ? "#fff" : "#16202a", overflow: "truncate", width: room(seconds) },
    })),
  });
}

/** @param {number} seconds */
function dayMark(seconds) {
  return seconds === 0 ? "0" : t("{days} d", { days: number(Math.round(seconds / 86400)) });
}
