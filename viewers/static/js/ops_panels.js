/** The other panels of the ops page: the summary, processes, disk, and flow runs. */
import { h, icon, setContent, stateMark } from "./dom.js";
import { bytes, duration, number } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { moment } from "./slide_row.js";
import { showState } from "./states.js";
import { PROCESS_STATES, flowName, processName, runState } from "./words.js";

const LITTLE_ROOM = 0.1;

/** @typedef {import("./types.js").Ops} Ops */
/** @typedef {import("./types.js").Tone} Tone */

/** @type {Record<Ops["prefect"]["state"], {tone: Tone, icon: string, word: string}>} */
const PREFECT_STATES = {
  starting: { tone: "neutral", icon: "hourglass", word: t("Starting") },
  up: { tone: "done", icon: "circle-check", word: t("Running") },
  down: { tone: "failed", icon: "circle-x", word: t("Down") },
};

/**
 * @param {Ops} ops
 * @param {Record<string, number>} counts
 */
export function showSummary(ops, counts) {
  const quarantined = counts.quarantined ?? 0;
  const failed = counts.failed ?? 0;
  const moving = (counts.received ?? 0) + (counts.reading ?? 0) + (counts.ready ?? 0) + (counts.completing ?? 0);
  const stopped = ops.processes.filter((process) => process.state !== "running").length;
  const free = ops.disk.total === 0 ? 0 : ops.disk.free / ops.disk.total;
  setContent(
    element("summary"),
    tile(failed === 0 ? "done" : "failed", number(failed), t("failed")),
    tile(quarantined === 0 ? "done" : "attention", number(quarantined), t("in quarantine")),
    tile("neutral", number(moving), t("on the way")),
    tile(stopped === 0 ? "done" : "attention", `${ops.processes.length - stopped}/${ops.processes.length}`, t("processes running")),
    tile(PREFECT_STATES[ops.prefect.state].tone, PREFECT_STATES[ops.prefect.state].word, "Prefect"),
    tile(free < LITTLE_ROOM ? "failed" : "done", bytes(ops.disk.free), t("free on the disk")),
  );
}

/**
 * @param {Tone} tone
 * @param {string} value
 * @param {string} words
 */
function tile(tone, value, words) {
  const icons = { done: "circle-check", neutral: "clock", attention: "triangle-alert", failed: "circle-x" };
  return h("li", { class: `tile ${tone}` }, icon(icons[tone]), h("b", {}, value), h("span", {}, words));
}

/** @param {import("./types.js").Process[]} processes */
export function showProcesses(processes) {
  const rows = processes.map((process) =>
    h(
      "tr",
      { title: process.pid === null ? null : t("Process number {pid}", { pid: process.pid }) },
      h("td", {}, processName(process.name)),
      h("td", {}, stateMark(PROCESS_STATES[process.state])),
      h("td", {}, process.since === null ? "–" : moment(process.since)),
      h("td", { class: "number" }, number(process.restarts)),
    ),
  );
  setContent(element("processes"), ...rows);
}

/** @param {Ops["disk"]} disk */
export function showDisk(disk) {
  const other = Math.max(0, disk.total - disk.free - disk.originals - disk.pyramids);
  /** @type {[string, string, number][]} */
  const parts = [
    ["originals", t("Originals"), disk.originals],
    ["pyramids", t("Pyramids"), disk.pyramids],
    ["other", t("Other"), other],
    ["free", t("Free"), disk.free],
  ];
  const segments = parts.map(([name, , size]) => {
    const segment = h("span", { class: name });
    segment.style.flexGrow = String(disk.total === 0 ? 0 : size / disk.total);
    return segment;
  });
  setContent(
    element("disk"),
    h("div", { class: "disk-bar", "aria-hidden": "true" }, ...segments),
    h("dl", { class: "facts disk-facts" }, ...parts.flatMap(([name, words, size]) => [h("dt", { class: name }, words), h("dd", {}, bytes(size))])),
  );
}

/**
 * @param {import("./types.js").FlowRun[]} runs
 * @param {import("./types.js").Intake[]} files what the slides are called
 */
export function showRuns(runs, files) {
  const names = new Map(files.map((file) => [file.slide_id, file.name]));
  const rows = runs.map((run) =>
    h(
      "tr",
      { title: run.name },
      h("td", {}, h("span", { class: "two-lines" }, h("a", { href: run.url }, flowName(run.flow)), h("small", {}, names.get(run.slide_id) ?? run.name))),
      h("td", {}, stateMark(runState(run))),
      h("td", {}, run.started_at === null ? "–" : moment(run.started_at)),
      h("td", { class: "number" }, run.seconds === null ? "–" : duration(run.seconds)),
    ),
  );
  setContent(element("runs"), ...rows);
  const state = element("runs-state");
  if (runs.length > 0) state.replaceChildren();
  else showState(state, "clock", t("No flow runs yet"));
}
