/** Who the patient is: the same words on every screen, so that nobody is taken for another. */
import { h } from "./dom.js";
import { t, tn } from "./i18n.js";

/** @typedef {import("./types_case.js").Patient} Patient */

/** @type {Record<string, string>} */
const SEXES = { female: t("woman"), male: t("man"), f: t("woman"), m: t("man"), k: t("woman") };

/** @param {string} sex */
export function sexWord(sex) {
  return SEXES[sex.toLowerCase()] ?? t("sex not stated");
}

/**
 * A CPR number with its hyphen; replacement numbers as they are.
 * @param {Patient} patient
 */
export function identifierText({ identifier, kind }) {
  return kind === "cpr" ? identifier.replace(/^(\d{6})(\d{4})$/, "$1-$2") : identifier;
}

/** @param {Patient} patient */
export function ageWords({ age }) {
  return age === null || age === undefined ? t("age unknown") : tn("{count} year", "{count} years", age);
}

/**
 * Name, number, age and sex in a row.
 * @param {Patient} patient
 */
export function patientLine(patient) {
  const number = patient.kind === "cpr" ? t("CPR") : t("Replacement number");
  return h(
    "span",
    { class: "patient-line" },
    h("b", { class: "patient-name" }, patient.name),
    h("span", { class: "patient-number", title: number }, h("span", { class: "visually-hidden" }, `${number} `), identifierText(patient)),
    h("span", { class: "patient-age" }, `${ageWords(patient)}, ${sexWord(patient.sex)}`),
  );
}
