/** The chosen row, and the keys that move it. */
import { t } from "./i18n.js";
import { keyIsTaken, keysDialog } from "./keys_dialog.js";
import { element } from "./page.js";

/** The row that Enter opens. It follows the keyboard and a click, never a live change. */
export class RowChoice {
  /**
   * @param {HTMLElement} list
   * @param {(key: string | undefined) => void} chosen
   */
  constructor(list, chosen) {
    this.list = list;
    this.chosen = chosen;
    /** @type {string | undefined} */
    this.key = undefined;
    list.addEventListener("click", (event) => this.#clicked(event));
    list.addEventListener("dblclick", (event) => this.open(rowOf(event)));
  }

  rows() {
    return [...this.list.querySelectorAll("tr[data-key]")].filter((row) => row instanceof HTMLTableRowElement);
  }

  /** After a change: the same row stays chosen; without one the first is. */
  keep() {
    const rows = this.rows().filter((row) => row.dataset.href);
    const row = rows.find((each) => each.dataset.key === this.key) ?? rows[0];
    this.choose(row, false);
  }

  /**
   * @param {HTMLTableRowElement | undefined} row
   * @param {boolean} reveal scroll to it
   */
  choose(row, reveal) {
    for (const other of this.list.querySelectorAll("tr[aria-selected]")) {
      if (other !== row) other.removeAttribute("aria-selected");
    }
    row?.setAttribute("aria-selected", "true");
    if (reveal) row?.scrollIntoView({ block: "nearest" });
    this.key = row?.dataset.key;
    this.chosen(this.key);
  }

  /** @param {number} step */
  move(step) {
    const rows = this.rows();
    const at = rows.findIndex((row) => row.dataset.key === this.key);
    this.choose(rows[Math.min(rows.length - 1, Math.max(0, at + step))], true);
  }

  /** @param {HTMLTableRowElement | undefined} [row] */
  open(row = this.rows().find((each) => each.dataset.key === this.key)) {
    if (row?.dataset.href) location.assign(row.dataset.href);
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const row = rowOf(event);
    if (row && event.target instanceof Element && !event.target.closest("a")) this.choose(row, false);
  }
}

/** @param {Event} event */
function rowOf(event) {
  const row = event.target instanceof Element ? event.target.closest("tr[data-key]") : null;
  return row instanceof HTMLTableRowElement ? row : undefined;
}

/**
 * @param {HTMLInputElement} search
 * @param {RowChoice} choice
 * @param {() => void} showNew
 * @param {AbortSignal} signal
 */
export function worklistKeys(search, choice, showNew, signal) {
  const toggleKeys = keysDialog([
    [["j", "↓"], t("Next slide")],
    [["k", "↑"], t("Previous slide")],
    [["Enter"], t("Open the chosen slide")],
    [["/"], t("Search")],
    [["Esc"], t("Clear the search")],
    [["n"], t("Show new slides")],
    [["?"], t("Keys")],
  ]);
  element("keys").addEventListener("click", toggleKeys);
  /** @type {Record<string, () => void>} */
  const actions = {
    j: () => choice.move(1),
    ArrowDown: () => choice.move(1),
    k: () => choice.move(-1),
    ArrowUp: () => choice.move(-1),
    Enter: () => choice.open(),
    "/": () => search.focus(),
    n: showNew,
    "?": toggleKeys,
  };
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.target === search) searchKey(event);
      else if (!keyIsTaken(event) && !ownsEnter(event)) act(actions[event.key], event);
    },
    { signal },
  );

  /** @param {KeyboardEvent} event */
  function searchKey(event) {
    if (event.key === "Enter") act(actions.Enter, event);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") act(actions[event.key], event);
    else if (event.key === "Escape") {
      search.value = "";
      search.dispatchEvent(new Event("input"));
      search.blur();
    }
  }
}

/** Enter on a link or a button is that element's. @param {KeyboardEvent} event */
function ownsEnter(event) {
  return event.key === "Enter" && event.target instanceof Element && Boolean(event.target.closest("a, button"));
}

/**
 * @param {(() => void) | undefined} action
 * @param {KeyboardEvent} event
 */
function act(action, event) {
  if (!action) return;
  event.preventDefault();
  action();
}
