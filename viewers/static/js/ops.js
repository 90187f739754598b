/** Operations: what is stuck, what runs, and how much room is left. */
import { getJson } from "./api.js";
import { subscribe } from "./changes.js";
import { setContent } from "./dom.js";
import { ago, exactTime } from "./format.js";
import { t } from "./i18n.js";
import { showDicomQuarantine } from "./ops_dicom.js";
import { showDrift } from "./ops_drift.js";
import { ForwardingPanel } from "./ops_forwarding.js";
import { IntakePanel } from "./ops_intake.js";
import { showDisk, showProcesses, showRuns, showSummary } from "./ops_panels.js";
import { element } from "./page.js";
import { showError } from "./states.js";

const REFRESH_MS = 15_000;

/** @typedef {import("./types.js").Ops} Ops */
/** @typedef {import("./types.js").IntakeList} IntakeList */
/** @typedef {import("./types.js").Forwarding} Forwarding */

const leaving = new AbortController();
const { signal } = leaving;
window.addEventListener("pagehide", (event) => event.persisted || leaving.abort());

const intake = new IntakePanel(() => void load(), signal);
const forwarding = new ForwardingPanel(() => void load(), signal);

async function load() {
  try {
    const addresses = ["/api/v1/ops", "/api/v1/intake", "/api/v1/forwarding"];
    /** @type {[Ops, IntakeList, Forwarding]} */
    const [ops, list, sent] = /** @type {any} */ (await Promise.all(addresses.map((address) => getJson(address, signal))));
    const started = t("Version {version}, running since {time}", { version: ops.version, time: exactTime(ops.started_at) });
    setContent(element("version"), started);
    showSummary(ops, list.counts);
    showProcesses(ops.processes);
    showDisk(ops.disk);
    showRuns(ops.flow_runs, list.intake);
    intake.show(list);
    forwarding.show(sent);
    showDicomQuarantine(ops.dicom_quarantine);
    showDrift(ops.drift);
  } catch (error) {
    if (signal.aborted) return;
    showError(element("intake-state"), error, t("The state of the system could not be fetched"), () => void load());
  }
}

function refreshTimes() {
  for (const time of document.querySelectorAll("time")) setContent(time, ago(time.dateTime));
}

subscribe(["intake", "processes", "slides"], () => void load(), signal);
window.setInterval(() => {
  refreshTimes();
  if (!document.hidden) void load();
}, REFRESH_MS);
await load();
