/** What the checks ask the laboratory to look at: the image, why, and what can be done about it. */
import { getJson } from "./api.js";
import { priorityMark } from "./case_words.js";
import { h, icon, setContent, stateMark } from "./dom.js";
import { RESCAN_REASONS } from "./glass_words.js";
import { t } from "./i18n.js";
import { aboutGlass, rescan } from "./lab_acts.js";
import { element } from "./page.js";
import { identifierText } from "./patient.js";
import { reject, release } from "./quality_acts.js";
import { askWords } from "./quality_figures.js";
import { QUALITY_STATES } from "./quality_words.js";
import { refusalWords } from "./refusal_words.js";
import { associatedAddress, moment, slideAddress } from "./slide_row.js";

/** @typedef {import("./types_quality.js").Asked} Asked */
/** @typedef {import("./lab_acts.js").Acting} Acting */

/**
 * @param {() => void} changed
 * @param {AbortSignal} signal
 * @returns {Promise<number>} how many there are
 */
export async function showAsked(changed, signal) {
  const place = element("quality-list");
  try {
    /** @type {{asked: Asked[]}} */
    const { asked } = await getJson("/api/v1/lab/quality", signal);
    setContent(element("quality-count"), String(asked.length));
    const state = JSON.stringify(asked);
    if (place.dataset.state === state) return asked.length;
    place.dataset.state = state;
    if (asked.length === 0) place.replaceChildren(h("p", { class: "secondary" }, t("The checks ask for nothing.")));
    else place.replaceChildren(h("ul", { class: "cards" }, ...asked.map((at) => card(at, { changed, signal }))));
    return asked.length;
  } catch (error) {
    if (!signal.aborted && !place.dataset.state) place.replaceChildren(h("p", { class: "state failed" }, icon("circle-alert"), h("span", {}, refusalWords(error))));
    return 0;
  }
}

/** Why, in sentences. @param {Asked} at */
function reasons({ reasons: found }) {
  return found.map(({ check, reason, figures }) => askWords(check, reason, figures));
}

/** @param {Asked} at @param {Acting} acting */
function card(at, acting) {
  const open = t("Open the slide {barcode}", { barcode: at.barcode });
  return h(
    "li",
    { "data-slide": at.slide_id },
    h(
      "div",
      { class: "with-label" },
      h("a", { href: slideAddress(at.slide_id), "aria-label": open, title: open }, h("img", { class: "label-thumb", src: associatedAddress(at.slide_id, "thumbnail"), alt: "", loading: "lazy" })),
      h(
        "div",
        {},
        stateMark(QUALITY_STATES[at.state]),
        h("ul", { class: "quality-reasons" }, ...reasons(at).map((line) => h("li", {}, line))),
        h("p", { class: "secondary" }, h("b", { class: "barcode" }, at.barcode), " ", [at.stain, at.block && t("block {block}", { block: at.block })].filter(Boolean).join(" · ")),
        h("p", { class: "secondary" }, h("a", { href: `/cases/${encodeURIComponent(at.accession)}` }, at.accession), ` · ${identifierText(at.patient)} · ${at.patient.name} `, at.priority !== "routine" && priorityMark(at.priority)),
        h("p", { class: "secondary" }, t("checked"), " ", moment(at.at)),
      ),
    ),
    h(
      "div",
      { class: "card-acts" },
      h("button", { class: "button small", type: "button", "data-act": "rescan", onclick: () => void again(at, acting) }, icon("refresh-cw"), t("Scan again …")),
      h("button", { class: "button small quiet", type: "button", "data-act": "release", onclick: () => void enough(at, acting) }, icon("check"), t("Release …")),
    ),
  );
}

/** @param {Asked} at @param {Acting} acting */
async function again(at, { changed, signal }) {
  const { reason, region } = at.suggestion;
  const asked = { reason, region, note: reasons(at).join("; "), picture: associatedAddress(at.slide_id, "thumbnail") };
  const done = await rescan({ ...at, region }, { changed: () => {}, signal }, asked);
  if (!done) return;
  await reject(at, t("Scan again: {reason}", { reason: RESCAN_REASONS[reason] ?? reason }), signal);
  changed();
}

/** @param {Asked} at @param {Acting} acting */
async function enough(at, { changed, signal }) {
  const why = h("ul", { class: "quality-reasons" }, ...reasons(at).map((line) => h("li", {}, line)));
  if (await release(at, [aboutGlass(at), why], signal)) changed();
}
