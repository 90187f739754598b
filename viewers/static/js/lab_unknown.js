/** The inbox of unknown slides: what each is, and a person decides by what is on the glass. */
import { getJson, sendJson } from "./api.js";
import { h, icon, setContent } from "./dom.js";
import { formDialog } from "./form_dialog.js";
import { t } from "./i18n.js";
import { whyUnknown } from "./lab_words.js";
import { element } from "./page.js";
import { refusalReason } from "./refusal_words.js";
import { moment } from "./slide_row.js";

/** @typedef {import("./types_lab.js").UnknownSlide} UnknownSlide */
/** @typedef {import("./lab_acts.js").Acting} Acting */

const SECONDS = [
  { value: "cpr", words: t("CPR number") },
  { value: "accession", words: t("Accession number") },
  { value: "birth_date", words: t("Date of birth") },
  { value: "block", words: t("Block") },
];

/**
 * @param {UnknownSlide[]} unknown
 * @param {() => void} changed
 * @param {AbortSignal} signal
 */
export function showUnknown(unknown, changed, signal) {
  setContent(element("unknown-count"), String(unknown.length));
  const place = element("unknown-list");
  const state = JSON.stringify(unknown);
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  if (unknown.length === 0) place.replaceChildren(h("p", { class: "secondary" }, t("Every image has found its glass.")));
  else place.replaceChildren(h("ul", { class: "cards" }, ...unknown.map((at) => card(at, { changed, signal }))));
}

/** @param {UnknownSlide} at */
function reason(at) {
  return whyUnknown(at.why) ?? refusalReason(at.why);
}

/** @param {UnknownSlide} at @param {"label" | "overview"} name */
function picture(at, name) {
  return `/api/v1/unknown/${encodeURIComponent(at.item_id)}/${name}`;
}

/** @param {UnknownSlide} at @param {Acting} acting */
function card(at, acting) {
  const tone = at.alarm ? "failed" : "attention";
  const label = at.pictures.includes("label") && h("img", { class: "label-thumb", src: picture(at, "label"), alt: t("Label"), loading: "lazy" });
  return h(
    "li",
    { class: at.alarm ? "alarmed" : null },
    h("div", { class: "with-label" }, label, h("div", {}, h("p", { class: `state ${tone}` }, icon(at.alarm ? "shield-alert" : "triangle-alert"), h("span", {}, reason(at))), readLines(at), h("p", { class: "secondary" }, t("arrived"), " ", moment(at.received_at), at.scanner && ` · ${at.scanner}`))),
    h(
      "div",
      { class: "card-acts" },
      h("button", { class: "button small", type: "button", onclick: () => void match(at, acting) }, icon("search"), t("Match …")),
      h("button", { class: "button small quiet", type: "button", onclick: () => void giveBack(at, acting) }, t("Return …")),
    ),
  );
}

/** What was read, and by whom. @param {UnknownSlide} at */
function readLines({ metadata, label, said }) {
  const lines = [
    [t("File"), metadata],
    [t("Label"), label.join(", ")],
    [t("Scanner"), said],
  ].filter(([, code]) => code !== "");
  return h("dl", { class: "read" }, ...lines.flatMap(([word = "", code = ""]) => [h("dt", {}, word), h("dd", { class: "barcode" }, code)]));
}

/** @param {UnknownSlide} at @param {Acting} acting */
async function match(at, { changed, signal }) {
  const alike = h("div", {});
  void showAlike(at, alike, signal);
  const images = at.pictures.map((name) => h("img", { src: picture(at, name), alt: name === "label" ? t("Label") : t("The whole glass") }));
  const done = await formDialog({
    title: t("Which glass is this?"),
    detail: [
      h("figure", { class: "unknown-pictures" }, ...images),
      h("p", { class: `state ${at.alarm ? "failed" : "attention"}` }, icon("triangle-alert"), h("span", {}, reason(at))),
      readLines(at),
      alike,
      h("p", { class: "secondary" }, t("Take the glass in your hand. Read its barcode, and one more thing that is written on it.")),
    ],
    fields: [
      { name: "barcode", label: t("Barcode on the glass") },
      { name: "kind", label: t("And on the label"), kind: "choice", options: SECONDS },
      { name: "value", label: t("As it is written there") },
    ],
    action: t("Match"),
    send: ({ barcode, kind, value }) => sendJson("POST", `/api/v1/unknown/${encodeURIComponent(at.item_id)}/match`, { barcode, second: { kind, value } }, signal),
  });
  if (done) changed();
}

/**
 * Barcodes that look like what was read, as information: none is filled in.
 * @param {UnknownSlide} at
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 */
async function showAlike(at, place, signal) {
  try {
    /** @type {{unknown: UnknownSlide[]}} */
    const { unknown } = await getJson("/api/v1/unknown", signal);
    const alike = unknown.find((one) => one.item_id === at.item_id)?.alike ?? [];
    if (alike.length === 0) return;
    const lines = alike.map((one) => h("li", {}, h("span", { class: "barcode" }, one.barcode), h("span", { class: "secondary" }, [one.stain, one.block, one.accession].filter(Boolean).join(" · "))));
    place.replaceChildren(h("p", { class: "secondary" }, t("Expected glasses whose barcode looks like it. It need not be one of them:")), h("ul", { class: "alike" }, ...lines));
  } catch {
    place.replaceChildren();
  }
}

/** @param {UnknownSlide} at @param {Acting} acting */
async function giveBack(at, { changed, signal }) {
  const done = await formDialog({
    title: t("Return the glass"),
    detail: [h("p", {}, t("The image stays, but belongs to no case. Say why, and where the glass goes."))],
    fields: [{ name: "reason", label: t("Reason") }],
    action: t("Return"),
    send: (answers) => sendJson("POST", `/api/v1/unknown/${encodeURIComponent(at.item_id)}/return`, answers, signal),
  });
  if (done) changed();
}
