/** The list of glasses: a heading for each state, and a row for each glass. */
import { h, icon, setContent, stateMark } from "./dom.js";
import { exactTime, number } from "./format.js";
import { priorityMark } from "./case_words.js";
import { RESCAN_REASONS, glassState } from "./glass_words.js";
import { t, tn } from "./i18n.js";
import { GROUPS } from "./lab_tiles.js";
import { scanReason, spanOf } from "./lab_words.js";
import { identifierText } from "./patient.js";
import { timeLeft } from "./time_left.js";

/** @typedef {import("./types_lab.js").LabGlass} LabGlass */
/** @typedef {import("./types_lab.js").Group} Group */
/** @typedef {{heading: Group, count: number} | LabGlass} Line */

const WAITING = /** @type {Group[]} */ (["missing", "failed", "attention", "expected", "queue", "scanning"]);
const NEXT = ["expected", "printed", "stained", "failed", "rescan"];
const TIMES = /** @type {const} */ ({ class: "number" });

/** @param {Line} line */
export function keyOf(line) {
  return "heading" in line ? `# ${line.heading}` : line.barcode;
}

/**
 * Glasses under their headings, in the server's order; all that wait, or one state alone.
 * @param {LabGlass[]} glasses
 * @param {Group | null} chosen
 * @returns {Line[]}
 */
export function linesOf(glasses, chosen) {
  const groups = chosen ? [chosen] : WAITING;
  return groups.flatMap((group) => {
    const inside = glasses.filter((glass) => (glass.missing ? "missing" : glass.group) === group);
    return inside.length === 0 ? [] : [{ heading: group, count: inside.length }, ...inside];
  });
}

/**
 * @param {Line} line
 * @param {import("./lab_scan.js").ScanField} scan
 * @param {import("./lab_menu.js").GlassMenu} menu
 */
export function createLine(line, scan, menu) {
  if ("heading" in line) return h("tr", { class: "heading", "data-key": null }, h("th", { colspan: 7, scope: "rowgroup" }));
  const more = h("button", { class: "button quiet small", type: "button", title: t("More"), "aria-label": t("More for {barcode}", { barcode: line.barcode }), "aria-haspopup": "menu" }, icon("ellipsis"));
  more.addEventListener("click", () => menu.open(more, line.barcode));
  const go = h("button", { class: "button small scan", type: "button" }, icon("barcode"), t("Scan"));
  go.addEventListener("click", () => scan.fill(line.barcode));
  const cells = Array.from({ length: 6 }, (_, index) => h("td", index === 4 ? TIMES : {}));
  return h("tr", { "data-key": line.barcode, "data-barcode": line.barcode }, ...cells, h("td", { class: "actions" }, go, more));
}

/**
 * @param {HTMLTableRowElement} row
 * @param {Line} line
 */
export function updateLine(row, line) {
  if ("heading" in line) {
    const { word, tone, icon: name } = GROUPS[line.heading];
    const cell = /** @type {Element} */ (row.cells[0]);
    setContent(cell, h("span", { class: `state ${tone}` }, icon(name), h("span", {}, word)), h("span", { class: "count" }, number(line.count)));
    return;
  }
  const [glass, whose, priority, state, waited, due, actions] = row.cells;
  if (!glass || !whose || !priority || !state || !waited || !due || !actions) return;
  const about = [line.stain, line.block && t("block {block}", { block: line.block }), line.order_id && t("additional order")];
  setContent(glass, twoLines(h("b", { class: "barcode" }, line.barcode), about.filter(Boolean).join(" · ") || "–"));
  const link = h("a", { href: `/cases/${encodeURIComponent(line.accession)}` }, line.accession);
  setContent(whose, twoLines(link, `${line.patient.name} · ${identifierText(line.patient)}`));
  setContent(priority, priorityMark(line.priority));
  setContent(state, twoLines(stateMark(glassState(line.state)), detailOf(line)));
  setContent(waited, waitedFor(line));
  setContent(due, line.due_at ? timeLeft(line) : h("span", { class: "secondary" }, line.took_seconds === null ? t("when stained") : ""));
  const next = /** @type {HTMLElement} */ (actions.querySelector(".scan"));
  next.style.visibility = NEXT.includes(line.state) ? "" : "hidden";
}

/** @param {LabGlass} glass */
function detailOf({ item, state, rescan, reason, failures, scanner, scans }) {
  const place = item?.rack && t("rack {rack}, slot {slot}", { rack: item.rack, slot: item.slot || "–" });
  const where = item?.station || (state === "scanned" || state === "failed" ? scanner : "");
  const why = rescan ? [RESCAN_REASONS[rescan], reason].filter(Boolean).join(": ") : scanReason(reason);
  const tries = failures > 0 && tn("failed once", "failed {count} times", failures);
  const again = scans > 1 && failures === 0 && !rescan && t("scan {number}", { number: scans });
  return [place, where, why, tries, again].filter(Boolean).join(" · ");
}

/** @param {LabGlass} glass */
function waitedFor({ waiting_since: since, took_seconds: took, stained_at: stained, expected_at: expected }) {
  const from = stained ? t("Stained {time}", { time: exactTime(stained) }) : t("Expected since {time}", { time: exactTime(expected) });
  if (since === null) return h("span", { title: from }, took === null ? "–" : spanOf(took));
  return h("span", { title: from }, spanOf((Date.now() - Date.parse(since)) / 1000));
}

/**
 * @param {Node} first
 * @param {string} second
 */
function twoLines(first, second) {
  return h("span", { class: "two-lines" }, first, second !== "" && h("small", { title: second }, second));
}
