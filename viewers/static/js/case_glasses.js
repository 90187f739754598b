/** The tray: every glass of the case, readable or not, and what has come since. */
import { h, icon, stateMark } from "./dom.js";
import { exactTime } from "./format.js";
import { RESCAN_REASONS, glassState } from "./glass_words.js";
import { t, tn } from "./i18n.js";
import { element, role } from "./page.js";
import { seenSlides } from "./seen.js";
import { associatedAddress, slideAddress } from "./slide_row.js";

/** @typedef {import("./types_case.js").Case} Case */
/** @typedef {import("./types_case.js").Glass} Glass */

/** Secretaries see the glasses, not the images. */
const READS = role !== "secretary";

let shown = "";

/** @param {Case} now */
export function showGlasses(now) {
  const key = JSON.stringify([now.slides, now.opened_at, [...seenSlides()]]);
  if (shown === key) return;
  shown = key;
  const place = element("glasses");
  const focused = document.activeElement?.getAttribute("data-barcode");
  const readable = now.slides.filter((glass) => glass.slide_id).length;
  place.hidden = false;
  place.replaceChildren(
    h("h2", {}, tn("{count} glass", "{count} glasses", now.slides.length), now.slides.length > readable && h("small", {}, " · ", t("{count} as image", { count: readable }))),
    ...(now.slides.length === 0 ? [h("p", { class: "secondary" }, t("No glass is expected yet."))] : now.slides.map((glass) => glassLine(glass, now))),
  );
  if (focused) focusGlass(focused);
}

/**
 * A glass whose image came after the case was opened and has not been looked at here.
 * @param {Glass} glass
 * @param {string | null} openedAt
 */
export function isNew(glass, openedAt) {
  const scan = glass.scans.find((at) => at.slide_id === glass.slide_id);
  return Boolean(openedAt && scan?.available_at && scan.available_at > openedAt && !seenSlides().has(scan.slide_id));
}

/** @param {Pick<Glass, "part" | "block" | "stain">} glass */
export function glassName({ part, block, stain }) {
  const where = block && part && !block.startsWith(part) ? `${part} ${block}` : block || part;
  return { where: where || t("No block"), stain: stain || t("No stain") };
}

/**
 * @param {Glass} glass
 * @param {Case} now
 */
function glassLine(glass, now) {
  const { where, stain } = glassName(glass);
  const inside = [
    h("span", { class: "glass-picture" }, picture(glass)),
    h(
      "span",
      { class: "glass-words" },
      h("b", {}, stain, h("span", { class: "secondary" }, ` ${where}`)),
      stateMark(glassState(glass.state)),
      h("small", {}, detail(glass, now.accession)),
    ),
    isNew(glass, now.opened_at) && h("span", { class: "new-mark" }, t("new")),
  ];
  const common = { class: "glass", "data-barcode": glass.barcode, title: glass.barcode };
  if (glass.slide_id && READS) return h("a", { ...common, href: slideAddress(glass.slide_id) }, ...inside);
  return h("div", { ...common, tabindex: "-1" }, ...inside);
}

/**
 * The barcode without the accession number, which stands above: what differs comes first.
 * @param {Glass} glass
 * @param {string} accession
 */
function detail(glass, accession) {
  const own = glass.barcode.startsWith(accession) ? glass.barcode.slice(accession.length).replace(/^\W+/, "") : "";
  const words = [own || glass.barcode];
  const scan = glass.scans.find((at) => at.slide_id === glass.slide_id);
  if (scan && glass.scans.length > 1) words.push(t("scan {number} of {count}", { number: scan.number, count: glass.scans.length }));
  if (glass.rescan && glass.state === "rescan") words.push(RESCAN_REASONS[glass.rescan] ?? "");
  else if (!scan && glass.reason) words.push(glass.reason);
  else if (scan?.available_at && glass.scans.length > 1) words.push(exactTime(scan.available_at));
  return words.join(" · ");
}

/** @param {Glass} glass */
function picture(glass) {
  if (!glass.slide_id || !READS) return icon(glass.state === "glass_only" ? "lock" : "circle-dashed");
  const image = h("img", { alt: "", loading: "lazy", decoding: "async", src: associatedAddress(glass.slide_id, "thumbnail") });
  image.addEventListener("error", () => image.replaceWith(icon("circle-dashed")), { once: true });
  return image;
}

/** @returns {HTMLElement[]} */
function lines() {
  return [...element("glasses").querySelectorAll("[data-barcode]")].filter((at) => at instanceof HTMLElement);
}

/** @param {string} barcode */
function focusGlass(barcode) {
  lines().find((at) => at.dataset.barcode === barcode)?.focus({ preventScroll: true });
}

/** @param {number} step along the tray, from the glass in focus */
export function stepGlass(step) {
  const all = lines();
  const at = all.findIndex((line) => line === document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
  all[next]?.focus();
  all[next]?.scrollIntoView({ block: "nearest" });
}

/** The address of the first image, the newest unread one first. @param {Case} now */
export function firstSlide(now) {
  const images = READS ? now.slides.filter((glass) => glass.slide_id) : [];
  const first = images.find((glass) => isNew(glass, now.opened_at)) ?? images[0];
  return first?.slide_id ? slideAddress(first.slide_id) : null;
}
