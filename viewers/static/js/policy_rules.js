/** The rules of the clocks, and the days a site is closed though the country is not. */
import { h, icon, setContent } from "./dom.js";
import { exactDay } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";

/** @typedef {import("./types_policy.js").Policy} Policy */

const SATURDAY = 5;

/**
 * @param {Policy} policy
 * @param {boolean} may
 * @param {() => void} changed
 */
export function showRules(policy, may, changed) {
  const warn = number(Math.round(100 * policy.warn_share), 1, 100, (value) => (policy.warn_share = value / 100));
  const cutoff = h("input", { type: "number", min: 1, max: 23, step: 1, value: policy.cutoff_hour ?? "", disabled: !may });
  cutoff.addEventListener("change", () => cutoff.reportValidity() && keep(() => (policy.cutoff_hour = cutoff.value === "" ? null : cutoff.valueAsNumber)));
  setContent(
    element("rules"),
    h("label", {}, t("A case is warned of when so much of its time is used:"), warn, "%"),
    h("label", {}, t("What comes at this hour or later counts as come the next working day:"), cutoff, h("small", { class: "secondary" }, t("empty: no such hour"))),
    h("label", {}, check(policy.weekdays.includes(SATURDAY), (on) => (policy.weekdays = on ? [...policy.weekdays, SATURDAY].sort() : policy.weekdays.filter((day) => day !== SATURDAY))), t("Saturday is a working day")),
    h("label", {}, check(policy.exclude_external_consult, (on) => (policy.exclude_external_consult = on)), t("Waiting for an opinion from outside stops the net clock")),
  );

  /**
   * @param {number} value
   * @param {number} min
   * @param {number} max
   * @param {(value: number) => void} set
   */
  function number(value, min, max, set) {
    const input = h("input", { type: "number", min, max, step: 1, value, required: true, disabled: !may });
    input.addEventListener("change", () => input.reportValidity() && keep(() => set(input.valueAsNumber)));
    return input;
  }

  /** @param {boolean} on @param {(on: boolean) => void} set */
  function check(on, set) {
    const input = h("input", { type: "checkbox", checked: on, disabled: !may });
    input.addEventListener("change", () => keep(() => set(input.checked)));
    return input;
  }

  /** @param {() => void} change */
  function keep(change) {
    change();
    changed();
  }
}

/**
 * @param {Policy} policy
 * @param {string[]} sites
 * @param {boolean} may
 * @param {() => void} changed
 */
export function showClosed(policy, sites, may, changed) {
  const known = [...new Set([...sites, ...Object.keys(policy.closing_days)])].sort();
  const parts = known.map((site) => h("div", { class: "closed-site" }, h("h3", {}, site), list(site, policy.closing_days[site] ?? [])));
  const none = h("p", { class: "secondary" }, t("No site is known yet: sites come with the first case."));
  setContent(element("closed"), ...(known.length > 0 ? parts : [none]), may && known.length > 0 && form());

  /** @param {string} site @param {import("./types_policy.js").ClosingDay[]} days */
  function list(site, days) {
    if (days.length === 0) return h("p", { class: "secondary" }, t("Closed on public holidays only"));
    return h("ul", {}, ...days.map((at) => h("li", {}, h("span", {}, `${exactDay(new Date(`${at.day}T12:00:00`))} ${at.day.slice(0, 4)}`), h("span", {}, at.name), may && remove(site, at))));
  }

  /** @param {string} site @param {import("./types_policy.js").ClosingDay} at */
  function remove(site, at) {
    const label = t("Open on {day} after all: {site}", { day: at.day, site });
    return h("button", { class: "button quiet small", type: "button", "aria-label": label, onclick: () => keep(site, (days) => days.filter((day) => day !== at)) }, icon("x"));
  }

  function form() {
    const site = h("select", { name: "site", required: true }, ...known.map((name) => h("option", { value: name }, name)));
    const day = h("input", { type: "date", required: true });
    const name = h("input", { type: "text", maxlength: 80, required: true });
    /** @param {Event} event */
    const submit = (event) => {
      event.preventDefault();
      keep(site.value, (days) => [...days.filter((at) => at.day !== day.value), { day: day.value, name: name.value.trim() }]);
    };
    return h("form", { class: "closed-new", onsubmit: submit }, h("label", {}, t("Site"), site), h("label", {}, t("Day"), day), h("label", {}, t("Why"), name), h("button", { class: "button small", type: "submit" }, t("Closed that day")));
  }

  /**
   * @param {string} site
   * @param {(days: import("./types_policy.js").ClosingDay[]) => import("./types_policy.js").ClosingDay[]} change
   */
  function keep(site, change) {
    const days = change(policy.closing_days[site] ?? []).sort((one, other) => one.day.localeCompare(other.day));
    if (days.length > 0) policy.closing_days[site] = days;
    else delete policy.closing_days[site];
    showClosed(policy, sites, may, changed);
    changed();
  }
}
