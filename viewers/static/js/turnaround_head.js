/** The answer in two seconds: in time or not, and how today's open cases stand. */
import { h, icon, setContent, stateMark } from "./dom.js";
import { number } from "./format.js";
import { t, tn } from "./i18n.js";
import { element } from "./page.js";
import { elapsed, workingDays } from "./case_terms.js";
import { monthName, percent, stepInside } from "./turnaround_words.js";

/** @typedef {import("./types_turnaround.js").Turnaround} Turnaround */

/** @param {Turnaround} told */
export function showHead(told) {
  setContent(element("head-title"), t("In time in {month}", { month: monthName(told.month) }));
  const { whole, estimate } = told;
  if (whole.percent === null || whole.promised === null) {
    setContent(element("head"), h("p", { class: "secondary" }, t("No case has been answered in this month.")));
    return;
  }
  const verdict = judged(told);
  setContent(
    element("head"),
    h("p", { class: "answer" }, h("b", {}, percent(whole.percent)), stateMark(verdict), h("span", { class: "secondary" }, t("goal {percent}", { percent: percent(whole.promised, 0) }))),
    goalBar(whole.percent, whole.promised, verdict.tone),
    h(
      "dl",
      { class: "beside-it" },
      ...fact(t("Answered"), tn("{count} case", "{count} cases", whole.n), t("{count} within their goal", { count: number(whole.within) })),
      ...estimated(estimate),
      ...fact(t("Half are answered within"), whole.gross ? elapsed(whole.gross.median) : "–", whole.working_days ? workingDays(whole.working_days.median) : ""),
      ...fact(t("90 % are answered within"), whole.gross ? elapsed(whole.gross.p90) : "–", whole.working_days ? workingDays(whole.working_days.p90) : ""),
      ...fact(t("95 % within, the longest"), whole.gross ? elapsed(whole.gross.p95) : "–", whole.gross ? elapsed(whole.gross.max) : ""),
      ...fact(t("Paused"), percent(100 * (whole.paused_share ?? 0)), t("net in time: {percent}", { percent: percent((100 * whole.within_net) / whole.n) })),
      ...fact(t("Entered late"), tn("{count} case", "{count} cases", whole.backdated), t("with an event told more than an hour after it happened")),
    ),
  );
}

/**
 * Open cases cannot flatter: where only they hold the month up, that is said.
 * @param {Turnaround} told
 * @returns {{tone: "done" | "attention" | "failed", icon: string, word: string}}
 */
function judged({ whole, estimate }) {
  const [reached, goal] = [whole.percent ?? 0, whole.promised ?? 0];
  if (reached < goal) return { tone: "failed", icon: "circle-alert", word: t("Below the goal") };
  if (estimate.percent !== null && estimate.percent < goal) {
    return { tone: "attention", icon: "triangle-alert", word: t("Goal reached, but not when open cases are counted") };
  }
  return { tone: "done", icon: "circle-check", word: t("Goal reached") };
}

/** @param {import("./types_turnaround.js").Estimate} estimate */
function estimated(estimate) {
  if (estimate.percent === null) return fact(t("Counting open cases too"), t("too early to say"), tn("{count} open", "{count} open", estimate.open));
  const range = estimate.low === null || estimate.high === null ? "" : t("between {low} and {high}; {open} of {n} received are open", { low: percent(estimate.low), high: percent(estimate.high), open: estimate.open, n: estimate.n });
  return fact(t("Counting open cases too"), percent(estimate.percent), range);
}

/**
 * @param {number} value
 * @param {number} goal
 * @param {string} tone
 */
function goalBar(value, goal, tone) {
  const bar = h("div", { class: `goal-bar ${tone}`, "aria-hidden": "true" }, h("i", {}), h("u", {}));
  const [filled, tick] = bar.children;
  if (filled instanceof HTMLElement) filled.style.width = `${value}%`;
  if (tick instanceof HTMLElement) tick.style.left = `${goal}%`;
  return bar;
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} more
 */
function fact(name, value, more) {
  return [h("dt", {}, name), h("dd", {}, value, more !== "" && h("small", { class: "secondary" }, ` · ${more}`))];
}

/** @param {Turnaround["today"]} today */
export function showToday(today) {
  const { calm, warn, late } = today.standing;
  setContent(
    element("today"),
    h(
      "ul",
      { class: "counts" },
      count(calm, late === 0 && warn === 0 ? "done" : "neutral", "clock", t("in good time")),
      count(warn, warn ? "attention" : "neutral", "triangle-alert", t("close to the goal")),
      count(late, late ? "failed" : "neutral", "circle-alert", t("late")),
    ),
    h("p", {}, forecastWords(today)),
    today.preliminary_demanded > 0 &&
      h("p", { class: "state attention" }, icon("triangle-alert"), h("span", {}, tn("{count} late case without a preliminary report to the requester", "{count} late cases without a preliminary report to the requester", today.preliminary_demanded))),
  );
}

/**
 * @param {number} value
 * @param {import("./types.js").Tone} tone
 * @param {string} name
 * @param {string} word
 */
function count(value, tone, name, word) {
  return h("li", { class: tone }, h("b", {}, number(value)), stateMark({ tone, icon: name, word }));
}

/** @param {Turnaround["today"]} today */
function forecastWords({ open, ahead }) {
  if (open === 0) return t("No case is open.");
  if (ahead === null) return t("A forecast comes when cases have been answered.");
  const more = Math.round(ahead.expected);
  const [cause] = Object.entries(ahead.causes).sort(([, one], [, other]) => other - one);
  const words = tn("Forecast: {count} more will be late if nothing is done", "Forecast: {count} more will be late if nothing is done", more);
  const because = cause ? t(", most often because of: {step}", { step: stepInside(cause[0]) }) : "";
  const unsure = ahead.unsure > 0 ? t("({count} of {told} forecasts rest on few similar cases)", { count: ahead.unsure, told: ahead.told }) : "";
  return `${words}${because}. ${unsure}`;
}
