/** The honest states of a list: loading, empty, error, no rights. */
import { ApiError } from "./api.js";
import { h, icon } from "./dom.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";

/**
 * @param {Element} place
 * @param {string} iconName
 * @param {string} title
 * @param {...(Node | string)} more
 */
export function showState(place, iconName, title, ...more) {
  place.replaceChildren(
    h("div", { class: "notice-panel" }, icon(iconName), h("h2", {}, title), ...more),
  );
}

/**
 * What, since when, what still works, what to do.
 * @param {Element} place
 * @param {unknown} error
 * @param {string} title
 * @param {() => void} again
 */
export function showError(place, error, title, again) {
  if (error instanceof ApiError && error.status === 403) {
    showState(place, "lock", t("You do not have access here"), h("p", {}, t("An administrator can give you access.")));
    return;
  }
  const cause =
    error instanceof ApiError && error.status > 0
      ? t("The server answered with error {status} at {time}.", { status: error.status, time: exactTime(new Date().toISOString()) })
      : t("The server has not answered since {time}.", { time: exactTime(new Date().toISOString()) });
  showState(
    place,
    "circle-alert",
    title,
    h("p", {}, cause),
    h("p", { class: "secondary" }, t("Slides that are already open can still be read from what has been loaded.")),
    h("button", { class: "button", type: "button", onclick: again }, icon("refresh-cw"), t("Try again")),
  );
}

/**
 * Grey rows the size of the real ones.
 * @param {Element} body a table body
 * @param {number} rows
 * @param {number} columns
 */
export function showSkeleton(body, rows, columns) {
  body.replaceChildren(
    ...Array.from({ length: rows }, () =>
      h(
        "tr",
        { class: "skeleton", "aria-hidden": "true" },
        ...Array.from({ length: columns }, () => h("td", {}, h("span", {}))),
      ),
    ),
  );
}
