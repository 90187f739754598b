/** What a number says while it is typed: age and sex to compare, a warning, or why it is none. */
import { ApiError, sendJson } from "./api.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { ageWords, sexWord } from "./patient.js";

const PAUSE_MS = 300;
const SHORTEST = 6;

/** @type {Record<string, string>} */
const WARNINGS = {
  cpr_modulus_11: t("The number fails the check digit (modulus 11). Such numbers exist, but look once more."),
  cpr_modulus_11_first_of_january: t("The number fails the check digit, as many do of those born on 1 January."),
  birth_date_differs: t("The date of birth differs from that of the CPR number."),
};

/** @type {Record<string, string>} */
const FAULTS = {
  identifier_shape: t("That is no such number: a CPR number has ten digits, a replacement number up to ten letters and digits."),
  identifier_date: t("The first six digits are no date."),
};

/** @param {string} code */
export function warningWords(code) {
  return WARNINGS[code] ?? code;
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 */
export function watchIdentifier(form, place, signal) {
  const input = /** @type {HTMLInputElement} */ (form.elements.namedItem("identifier"));
  const kind = /** @type {HTMLSelectElement} */ (form.elements.namedItem("kind"));
  const born = form.querySelector("#born");
  let timer = 0;

  const forget = () => {
    window.clearTimeout(timer);
    place.replaceChildren();
    input.removeAttribute("aria-invalid");
    if (born instanceof HTMLElement) born.hidden = kind.value === "cpr";
  };
  const ask = async () => {
    const typed = input.value.trim();
    if (typed === "") return;
    try {
      const told = await sendJson("POST", "/api/v1/cases/identifier", { identifier: typed, kind: kind.value }, signal);
      if (input.value.trim() === typed) say(told);
    } catch (error) {
      const known = error instanceof ApiError && FAULTS[error.reason];
      if (signal.aborted || !known || input.value.trim() !== typed) return;
      input.setAttribute("aria-invalid", "true");
      place.replaceChildren(line("failed", "circle-x", known));
    }
  };
  /** @param {{warnings: string[], age: number | null, sex: string, birth_date: string | null, identifier: string, kind: string}} told */
  const say = (told) => {
    input.removeAttribute("aria-invalid");
    const who = told.kind === "cpr" ? [line("done", "circle-check", `${ageWords(/** @type {any} */ (told))}, ${sexWord(told.sex)}`)] : [line("done", "circle-check", t("A replacement number"))];
    place.replaceChildren(...who, ...told.warnings.map((code) => line("attention", "triangle-alert", warningWords(code))));
  };
  const changed = () => {
    forget();
    const digits = input.value.replace(/\D/g, "").length;
    if (input.value.trim().length >= SHORTEST) timer = window.setTimeout(() => void ask(), digits >= 10 ? 0 : PAUSE_MS * 3);
  };
  input.addEventListener("input", changed);
  input.addEventListener("blur", () => void ask());
  kind.addEventListener("change", changed);
  return { forget };
}

/**
 * @param {string} tone
 * @param {string} name
 * @param {string} words
 */
function line(tone, name, words) {
  return h("span", { class: `state ${tone}` }, icon(name), h("span", {}, words));
}
