/** Series without pictures: a report is read here, a document is fetched, others are named. */
import { h, icon } from "./dom.js";
import { t, tn } from "./i18n.js";
import { isReport, reportView } from "./imaging_report.js";
import { text } from "./imaging_tags.js";
import { modalityWord, withoutPictureWords } from "./imaging_words.js";
import { element } from "./page.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 * @typedef {import("./imaging_read.js").StudyReader} StudyReader
 */

const PDF = "application/pdf";
/** @type {string[]} addresses of documents that were fetched, given up with the next series */
let held = [];

/** Puts away what a series without pictures showed. */
export function clearObjects() {
  element("objects").hidden = true;
  element("objects").replaceChildren();
  for (const address of held) URL.revokeObjectURL(address);
  held = [];
}

/**
 * @param {Dataset[]} instances of a series in which nothing is a picture
 * @param {string} modality
 * @param {StudyReader} reader
 */
export function showObjects(instances, modality, reader) {
  const place = element("objects");
  place.hidden = false;
  const shown = instances.filter((at) => isReport(at) || isDocument(at));
  const others = instances.length - shown.length;
  place.replaceChildren(...shown.map((at) => (isReport(at) ? reportView(at) : documentView(at, reader))));
  if (others > 0 || instances.length === 0) place.append(otherView(modality, others));
}

/** @param {Dataset} dataset */
function isDocument(dataset) {
  return dataset["00420011"] !== undefined;
}

/** @param {string} modality @param {number} count */
function otherView(modality, count) {
  return h(
    "article",
    { class: "report" },
    h("h2", {}, modalityWord(modality)),
    h("p", {}, withoutPictureWords(modality)),
    h("p", { class: "secondary" }, tn("{count} object", "{count} objects", count)),
  );
}

/**
 * @param {Dataset} dataset
 * @param {StudyReader} reader
 */
function documentView(dataset, reader) {
  const title = text(dataset, "00420010") || t("Document");
  const kind = text(dataset, "00420012").toLowerCase();
  const article = h("article", { class: "report" }, h("h2", {}, title));
  if (kind !== PDF) {
    article.append(h("p", {}, t("A document of a kind that is not opened here. It is kept as it came.")));
    return article;
  }
  const place = h("p", {});
  const fetchIt = h("button", { class: "button", type: "button", onclick: () => void fetchDocument(dataset, title, place, reader) }, icon("download"), t("Fetch the document (PDF)"));
  place.append(fetchIt);
  article.append(h("p", {}, t("It opens in the program this machine has for PDF.")), place);
  return article;
}

/**
 * Handed on as a file: what is in a stranger's PDF never runs on this page.
 * @param {Dataset} dataset
 * @param {string} title
 * @param {HTMLElement} place
 * @param {StudyReader} reader
 */
async function fetchDocument(dataset, title, place, reader) {
  try {
    const bytes = await reader.bytes(dataset["00420011"]);
    if (!bytes) throw new Error("empty");
    const address = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: PDF }));
    held.push(address);
    const link = h("a", { class: "button", href: address, download: `${title.replaceAll(/[^\p{L}\p{N} _-]/gu, "_").slice(0, 80)}.pdf` }, icon("download"), t("Save the document (PDF)"));
    place.replaceChildren(link);
    link.click();
    link.focus();
  } catch {
    place.replaceChildren(h("span", { class: "state failed" }, icon("circle-alert"), h("span", {}, t("The document could not be fetched"))));
  }
}
