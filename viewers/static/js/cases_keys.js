/** The keys of the list of cases. */
import { t } from "./i18n.js";
import { keyIsTaken, keysDialog } from "./keys_dialog.js";
import { element } from "./page.js";

/** @typedef {{search: HTMLInputElement, choice: import("./worklist_keys.js").RowChoice, next: () => void, claim: () => void, tab: (number: number) => void, showNew: () => void, enter: HTMLAnchorElement | null, mayClaim: boolean}} Acts */

/**
 * @param {Acts} acts
 * @param {AbortSignal} signal
 */
export function casesKeys({ search, choice, next, claim, tab, showNew, enter, mayClaim }, signal) {
  const toggleKeys = keysDialog([
    [["j", "↓"], t("Next line")],
    [["k", "↑"], t("Previous line")],
    [["Enter"], t("Open the chosen case")],
    [["n"], t("Open the next case to read")],
    ...(mayClaim ? [/** @type {import("./keys_dialog.js").KeyLine} */ ([["c"], t("Take the chosen case")])] : []),
    [["1", "4"], t("Change list")],
    [["v"], t("Show what is new")],
    [["/"], t("Search")],
    [["Esc"], t("Clear the search")],
    ...(enter ? [/** @type {import("./keys_dialog.js").KeyLine} */ ([["o"], t("Enter a case")])] : []),
    [["?"], t("Keys")],
  ]);
  element("keys").addEventListener("click", toggleKeys);
  /** @type {Record<string, (() => void) | undefined>} */
  const actions = {
    j: () => choice.move(1),
    ArrowDown: () => choice.move(1),
    k: () => choice.move(-1),
    ArrowUp: () => choice.move(-1),
    Enter: () => choice.open(),
    n: next,
    c: mayClaim ? claim : undefined,
    v: showNew,
    o: enter ? () => enter.click() : undefined,
    "/": () => search.focus(),
    "?": toggleKeys,
    ...Object.fromEntries([1, 2, 3, 4].map((at) => [String(at), () => tab(at)])),
  };
  document.addEventListener("keydown", (event) => {
    if (event.target === search) searchKey(event);
    else if (!keyIsTaken(event) && !ownsEnter(event)) act(actions[event.key], event);
  }, { signal });

  /** @param {KeyboardEvent} event */
  function searchKey(event) {
    if (["Enter", "ArrowDown", "ArrowUp"].includes(event.key)) act(actions[event.key], event);
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
