/** The badge that says how the slide's colours are shown, and is pressed to change it. */
import { getBytes, getJson } from "./api.js";
import { ColourTiles } from "./colour_tiles.js";
import { h, icon, setContent } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { element, version } from "./page.js";
import { profileReason } from "./profile_words.js";

const REMEMBERED = "svartid-colour";
const CORRECTED = "corrected";

/** @typedef {import("./types.js").Colour} Colour */
/**
 * @param {import("./microscope.js").Microscope} microscope
 * @param {AbortSignal} signal
 * @returns {() => void} what the key does; nothing where there is nothing to correct
 */
export function startColour({ slide, viewer }, signal) {
  if (!slide.icc) return () => {};
  const control = new ColourControl(viewer, `/api/v1/slides/${encodeURIComponent(slide.slide_id)}/colour`, signal);
  void control.start();
  return () => void control.toggle();
}

class ColourControl {
  #viewer;
  #address;
  #signal;
  /** @type {Colour | null} */
  #colour = null;
  /** @type {ColourTiles | null} */
  #tiles = null;
  #corrected = false;
  #busy = false;
  #failed = false;
  #button = h("button", { class: "badge", type: "button", onclick: () => void this.toggle() });

  /**
   * @param {OpenSeadragon.Viewer} viewer
   * @param {string} address
   * @param {AbortSignal} signal
   */
  constructor(viewer, address, signal) {
    this.#viewer = viewer;
    this.#address = address;
    this.#signal = signal;
  }

  async start() {
    this.#draw();
    element("colour").replaceChildren(this.#button);
    await this.#show(remembered());
  }

  async toggle() {
    if (!this.#button.isConnected) return;
    await this.#show(!this.#corrected);
    remember(this.#corrected);
  }

  /** @param {boolean} corrected */
  async #show(corrected) {
    if (this.#busy) return;
    this.#busy = true;
    this.#draw();
    try {
      this.#colour ??= await getJson(this.#address, this.#signal);
      if (corrected && this.#correctable()) this.#tiles ??= await this.#fetchTable();
      this.#corrected = corrected && this.#tiles !== null;
      this.#tiles?.show(this.#corrected);
      this.#failed = false;
    } catch {
      this.#giveUp();
    }
    this.#busy = false;
    this.#draw();
  }

  async #fetchTable() {
    const table = await getBytes(`${this.#address}-table?v=${version}`, this.#signal);
    return new ColourTiles(this.#viewer, table, () => this.#giveUp());
  }

  #correctable() {
    return this.#colour === null || (this.#colour.usable && !this.#colour.srgb);
  }

  #giveUp() {
    if (this.#signal.aborted) return;
    this.#tiles = null;
    this.#corrected = false;
    this.#failed = true;
    this.#draw();
  }

  #draw() {
    if (this.#colour && !this.#correctable()) {
      setContent(element("colour"), settled(this.#colour));
      return;
    }
    const [name, button] = [this.#colour?.name || t("ICC profile"), this.#button];
    button.setAttribute("aria-pressed", String(this.#corrected));
    button.setAttribute("aria-busy", String(this.#busy));
    button.classList.toggle("attention", this.#failed);
    button.title = this.#failed ? t("The colours could not be corrected. Press to try again (i).") : this.#hint(name);
    const words = this.#corrected ? t("Colour: corrected") : t("Colour: as scanned"); // heard first, as it is seen
    const by = this.#corrected && ` (${name})`;
    button.setAttribute("aria-label", `${words}${by || ""}. ${t("Colours corrected by the profile {name}", { name })}`);
    setContent(button, icon("palette"), h("span", { class: "word" }, words), by && h("span", {}, by));
  }

  /** @param {string} name */
  #hint(name) {
    if (!this.#corrected) return t("Show the colours as the profile {name} means them (i)", { name });
    const error = number(this.#colour?.error ?? 0, 2);
    return t("Corrected by the profile {name}, exact to ΔE {error}. Press for the colours as scanned (i)", { name, error });
  }
}

/**
 * Where there is nothing to press: the colours are right, or cannot be made so.
 * @param {Colour} colour
 */
function settled({ usable, reason }) {
  const words = usable ? t("Colour: sRGB") : t("Colour: profile unusable");
  const hint = usable
    ? t("The slide's colour profile is sRGB: the colours are right as they are.")
    : t("Colours are shown as scanned: {reason}.", { reason: profileReason(reason ?? "") });
  return h("span", { class: usable ? "badge" : "badge attention", title: hint }, icon(usable ? "palette" : "triangle-alert"), h("span", { class: "word" }, words));
}

/** The choice holds for this browser, whichever slide is opened: the badge always says it. */
function remembered() {
  try {
    return localStorage.getItem(REMEMBERED) === CORRECTED;
  } catch {
    return false;
  }
}

/** @param {boolean} corrected */
function remember(corrected) {
  try {
    if (corrected) localStorage.setItem(REMEMBERED, CORRECTED);
    else localStorage.removeItem(REMEMBERED);
  } catch {
    // Without storage the choice ends with the page.
  }
}
