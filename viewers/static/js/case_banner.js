/** Whose case this is, always in sight; the one thing to do next stands at its right. */
import { stateMark, h, icon } from "./dom.js";
import { CASE_STATES, priorityMark } from "./case_words.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { patientLine } from "./patient.js";
import { timeLeft } from "./time_left.js";

/** @typedef {import("./types_case.js").Case} Case */
/** @typedef {{word: string, key: string, icon: string, act: () => void}} Primary */

const CHANNEL = "svartid-open-case";

/** @param {Case} now */
export function showPatient(now) {
  document.title = `${now.accession} – svartid`;
  element("patient-who").replaceChildren(
    patientLine(now.patient),
    h("span", { class: "patient-case" }, h("b", { class: "accession" }, now.accession), priorityMark(now.priority), stateMark(CASE_STATES[now.state]), timeLeft(now)),
  );
}

/**
 * One primary action at a time; it stays where it is while its words change.
 * @param {Primary | null} primary
 * @param {Node} more the menu beside it
 */
export function showPrimary(primary, more) {
  const place = element("patient-acts");
  const known = place.querySelector("#primary");
  const key = primary ? `${primary.word}|${primary.key}` : "";
  if (known?.getAttribute("data-shown") === key) return;
  const focused = known !== null && known === document.activeElement;
  const button = h(
    "button",
    { class: "button primary", id: "primary", type: "button", "data-shown": key, hidden: primary === null, onclick: () => primary?.act() },
    primary && icon(primary.icon),
    h("span", {}, primary?.word ?? ""),
    primary && h("kbd", {}, primary.key),
  );
  if (known) known.replaceWith(button);
  else place.replaceChildren(button, more);
  if (focused) button.focus();
}

/**
 * Windows with other cases are named, so that none is mistaken for the other.
 * @param {string} accession
 * @param {AbortSignal} signal
 */
export function watchOtherWindows(accession, signal) {
  const channel = new BroadcastChannel(CHANNEL);
  /** @type {Map<string, string>} */
  const others = new Map();
  const self = crypto.randomUUID?.() ?? String(Math.random());
  const place = h("p", { class: "other-windows", role: "status", hidden: true });
  element("patient").append(place);
  const show = () => {
    const named = [...new Set(others.values())].filter((at) => at !== accession).sort();
    place.hidden = named.length === 0;
    place.replaceChildren(icon("info"), t("Also open in another window: {cases}", { cases: named.join(", ") }));
  };
  channel.addEventListener("message", ({ data }) => {
    if (data.left) others.delete(data.self);
    else others.set(data.self, data.accession);
    if (data.hello) channel.postMessage({ self, accession });
    show();
  });
  channel.postMessage({ self, accession, hello: true });
  signal.addEventListener("abort", () => {
    channel.postMessage({ self, left: true });
    channel.close();
  });
}
