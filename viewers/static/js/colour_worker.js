/** Beside the page: takes the table once, then pixels, and gives them back corrected. */
import { applyTable, readTable } from "./colour_table.js";

const page = /** @type {Worker} */ (/** @type {unknown} */ (self));
/** @type {import("./colour_table.js").ColourTable | undefined} */
let table;

page.addEventListener("message", ({ data }) => {
  if (data.table) {
    table = readTable(data.table);
  } else if (table) {
    applyTable(table, data.pixels);
    page.postMessage(data, [data.pixels.buffer]);
  }
});
