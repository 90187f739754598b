/** Rarer acts, in one menu: priority, pause, handing over, giving back, calling off, print. */
import { h, icon } from "./dom.js";
import { formDialog } from "./form_dialog.js";
import { t } from "./i18n.js";
import { pauseClock } from "./case_flags.js";
import { colleagueOptions } from "./case_opinions.js";
import { PRIORITIES } from "./case_words.js";

/** @typedef {import("./case_store.js").CaseStore} CaseStore */

const REASON = { name: "reason", label: t("Reason") };

/**
 * @param {CaseStore} store
 * @param {() => void} showKeys
 */
export function moreMenu(store, showKeys) {
  const list = h("div", { id: "more-list", popover: "auto", role: "menu", class: "menu" });
  list.addEventListener("beforetoggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === "open") list.replaceChildren(...entries(store, showKeys, list));
  });
  list.addEventListener("toggle", () => list.matches(":popover-open") && first(list)?.focus());
  list.addEventListener("keydown", (event) => step(list, event));
  const button = h("button", { class: "button", type: "button", id: "more", popovertarget: "more-list", "aria-haspopup": "menu" }, h("span", {}, t("More")), h("kbd", {}, "g"));
  return h("span", { class: "more" }, button, list);
}

/**
 * @param {CaseStore} store
 * @param {() => void} showKeys
 * @param {HTMLElement} list
 */
function entries(store, showKeys, list) {
  const { now } = store;
  const open = !["cancelled", "rejected"].includes(now.state);
  const unsigned = open && now.reports.length === 0;
  /** @type {[boolean, string, string, () => unknown][]} */
  const all = [
    [unsigned && (now.may.enter || now.may.assign), "circle-alert", t("Change the priority"), () => changePriority(store)],
    [unsigned && now.may.report, "clock", t("Pause the net clock"), () => pauseClock(store)],
    [open && now.responsible, "external-link", t("Hand over"), () => handOver(store, "hand-over", t("Hand over"))],
    [open && !now.responsible && now.may.assign, "external-link", t("Assign"), () => handOver(store, "assign", t("Assign"))],
    [open && now.responsible, "archive-restore", t("Give back to the department's list"), () => release(store)],
    [unsigned && now.may.enter, "circle-x", t("Cancel the case"), () => cancel(store)],
    [true, "list", t("Print"), () => window.print()],
    [true, "keyboard", t("Keys"), showKeys],
  ];
  return all
    .filter(([shown]) => shown)
    .map(([, name, words, act]) =>
      h("button", { class: "menu-entry", type: "button", role: "menuitem", tabindex: "-1", onclick: () => (list.hidePopover(), void act()) }, icon(name), words),
    );
}

/** @param {HTMLElement} list */
function first(list) {
  const entry = list.querySelector(".menu-entry");
  return entry instanceof HTMLElement ? entry : null;
}

/**
 * @param {HTMLElement} list
 * @param {KeyboardEvent} event
 */
function step(list, event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const all = [...list.querySelectorAll(".menu-entry")];
  const next = all[(all.indexOf(/** @type {Element} */ (document.activeElement)) + by + all.length) % all.length];
  if (next instanceof HTMLElement) next.focus();
}

/** @param {CaseStore} store */
function changePriority(store) {
  const options = Object.entries(PRIORITIES).map(([value, { word }]) => ({ value, words: word }));
  return formDialog({
    title: t("Change the priority"),
    fields: [{ name: "priority", label: t("Priority"), kind: "choice", value: store.now.priority, options }, REASON],
    action: t("Change"),
    send: (said) => store.act("priority", said),
  });
}

/**
 * @param {CaseStore} store
 * @param {"hand-over" | "assign"} path
 * @param {string} title
 */
async function handOver(store, path, title) {
  const options = await colleagueOptions(store).catch(() => []);
  return formDialog({
    title,
    detail: [h("p", {}, t("The case, its draft and its questions go along."))],
    fields: [{ name: "to", label: t("To"), kind: "choice", options: options.filter(({ value }) => value !== store.now.assignee) }, REASON],
    action: title,
    send: (said) => store.act(path, said),
  });
}

/** @param {CaseStore} store */
function release(store) {
  return formDialog({ title: t("Give back to the department's list"), fields: [REASON], action: t("Give back"), send: (said) => store.act("release", said) });
}

/** @param {CaseStore} store */
function cancel(store) {
  const detail = [h("p", {}, t("No answer will be given. What waits in the laboratory is called off. The case stays readable."))];
  return formDialog({ title: t("Cancel the case"), detail, fields: [REASON], action: t("Cancel the case"), final: true, send: (said) => store.act("cancel", said) });
}
