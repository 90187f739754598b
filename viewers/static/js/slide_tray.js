/** The tray on the left: the slides on the worklist, the open one marked. */
import { h, icon, setContent } from "./dom.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { associatedAddress, slideAddress } from "./slide_row.js";
import { SLIDE_STATES } from "./words.js";

/** @typedef {import("./types.js").Slide} Slide */

/** The slides of the tray, in order, and the way to the neighbours. */
export class SlideTray {
  /** @param {string} slideId the open slide */
  constructor(slideId) {
    this.slideId = slideId;
    /** @type {Map<string, HTMLElement>} */
    this.items = new Map();
    /** @type {Promise<unknown>} */
    this.free = Promise.resolve();
    /** Called when its slides have been shown anew. */
    this.shown = () => {};
  }

  /** @param {Promise<unknown>} free the pictures wait for it; they are many and large */
  picturesAfter(free) {
    this.free = free;
  }

  /** @param {Slide[]} slides */
  show(slides) {
    const tray = element("tray");
    const first = this.items.size === 0;
    for (const slide of slides) {
      const item = this.items.get(slide.slide_id) ?? this.#create(slide);
      setContent(/** @type {Element} */ (item.querySelector(".tray-state")), icon(SLIDE_STATES[slide.state].icon), SLIDE_STATES[slide.state].word);
      if (first) tray.append(item);
      else if (!item.isConnected) tray.prepend(item);
      this.items.set(slide.slide_id, item);
    }
    if (first) this.items.get(this.slideId)?.scrollIntoView({ block: "nearest" });
    this.#neighbourButtons();
    this.shown();
  }

  /** The glasses of a case instead, which are not all images. @param {HTMLElement[]} items */
  showItems(items) {
    const tray = element("tray");
    const first = !tray.hasChildNodes();
    const focused = tray.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
    tray.replaceChildren(...items);
    const current = tray.querySelector("[aria-current]");
    if (first) current?.scrollIntoView({ block: "nearest" });
    const again = focused ? [...tray.querySelectorAll("a")].find((item) => item.getAttribute("href") === focused) : null;
    again?.focus({ preventScroll: true });
    this.#neighbourButtons();
    this.shown();
  }

  /** @param {number} step -1 the slide above, 1 the one below */
  open(step) {
    const address = this.#neighbour(step);
    if (address) location.assign(address);
  }

  toggle() {
    const folded = element("main").classList.toggle("tray-folded");
    element("tray-toggle").setAttribute("aria-pressed", String(!folded));
  }

  /** @param {number} step */
  #neighbour(step) {
    const items = [...element("tray").querySelectorAll("a")];
    const at = items.findIndex((item) => item.getAttribute("aria-current") === "true");
    return at < 0 ? undefined : items[at + step]?.getAttribute("href");
  }

  #neighbourButtons() {
    for (const [id, step] of /** @type {const} */ ([["previous", -1], ["next", 1]])) {
      element(id).toggleAttribute("disabled", !this.#neighbour(step));
    }
  }

  /** @param {Slide} slide */
  #create(slide) {
    const name = slide.barcode ?? slide.name;
    const image = h("img", { alt: "", loading: "lazy", decoding: "async" });
    void this.free.then(() => image.setAttribute("src", associatedAddress(slide.slide_id, "thumbnail")));
    return h(
      "a",
      { href: slideAddress(slide.slide_id), title: slide.name, "aria-current": slide.slide_id === this.slideId ? "true" : null },
      h("span", { class: "tray-picture" }, image),
      h("span", { class: "tray-name" }, name),
      h("span", { class: "tray-state" }),
      slide.notices.length > 0 && h("span", { class: "tray-remark", title: t("Has remarks") }, icon("triangle-alert")),
    );
  }
}
