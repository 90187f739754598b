/** DICOM objects in quarantine on the ops page: why, how large, from where; nothing of a patient. */
import { h, setContent, stateMark } from "./dom.js";
import { bytes } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { moment } from "./slide_row.js";

/** @typedef {import("./types.js").SetAside} SetAside */

/** @type {Record<string, string>} */
const REASONS = {
  empty: t("It has no bytes."),
  not_dicom: t("It is not DICOM."),
  truncated: t("It ends before its own lengths say."),
  damaged: t("Its structure contradicts itself."),
  too_deep: t("Its sequences are nested too deep."),
  too_large: t("It is larger than anything may be."),
  transfer_syntax: t("Its transfer syntax cannot be kept."),
  no_identity: t("It does not say which object it is."),
  other_object: t("It is another object than was announced."),
  unreadable: t("Its header cannot be read."),
  another_object: t("Another object is kept under the same number."),
  another_series: t("Its series is of another patient or study."),
};

/** @param {SetAside[]} objects */
export function showDicomQuarantine(objects) {
  element("dicom-panel").hidden = objects.length === 0;
  setContent(
    element("dicom-rows"),
    ...objects.map((at) =>
      h(
        "tr",
        {},
        h("td", {}, stateMark({ tone: "attention", icon: "triangle-alert", word: REASONS[at.reason] ?? t("It cannot be taken.") })),
        h("td", {}, at.received_from),
        h("td", {}, moment(at.received_at)),
        h("td", { class: "number" }, bytes(at.bytes)),
        h("td", { class: "uid" }, `${at.sha256.slice(0, 16)}….dcm`),
      ),
    ),
  );
}
