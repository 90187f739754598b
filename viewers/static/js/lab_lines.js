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

/** @param {Line} line */
export function keyOf(line) {
  return "heading" in line ? `# ${line.heading}` : line.barcode;
}

/** What is shown: one state alone, all that wait, or whatever a search finds. @param {Group | null} chosen @param {boolean} searching */
export function groupsShown(chosen, searching) {
  if (searching) return /** @type {Group[]} */ (Object.keys(GROUPS));
  return chosen ? [chosen] : WAITING;
}

/**
 * Glasses under their headings, in the server's order.
 * @param {LabGlass[]} glasses
 * @param {Group[]} groups
 * @returns {Line[]}
 */
export function linesOf(glasses, groups) {
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
  if ("heading" in line) return h("tr", { class: "heading", "data-key": null }, h("th", { colspan: 5, scope: "rowgroup" }));
  const more = h("button", { class: "button quiet small", type: "button", title: t("More"), "aria-label": t("More for {barcode}", { barcode: line.barcode }), "aria-haspopup": "menu" }, icon("ellipsis"));
  more.addEventListener("click", () => menu.open(more, line.barcode));
  const go = h("button", { class: "button small go-scan", type: "button" }, icon("barcode"), t("Scan"));
  go.addEventListener("click", () => scan.fill(line.barcode));
  const cells = Array.from({ length: 4 }, () => h("td", {}));
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
  const [glass, whose, state, time, actions] = row.cells;
  if (!glass || !whose || !state || !time || !actions) return;
  const about = [line.stain, line.block && t("block {block}", { block: line.block }), line.order_id && t("additional order")];
  setContent(glass, twoLines(h("b", { class: "barcode" }, line.barcode), about.filter(Boolean).join(" · ") || "–"));
  const link = h("a", { href: `/cases/${encodeURIComponent(line.accession)}` }, line.accession);
  const urgent = line.priority !== "routine" && priorityMark(line.priority);
  setContent(whose, twoLines(h("span", { class: "case-line" }, link, urgent), `${identifierText(line.patient)} · ${line.patient.name}`));
  setContent(state, twoLines(stateMark(glassState(line.state)), detailOf(line)));
  setContent(time, twoLines(deadline(line), waitedFor(line), exactTime(line.stained_at ?? line.expected_at)));
  const next = /** @type {HTMLElement} */ (actions.querySelector(".go-scan"));
  next.style.visibility = NEXT.includes(line.state) ? "" : "hidden";
}

/** @param {LabGlass} glass */
function detailOf({ item, state, rescan, reason, failures, scanner, scans }) {
  const place = item?.rack && t("rack {rack}, slot {slot}", { rack: item.rack, slot: item.slot || "–" });
  const where = item?.station || (state === "scanned" || state === "failed" ? scanner : "");
  const why = rescan ? [RESCAN_REASONS[rescan], reason].filter(Boolean).join(": ") : (RESCAN_REASONS[reason] ?? scanReason(reason));
  const tries = failures > 0 && tn("failed once", "failed {count} times", failures);
  const again = scans > 1 && failures === 0 && !rescan && t("scan {number}", { number: scans });
  return [place, why, tries, again, where].filter(Boolean).join(" · ");
}

/** @param {LabGlass} glass */
function deadline(glass) {
  if (glass.due_at) return timeLeft(glass);
  const stained = glass.stained_at !== null || glass.waiting_since === null;
  return h("span", { class: "secondary" }, stained ? "–" : t("not stained yet"));
}

/** @param {LabGlass} glass */
function waitedFor({ waiting_since: since, took_seconds: took, stained_at: stained }) {
  if (since === null) return took === null ? "" : t("took {span}", { span: spanOf(took) });
  const span = spanOf((Date.now() - Date.parse(since)) / 1000);
  return stained ? t("stained {span} ago", { span }) : t("expected for {span}", { span });
}

/**
 * @param {Node} first
 * @param {string} second
 * @param {string} [hint]
 */
function twoLines(first, second, hint = second) {
  return h("span", { class: "two-lines" }, first, second !== "" && h("small", { title: hint }, second));
}
