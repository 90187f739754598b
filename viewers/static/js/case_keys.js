/** The keys of the case's page: all that the mouse can do, and nothing that moves by itself. */
import { t } from "./i18n.js";
import { askColleague, mayAsk } from "./case_opinions.js";
import { mayOrder, orderMore } from "./case_orders.js";
import { mayFlag, raiseFlag } from "./case_flags.js";
import { stepGlass } from "./case_glasses.js";
import { beginReading, nextCase, openCase } from "./case_primary.js";
import { mayWriteEarly, sendPreliminary } from "./case_way.js";
import { keyIsTaken, keysDialog } from "./keys_dialog.js";
import { element } from "./page.js";
import { refusalWords } from "./refusal_words.js";

/** @typedef {import("./case_store.js").CaseStore} CaseStore */

/** @returns {() => void} */
export function keysOfCase() {
  return keysDialog([
    [["o"], t("Open the first slide, the newest unread first")],
    [["[", "]"], t("Previous, next glass")],
    [["Enter"], t("Open the chosen glass")],
    [["a"], t("Take the case, or accept and answer a question")],
    [["w"], t("Write the report")],
    [["Ctrl+Enter"], t("Sign")],
    [["p"], t("Preliminary report")],
    [["b"], t("Order additional work")],
    [["k"], t("Ask a colleague")],
    [["m"], t("Raise a flag")],
    [["g"], t("More: priority, pause, hand over, cancel, print")],
    [["n"], t("Next case")],
    [["Esc"], t("Leave the field, then back to the list")],
    [["?"], t("Keys")],
  ]);
}

/**
 * @param {CaseStore} store
 * @param {import("./case_report.js").ReportEditor} editor
 * @param {{showKeys: () => void, complain: (words: string) => void}} page
 */
export function startCaseKeys(store, editor, { showKeys, complain }) {
  const tell = (/** @type {Promise<unknown>} */ doing) => void doing.catch((error) => complain(refusalWords(error)));
  const write = async () => {
    await openCase(store);
    if (editor.kind !== null) editor.focus();
    else if (store.now.reports.some((at) => at.distributed_at) && store.now.responsible) editor.focus("supplementary");
  };
  const primary = () => element("primary").hidden || element("primary").click();
  /** @type {Record<string, () => void>} */
  const actions = {
    o: () => tell(beginReading(store)),
    "[": () => stepGlass(-1),
    "]": () => stepGlass(1),
    a: () => element("primary").querySelector("kbd")?.textContent === "a" && primary(),
    w: () => tell(write()),
    p: () => mayWriteEarly(store) && void sendPreliminary(store),
    b: () => mayOrder(store) && void orderMore(store),
    k: () => mayAsk(store.now) && void askColleague(store),
    m: () => mayFlag(store) && void raiseFlag(store),
    g: () => element("more").click(),
    n: () => tell(nextCase(store)),
    "?": showKeys,
    Escape: () => location.assign("/cases"),
  };
  document.addEventListener(
    "keydown",
    (event) => {
      if (store.case === null && event.key !== "Escape") return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return sign(event);
      if (event.key === "Escape" && leaveField(event)) return;
      const action = actions[event.key];
      if (!action || keyIsTaken(event) || inMenu(event)) return;
      event.preventDefault();
      action();
    },
    { signal: store.signal },
  );

  /** @param {KeyboardEvent} event */
  function sign(event) {
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    tell(editor.sign());
  }
}

/** From a field to the part it stands in: then keys are the page's again. @param {KeyboardEvent} event */
function leaveField(event) {
  const { target } = event;
  if (!(target instanceof HTMLElement) || target.closest("dialog")) return false;
  if (!target.matches("input, textarea, select")) return false;
  const part = target.closest(".part");
  if (part instanceof HTMLElement) part.focus();
  else target.blur();
  return true;
}

/** @param {KeyboardEvent} event */
function inMenu(event) {
  return event.target instanceof Element && event.target.closest(":popover-open") !== null;
}
