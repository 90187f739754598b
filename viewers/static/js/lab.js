/** The laboratory's day: what is missing, failed or unknown, and what can be done about it. */
import { getJson } from "./api.js";
import { subscribe } from "./changes.js";
import { h, setContent } from "./dom.js";
import { t, tn } from "./i18n.js";
import { KeyedRows } from "./keyed_rows.js";
import { showAlarm } from "./lab_alarm.js";
import { labKeys } from "./lab_keys.js";
import { glassMenu } from "./lab_menu.js";
import { showOrders } from "./lab_orders.js";
import { showAsked } from "./lab_quality.js";
import { showQueue } from "./lab_queue.js";
import { createLine, groupsShown, keyOf, linesOf, updateLine } from "./lab_lines.js";
import { ScanField } from "./lab_scan.js";
import { GroupTiles } from "./lab_tiles.js";
import { showUnknown } from "./lab_unknown.js";
import { element } from "./page.js";
import { showError, showSkeleton, showState } from "./states.js";
import { RowChoice } from "./worklist_keys.js";

/** @typedef {import("./types_lab.js").Lab} Lab */
/** @typedef {import("./types_lab.js").LabGlass} LabGlass */

const REFRESH_MS = 30_000;

const leaving = new AbortController();
const { signal } = leaving;
window.addEventListener("pagehide", (event) => event.persisted || leaving.abort());
window.addEventListener("pageshow", (event) => event.persisted && load());

const list = element("list");
const search = /** @type {HTMLInputElement} */ (element("search"));
const scan = new ScanField(() => void load(), signal);
const menu = glassMenu(scan, () => void load(), signal);
const tiles = new GroupTiles(() => show(false));
const rows = new KeyedRows(element("rows"), { key: keyOf, create: (line) => createLine(line, scan, menu), update: updateLine });
const choice = new RowChoice(list, () => {});

/** @type {Lab | null} */
let latest = null;
let pointerInside = false;
/** How many images the checks ask to be looked at. */
let asked = 0;

async function load() {
  try {
    latest = await getJson("/api/v1/lab", signal);
    show(pointerInside);
    asked = await showAsked(() => void load(), signal);
    tiles.show(latest?.counts ?? {}, latest?.unknown.length ?? 0, asked);
  } catch (error) {
    if (signal.aborted) return;
    if (latest === null) element("rows").replaceChildren();
    showError(element("list-state"), error, t("The laboratory's list could not be fetched"), () => void load());
  }
}

/** @param {boolean} hold whether rows must stay where they are */
function show(hold) {
  if (latest === null) return;
  const { slides, counts, orders, unknown, queue, mismatches } = latest;
  tiles.show(counts, unknown.length, asked);
  const found = slides.filter(matches);
  const searching = search.value.trim() !== "";
  const lines = linesOf(found, groupsShown(tiles.chosen, searching));
  const waiting = rows.show(lines, hold);
  const pending = element("pending");
  pending.hidden = waiting === 0;
  setContent(pending, t("Show {count} changed", { count: waiting }));
  showEmpty(lines.length, searching);
  showAlarm(mismatches);
  const again = () => void load();
  showUnknown(unknown, again, signal);
  showOrders(orders, latest.people, again, signal);
  showQueue(queue);
  keepChoice();
}

/** @param {number} shown @param {boolean} searching */
function showEmpty(shown, searching) {
  const place = element("list-state");
  if (shown > 0) place.replaceChildren();
  else if (searching) showState(place, "search", t("No glass matches the search"), olderOnes());
  else if (tiles.chosen) showState(place, "circle-check", t("No glass is in that state"));
  else showState(place, "circle-check", t("No glass is waiting"), nothingWaits());
}

function olderOnes() {
  return h("p", {}, t("Here are the glasses of today and those that wait. Older ones are found with their case."), " ", h("a", { href: "/cases" }, t("Cases")));
}

function nothingWaits() {
  const done = (latest?.counts.available ?? 0) + (latest?.counts.glass_only ?? 0);
  return h("p", {}, tn("{count} glass can be read today.", "{count} glasses can be read today.", done));
}

/** @param {LabGlass} glass */
function matches({ barcode, accession, stain, block, patient, scanner, item }) {
  const fields = [barcode, accession, stain, block, patient.name, scanner, item?.rack, item?.station];
  const text = fields.join(" ").toLocaleLowerCase();
  return search.value.toLocaleLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** After a change the same glass stays chosen; nothing is chosen for the person. */
function keepChoice() {
  const row = choice.rows().find((each) => each.dataset.key === choice.key);
  if (row) choice.choose(row, false);
}

list.addEventListener("pointerenter", () => (pointerInside = true));
list.addEventListener("pointerleave", () => {
  pointerInside = false;
  show(false);
});
element("pending").addEventListener("click", () => show(false));
search.addEventListener("input", () => show(false));

showSkeleton(element("rows"), 8, 5);
labKeys({ search, choice, scan, menu, showNew: () => show(false), glassOf }, signal);
subscribe(["cases", "slides", "intake", "unknown"], () => void load(), signal);
window.setInterval(() => document.hidden || void load(), REFRESH_MS);
await load();
scan.focus();

/** @param {string | undefined} barcode */
function glassOf(barcode) {
  return latest?.slides.find((glass) => glass.barcode === barcode);
}
