/** An empty list says why it is empty, and what waits elsewhere. */
import { h } from "./dom.js";
import { t, tn } from "./i18n.js";
import { showState } from "./states.js";

/**
 * @param {Element} place
 * @param {import("./cases_tabs.js").CaseTabs} tabs
 * @param {Record<string, number>} counts
 */
export function showEmptyList(place, { name, ended }, counts) {
  if (ended) return showState(place, "archive-restore", t("No answered cases on this list"));
  const more = [];
  if (name === "mine" && (counts.unassigned ?? 0) > 0) more.push(tn("{count} case is nobody's yet", "{count} cases are nobody's yet", counts.unassigned ?? 0));
  if (name !== "asked" && (counts.waiting_in_lab ?? 0) > 0) more.push(tn("{count} waits in the laboratory", "{count} wait in the laboratory", counts.waiting_in_lab ?? 0));
  const words = more.length > 0 ? [h("p", {}, `${more.join(", ")}.`)] : [];
  showState(place, "inbox", TITLES[name] ?? t("No cases"), ...words);
}

/** @type {Record<string, string>} */
const TITLES = {
  mine: t("No cases for you"),
  asked: t("Nobody is waiting for your opinion"),
  unassigned: t("Every case has its pathologist"),
  unit: t("The department has no open cases"),
};
