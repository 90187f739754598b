/** Over the slide: that a newer scan is there, that this one has just taken over, or was withdrawn. */
import { h, icon } from "./dom.js";
import { exactTime } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { slideAddress } from "./slide_row.js";

/** @typedef {import("./types_case.js").SlideCase} SlideCase */

const DONE = ["available", "archived", "glass_only", "cancelled", "withdrawn"];

/** @type {Set<string>} put away by the reader */
const closed = new Set();

/**
 * @param {SlideCase} now
 * @param {string} slideId
 * @param {string | null} earlier the scan this page took over from
 */
export function showScanNotice(now, slideId, earlier) {
  const glass = now.slides.find((at) => at.barcode === now.barcode);
  const scan = glass?.scans.find((at) => at.slide_id === slideId);
  const newer = glass?.scans.find((at) => at.slide_id === now.current_slide_id);
  const when = newer?.available_at ? exactTime(newer.available_at) : "";
  if (scan?.state === "withdrawn") {
    show("failed", "circle-alert", t("This image has been withdrawn: {reason}. Do not read it.", { reason: scan.reason }), newer && link(newer.slide_id, t("Open the image that counts")));
  } else if (newer && newer.slide_id !== slideId) {
    show("attention", "triangle-alert", t("Replaced: a newer scan of this glass came {time}.", { time: when }), link(newer.slide_id, t("Open the newer scan")));
  } else if (glass?.rescan && !DONE.includes(glass.state)) {
    show("neutral", "refresh-cw", t("A rescan has been asked for. The new scan will take over here by itself."), null, true);
  } else if (earlier) {
    show("done", "circle-check", t("The glass has been scanned again: this is the new scan of {time}, at the same place.", { time: when }), link(earlier, t("See the earlier scan")), true);
  } else place()?.remove();
}

/**
 * @param {string} slideId
 * @param {string} words
 */
function link(slideId, words) {
  return h("a", { href: slideAddress(slideId) }, words);
}

function place() {
  return document.getElementById("scan-notice");
}

/**
 * @param {string} tone
 * @param {string} name
 * @param {string} words
 * @param {Node | null | undefined} more
 * @param {boolean} [closable]
 */
function show(tone, name, words, more, closable = false) {
  const known = place();
  if (closed.has(words) || known?.dataset.words === words) {
    if (closed.has(words)) known?.remove();
    return;
  }
  const close = () => {
    closed.add(words);
    place()?.remove();
  };
  const line = h(
    "div",
    { id: "scan-notice", class: `scan-notice ${tone}`, role: "status", "data-words": words },
    icon(name),
    h("span", {}, words),
    more,
    closable && h("button", { class: "tool", type: "button", "aria-label": t("Close"), onclick: close }, icon("x")),
  );
  known?.remove();
  element("stage").append(line);
}
