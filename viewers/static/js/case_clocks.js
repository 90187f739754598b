/** Where the time goes: svartid gross with net beside it, its steps as one bar, every clock. */
import { h, icon } from "./dom.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";
import { showPart } from "./case_parts.js";
import { clockName, elapsed, stepName, workingDays } from "./case_terms.js";
import { dueWords, timeLeftWords } from "./time_left.js";

/** @typedef {import("./types_case.js").Case} Case */
/** @typedef {import("./types_case.js").Clock} Clock */

/**
 * Times move on while nobody does anything: the part is made anew, unmarked, and folds stay open.
 * @param {Case} now
 */
export function showClocks(now) {
  const open = document.querySelector("#clocks-body details")?.hasAttribute("open") ?? false;
  showPart("clocks", [now.clocks, now.steps], () => ({ body: body(now, open) }), true);
}

/**
 * @param {Case} now
 * @param {boolean} open
 */
function body(now, open) {
  const svartid = now.clocks.find((clock) => clock.key === "K1");
  if (!svartid) return [h("p", { class: "secondary" }, t("The clock starts when the first specimen is received."))];
  return [
    headline(now, svartid),
    stepBar(now),
    h("details", { open }, h("summary", { "data-focus": "clocks" }, t("All clocks")), clockTable(now.clocks)),
  ];
}

/**
 * @param {Case} now
 * @param {Clock} svartid
 */
function headline(now, svartid) {
  const until = svartid.stop ? exactTime(svartid.stop) : t("now");
  const hint = t("From {start} to {stop}", { start: exactTime(svartid.start), stop: until });
  const net = svartid.paused_seconds > 0 ? t("net {time}, paused {paused}", { time: elapsed(svartid.net_seconds), paused: elapsed(svartid.paused_seconds) }) : t("net the same, no pauses");
  const goal = svartid.due ? t("Goal: {time}", { time: dueWords(svartid.due) }) : t("No goal");
  return h(
    "div",
    { class: "svartid" },
    h("p", { class: "svartid-gross", title: hint }, h("b", {}, elapsed(svartid.seconds)), " ", h("span", {}, t("gross")), h("span", { class: "secondary" }, ` · ${workingDays(svartid.working_days)}`)),
    h("p", { class: "secondary" }, net),
    h("p", { class: "secondary" }, `${goal} · ${timeLeftWords(now.standing)}`),
  );
}

/** The parts sum to the whole. @param {Case} now */
function stepBar(now) {
  /** @type {Map<string, {seconds: number, running: boolean}>} */
  const summed = new Map();
  for (const { step, seconds, running } of now.steps) {
    const known = summed.get(step) ?? { seconds: 0, running: false };
    summed.set(step, { seconds: known.seconds + seconds, running: known.running || Boolean(running) });
  }
  const whole = now.steps.reduce((sum, { seconds }) => sum + seconds, 0) || 1;
  const bar = h("div", { class: "step-bar", "aria-hidden": "true" });
  for (const { step, seconds } of now.steps) {
    if (seconds <= 0) continue;
    const part = h("span", { class: `step ${step}`, title: `${stepName(step)}: ${elapsed(seconds)}` });
    part.style.flexGrow = String(seconds / whole);
    bar.append(part);
  }
  const lines = [...summed].filter(([, at]) => at.seconds > 0 || at.running);
  return h(
    "div",
    { class: "steps" },
    bar,
    h(
      "ol",
      {},
      ...lines.map(([step, at]) =>
        h("li", { class: at.running ? "running" : null }, h("i", { class: `step ${step}`, "aria-hidden": "true" }), h("span", {}, stepName(step)), at.running && h("span", { class: "now" }, t("now")), h("span", { class: "number" }, elapsed(at.seconds))),
      ),
      h("li", { class: "sum" }, h("i", {}), h("span", {}, t("Together")), h("span", { class: "number" }, elapsed(whole))),
    ),
  );
}

/** @param {Clock[]} clocks */
function clockTable(clocks) {
  return h(
    "div",
    { class: "clock-table" },
    h(
      "table",
      { class: "list" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Clock")), h("th", { scope: "col", class: "number" }, t("Gross")), h("th", { scope: "col", class: "number" }, t("Net")), h("th", { scope: "col" }, t("Goal")))),
      h("tbody", {}, ...clocks.map(clockRow)),
    ),
  );
}

/** @param {Clock} clock */
function clockRow(clock) {
  const hint = t("From {start} to {stop}", { start: exactTime(clock.start), stop: clock.stop ? exactTime(clock.stop) : t("now") });
  const about = clock.key === "K5" && !clock.about ? t("last glass") : clock.key === "K5" ? clock.about : "";
  return h(
    "tr",
    { title: hint },
    h("td", {}, h("span", { class: "two-lines" }, h("span", {}, h("span", { class: "secondary" }, `${clock.key} `), clockName(clock.key)), about && h("small", {}, about))),
    h("td", { class: "number" }, clock.running && icon("hourglass"), ` ${elapsed(clock.seconds)}`),
    h("td", { class: "number" }, clock.paused_seconds > 0 ? elapsed(clock.net_seconds) : "–"),
    h("td", {}, kept(clock)),
  );
}

/** @param {Clock} clock */
function kept(clock) {
  if (clock.in_time === null) return h("span", { class: "secondary", title: clock.due ? t("Goal: {time}", { time: dueWords(clock.due) }) : null }, clock.due ? t("not yet due") : "–");
  return clock.in_time ? h("span", { class: "state done" }, icon("circle-check"), t("kept")) : h("span", { class: "state failed" }, icon("circle-alert"), t("missed"));
}
