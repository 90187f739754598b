/** One glass of the case in the microscope's tray: an image to go to, or why there is none. */
import { h, icon } from "./dom.js";
import { glassState } from "./glass_words.js";
import { t } from "./i18n.js";
import { seenSlides } from "./seen.js";
import { associatedAddress, slideAddress } from "./slide_row.js";

/**
 * @param {import("./types_case.js").Glass} glass
 * @param {import("./types_case.js").SlideCase} now
 * @param {Promise<unknown>} free the pictures wait for it
 */
export function trayGlass(glass, now, free) {
  const current = glass.barcode === now.barcode;
  const state = glassState(glass.state);
  const unread = glass.slide_id && !current && !seenSlides().has(glass.slide_id);
  const unseen = t("Not looked at yet");
  const inside = [
    h("span", { class: "tray-picture" }, glass.slide_id ? picture(glass.slide_id, free) : icon("circle-dashed")),
    h("span", { class: "tray-name" }, [glass.stain, glass.block].filter(Boolean).join(" ") || glass.barcode),
    h("span", { class: "tray-state" }, icon(state.icon), state.word),
    unread && h("span", { class: "unread", title: unseen }, h("span", { class: "visually-hidden" }, unseen)),
  ];
  if (!glass.slide_id) {
    const why = [glass.barcode, glass.reason].filter(Boolean).join(" · ");
    return h("div", { class: "tray-glass", title: why }, ...inside);
  }
  return h("a", { href: slideAddress(glass.slide_id), title: glass.barcode, "aria-current": current ? "true" : null }, ...inside);
}

/**
 * @param {string} slideId
 * @param {Promise<unknown>} free
 */
function picture(slideId, free) {
  const image = h("img", { alt: "", decoding: "async" });
  void free.then(() => image.setAttribute("src", associatedAddress(slideId, "thumbnail")));
  return image;
}
