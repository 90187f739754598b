/** Bottom right: the label, the whole glass, and the navigator with the field's frame. */
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { associatedAddress } from "./slide_row.js";

const NAVIGATOR_WIDTH_PX = 232;
const NAVIGATOR_LEAST_PX = 72;
const NAVIGATOR_MOST_PX = 220;

/**
 * Size the navigator to the slide before OpenSeadragon measures it.
 * @param {import("./types.js").Slide} slide
 */
export function prepareNavigator(slide) {
  const navigator = element("navigator");
  const height = (NAVIGATOR_WIDTH_PX * slide.height) / slide.width;
  navigator.style.width = `${NAVIGATOR_WIDTH_PX}px`;
  navigator.style.height = `${Math.round(Math.min(NAVIGATOR_MOST_PX, Math.max(NAVIGATOR_LEAST_PX, height)))}px`;
  return navigator;
}

/**
 * The label at once, since it says whose slide this is; the glass when the line is free.
 * @param {import("./types.js").Slide} slide
 * @param {Promise<unknown>} free
 */
export function showGlass(slide, free) {
  const label = element("label");
  const macro = element("macro");
  if (slide.associated.includes("label")) {
    const address = associatedAddress(slide.slide_id, "label");
    label.replaceChildren(
      h("button", { type: "button", class: "label-picture", "aria-label": t("Label, enlarged") }, h("img", { src: address, alt: t("Label") })),
      h("img", { class: "label-large", src: address, alt: "" }),
    );
  } else {
    label.replaceChildren(h("p", { class: "secondary" }, t("The file holds no picture of the label.")));
  }
  macro.hidden = !slide.associated.includes("overview");
  if (!macro.hidden) {
    const picture = h("img", { alt: t("The whole glass") });
    void free.then(() => picture.setAttribute("src", associatedAddress(slide.slide_id, "overview")));
    macro.replaceChildren(picture);
  }
}

export function toggleOverview() {
  const panel = element("overview");
  const hidden = panel.classList.toggle("folded");
  element("overview-toggle").setAttribute("aria-pressed", String(!hidden));
}
