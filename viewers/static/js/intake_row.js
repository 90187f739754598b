/** One arriving file as a row on top of the worklist. */
import { h, setContent, stateMark } from "./dom.js";
import { bytes } from "./format.js";
import { t } from "./i18n.js";
import { moment, slideAddress } from "./slide_row.js";
import { INTAKE_STATES, reasonWords } from "./words.js";

/** @typedef {import("./types.js").Intake} Intake */

/** @param {Intake} intake */
export function createIntakeRow(intake) {
  return h(
    "tr",
    { "data-key": intake.intake_id, class: "arriving" },
    h("td", { class: "name" }, h("span", { class: "thumb" }), h("span", { class: "two-lines" }, h("span", { class: "slide-name" }), h("small", {}))),
    h("td", {}),
    h("td", {}),
    h("td", { colspan: 4 }),
  );
}

/**
 * @param {HTMLTableRowElement} row
 * @param {Intake} intake
 */
export function updateIntakeRow(row, intake) {
  const [name, state, received, progress] = row.cells;
  if (!name || !state || !received || !progress) return;
  if (intake.slide_id !== null) row.dataset.href = slideAddress(intake.slide_id);
  const title = /** @type {Element} */ (name.querySelector(".slide-name"));
  setContent(title, intake.slide_id === null ? intake.name : h("a", { href: slideAddress(intake.slide_id) }, intake.name));
  setContent(/** @type {Element} */ (name.querySelector("small")), bytes(intake.bytes));
  setContent(state, stateMark(INTAKE_STATES[intake.state]));
  setContent(received, moment(intake.received_at));
  if (intake.reason === null) setProgress(progress, intake);
  else setContent(progress, h("span", { class: "reason" }, reasonWords(intake.reason)));
}

/**
 * The bar keeps its element, so that it grows instead of jumping.
 * @param {HTMLTableCellElement} cell
 * @param {Intake} intake
 */
function setProgress(cell, intake) {
  if (intake.total === 0) {
    setContent(cell);
    return;
  }
  let bar = cell.querySelector("progress");
  if (!bar) {
    bar = h("progress", { "aria-label": t("Read in so far") });
    cell.replaceChildren(h("span", { class: "with-progress" }, bar, h("span", { class: "secondary" })));
  }
  bar.max = intake.total;
  bar.value = intake.done;
  const share = Math.floor((100 * intake.done) / intake.total);
  setContent(/** @type {Element} */ (bar.nextElementSibling), `${share} %`);
}
