/** The keys of the laboratory's page: the same as elsewhere, and one for each act. */
import { t } from "./i18n.js";
import { keyIsTaken, keysDialog } from "./keys_dialog.js";
import { element } from "./page.js";

/**
 * @typedef {object} Parts
 * @property {HTMLInputElement} search
 * @property {import("./worklist_keys.js").RowChoice} choice
 * @property {import("./lab_scan.js").ScanField} scan
 * @property {import("./lab_menu.js").GlassMenu} menu
 * @property {() => void} showNew
 * @property {(barcode: string | undefined) => import("./types_lab.js").LabGlass | undefined} glassOf
 */

/** @param {Parts} parts @param {AbortSignal} signal */
export function labKeys({ search, choice, scan, menu, showNew, glassOf }, signal) {
  menu.of(glassOf);
  const toggleKeys = keysDialog([
    [["b"], t("Barcode field: what a reader types is queued by Enter")],
    [["j", "↓"], t("Next glass")],
    [["k", "↑"], t("Previous glass")],
    [["Enter"], t("Scan the chosen glass")],
    [["f"], t("Mark the chosen glass as stained")],
    [["r"], t("Scan the chosen glass again")],
    [["g"], t("Read the chosen glass as glass only")],
    [["e"], t("Expect another glass of the case")],
    [["/"], t("Search")],
    [["Esc"], t("Clear the search")],
    [["n"], t("Show what has changed")],
    [["?"], t("Keys")],
  ]);
  element("keys").addEventListener("click", toggleKeys);
  /** @param {string} name */
  const onChosen = (name) => {
    const glass = glassOf(choice.key);
    if (glass) menu.act(name, glass);
  };
  /** @type {Record<string, () => void>} */
  const actions = {
    b: () => scan.focus(),
    j: () => choice.move(1),
    ArrowDown: () => choice.move(1),
    k: () => choice.move(-1),
    ArrowUp: () => choice.move(-1),
    Enter: () => onChosen("scan"),
    f: () => onChosen("stained"),
    r: () => onChosen("rescan"),
    g: () => onChosen("glass"),
    e: () => onChosen("another"),
    "/": () => search.focus(),
    n: showNew,
    "?": toggleKeys,
  };
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Escape" && event.target instanceof HTMLInputElement && !event.target.closest("dialog")) leave(event.target);
      else if (!keyIsTaken(event) && !ownsKey(event)) act(actions[event.key], event);
    },
    { signal },
  );

  /** @param {HTMLInputElement} field */
  function leave(field) {
    if (field === search) {
      search.value = "";
      search.dispatchEvent(new Event("input"));
    }
    field.blur();
  }
}

/** Enter on a link or a button is that element's; so is every key in an open menu. @param {KeyboardEvent} event */
function ownsKey({ key, target }) {
  if (!(target instanceof Element)) return false;
  return target.closest(".menu") !== null || (key === "Enter" && target.closest("a, button") !== null);
}

/** @param {(() => void) | undefined} action @param {KeyboardEvent} event */
function act(action, event) {
  if (!action) return;
  event.preventDefault();
  action();
}
