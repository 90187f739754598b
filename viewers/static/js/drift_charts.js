/** One scanner and stain: its figures as small charts between their limits, and as a table. */
import { axis, colour, draw, TOOLTIP } from "./charts.js";
import { h, setContent, stateMark } from "./dom.js";
import { DRIFT_STATES, channelName, figureName, missedWords, valueWords } from "./drift_words.js";
import { exactDay, exactTime, number } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";

/** @typedef {import("./types_drift.js").Kept} Kept */
/** @typedef {import("./types_drift.js").Standing} Standing */

/** @param {Kept} kept */
export function showChannel(kept) {
  element("channel-title").textContent = channelName(kept);
  const about = kept.series === "reference"
    ? t("The same glass every day: what changes here is the scanner.")
    : t("What came to be scanned: the scanner, the laboratory and the cases together. Slides of one case count as one a day.");
  setContent(element("channel-about"), about, kept.missing ? ` ${missedWords(kept.missing)}.` : "");
  const charted = kept.standings.filter(({ points }) => points.length > 1);
  element("charts").replaceChildren(...charted.map(chart));
  const heads = [t("Figure"), t("State"), t("Baseline"), t("Last week"), t("Slides"), "PSI", t("Since")];
  setContent(
    element("figures"),
    h("thead", {}, h("tr", {}, ...heads.map((word, at) => h("th", { scope: "col", class: at > 1 && at < 6 ? "number" : null }, word)))),
    h("tbody", {}, ...kept.standings.map(row)),
  );
}

/** @param {Standing} standing */
function row(standing) {
  const { figure, unit, state, baseline, latest, recent, psi, psi_limit: limit, since } = standing;
  const shift = psi === null || limit === null ? "–" : `${number(psi, 2)} / ${number(limit, 2)}`;
  const cells = [valueWords(baseline, unit), valueWords(latest, unit), number(recent), shift];
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, figureName(figure)),
    h("td", {}, stateMark(DRIFT_STATES[state])),
    ...cells.map((text) => h("td", { class: "number" }, text)),
    h("td", {}, since === null ? "" : exactTime(since)),
  );
}

/** @param {Standing} standing */
function chart(standing) {
  const place = h("div", { class: "chart" });
  void drawn(place, standing);
  return h("div", {}, h("h3", {}, h("span", {}, figureName(standing.figure)), stateMark(DRIFT_STATES[standing.state])), place);
}

/**
 * The smoothed score and its limits, in standard deviations of the baseline.
 * @param {HTMLElement} place
 * @param {Standing} standing
 */
function drawn(place, { figure, state, points }) {
  const days = points.map(([moment]) => exactDay(new Date(moment)));
  const last = points[points.length - 1];
  const description = t("{figure}: smoothed {score} standard deviations from the baseline, limits ±{limit}. The table below has the figures.", { figure: figureName(figure), score: number(last?.[1] ?? 0, 2), limit: number(last?.[2] ?? 0, 2) });
  const ink = colour(state === "out" ? "--failed" : "--accent");
  const most = Math.ceil(Math.max(1, ...points.map(([, score, limit]) => Math.max(Math.abs(score), limit))));
  return draw(place, description, {
    grid: { left: 32, right: 8, top: 8, bottom: 22 },
    tooltip: { ...TOOLTIP, formatter: (/** @type {{dataIndex: number}[]} */ [at]) => `${days[at?.dataIndex ?? 0]}\n${number(points[at?.dataIndex ?? 0]?.[1] ?? 0, 2)}` },
    xAxis: { type: "category", ...axis(), data: days, axisLabel: { ...axis().axisLabel, fontSize: 11, hideOverlap: true } },
    yAxis: { type: "value", min: -most, max: most, interval: most, ...axis(), axisLabel: { ...axis().axisLabel, fontSize: 11 } },
    series: [
      line(points.map(([, score]) => score), { color: ink, width: 2 }),
      ...[1, -1].map((side) => line(points.map(([, , limit]) => side * limit), { color: colour("--ink-2"), width: 1, type: "dashed" })),
    ],
  });
}

/**
 * @param {number[]} data
 * @param {object} lineStyle
 */
function line(data, lineStyle) {
  return { type: "line", data, showSymbol: false, lineStyle, silent: true };
}
