/** The worklist: what has arrived, what is arriving, and what to open next. */
import { getJson } from "./api.js";
import { subscribe } from "./changes.js";
import { h, icon, setContent } from "./dom.js";
import { ago } from "./format.js";
import { t, tn } from "./i18n.js";
import { createIntakeRow, updateIntakeRow } from "./intake_row.js";
import { KeyedRows } from "./keyed_rows.js";
import { element, seesOps } from "./page.js";
import { showPreview } from "./preview.js";
import { createSlideRow, updateSlideRow } from "./slide_row.js";
import { showError, showSkeleton, showState } from "./states.js";
import { startUploads } from "./upload.js";
import { RowChoice, worklistKeys } from "./worklist_keys.js";

/** @typedef {import("./types.js").Worklist} Worklist */

const leaving = new AbortController();
const { signal } = leaving;
window.addEventListener("pagehide", (event) => event.persisted || leaving.abort());
window.addEventListener("pageshow", (event) => event.persisted && load());

const search = /** @type {HTMLInputElement} */ (element("search"));
const list = element("list");
const pending = element("pending");
const state = element("list-state");
const slideRows = new KeyedRows(element("rows"), { key: (slide) => slide.slide_id, create: createSlideRow, update: updateSlideRow });
const intakeRows = new KeyedRows(element("arriving"), { key: (intake) => intake.intake_id, create: createIntakeRow, update: updateIntakeRow });
const choice = new RowChoice(list, (key) => showPreview(element("preview"), latest?.slides.find((slide) => slide.slide_id === key)));

/** @type {Worklist | null} */
let latest = null;
let pointerInside = false;

async function load() {
  try {
    latest = await getJson("/api/v1/slides", signal);
    show(pointerInside);
  } catch (error) {
    if (signal.aborted) return;
    if (latest === null) element("rows").replaceChildren();
    showError(state, error, t("The worklist could not be fetched"), () => void load());
  }
}

/** @param {boolean} hold whether rows must stay where they are */
function show(hold) {
  if (latest === null) return;
  const slides = latest.slides.filter(matches);
  const arriving = latest.arriving.filter((intake) => matchesText([intake.name]));
  const waiting = slideRows.show(slides, hold) + intakeRows.show(arriving, hold);
  pending.hidden = waiting === 0;
  setContent(pending, t("Show {count} new", { count: waiting }));
  setContent(element("count"), countWords(slides.length, latest.slides.length));
  setContent(element("quarantine"), latest.quarantined > 0 && quarantineWords(latest.quarantined));
  if (slides.length + arriving.length > 0) state.replaceChildren();
  else if (search.value.trim() !== "") showState(state, "search", t("No slide matches the search"));
  else showEmpty();
  choice.keep();
}

/** @param {import("./types.js").Slide} slide */
function matches(slide) {
  return matchesText([slide.name, slide.barcode, slide.scanner, slide.vendor]);
}

/** @param {(string | null)[]} fields */
function matchesText(fields) {
  const text = fields.join(" ").toLocaleLowerCase();
  const words = search.value.toLocaleLowerCase().split(/\s+/);
  return words.every((word) => text.includes(word));
}

/**
 * @param {number} shown
 * @param {number} all
 */
function countWords(shown, all) {
  const total = tn("{count} slide", "{count} slides", all);
  return shown === all ? total : t("{shown} of {total}", { shown, total });
}

/** @param {number} count */
function quarantineWords(count) {
  const words = tn("{count} file in quarantine", "{count} files in quarantine", count);
  const inside = [icon("shield-alert"), h("span", {}, words)];
  if (seesOps) return h("a", { class: "state attention", href: "/ops" }, ...inside);
  return h("span", { class: "state attention", title: t("Operations look after the quarantine.") }, ...inside);
}

function showEmpty() {
  const words = document.getElementById("upload")
    ? t("Put a file in the watched folder, or upload one here. It shows up by itself.")
    : t("Slides show up here by themselves as soon as they have been scanned.");
  showState(state, "inbox", t("No slides yet"), h("p", {}, words));
}

function refreshTimes() {
  for (const time of list.querySelectorAll("time")) setContent(time, ago(time.dateTime));
}

list.addEventListener("pointerenter", () => (pointerInside = true));
list.addEventListener("pointerleave", () => {
  pointerInside = false;
  show(false);
});
pending.addEventListener("click", () => show(false));
search.addEventListener("input", () => show(false));

showSkeleton(element("rows"), 8, 7);
worklistKeys(search, choice, () => show(false), signal);
startUploads(() => void load(), signal);
subscribe(["slides", "intake"], () => void load(), signal);
window.setInterval(refreshTimes, 30_000);
await load();
