/** How many glasses are in each state; a tile shows those alone, and once more all that wait. */
import { h, icon } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { element } from "./page.js";

/** @typedef {import("./types_lab.js").Group} Group */
/** @typedef {import("./types.js").Tone} Tone */

/** @type {Record<Group, {word: string, hint: string, tone: Tone, icon: string}>} the most harmful first */
export const GROUPS = {
  missing: { word: t("Missing"), hint: t("Expected before today, or stained and past the scan's deadline"), tone: "failed", icon: "circle-alert" },
  failed: { word: t("Failed"), hint: t("No scanner tries again by itself"), tone: "failed", icon: "circle-x" },
  attention: { word: t("Flagged or rescan"), hint: t("Held back by the checks, or to be scanned again"), tone: "attention", icon: "triangle-alert" },
  expected: { word: t("Expected"), hint: t("On their way through the laboratory"), tone: "neutral", icon: "circle-dashed" },
  queue: { word: t("In the queue"), hint: t("Waiting for a scanner"), tone: "neutral", icon: "clock" },
  scanning: { word: t("Being scanned"), hint: t("In a scanner, or the image is on its way"), tone: "neutral", icon: "hourglass" },
  available: { word: t("Can be read"), hint: t("Expected today, and can be read"), tone: "done", icon: "circle-check" },
  glass_only: { word: t("Glass only"), hint: t("Expected today, read under the light microscope"), tone: "done", icon: "circle-check" },
};

/** The tiles keep the choice over live changes. */
export class GroupTiles {
  /** @param {() => void} chosen */
  constructor(chosen) {
    this.changed = chosen;
    /** @type {Group | null} null is all that wait */
    this.chosen = null;
    this.#fromAddress();
  }

  /**
   * @param {Record<string, number>} counts
   * @param {number} unknown
   * @param {number} asked images that the checks ask to be looked at
   */
  show(counts, unknown, asked) {
    const all = { ...counts, expected: (counts.expected ?? 0) - (counts.missing ?? 0) };
    const tiles = Object.entries(GROUPS).map(([name, at]) => {
      const count = /** @type {Record<string, number>} */ (all)[name] ?? 0;
      return this.#tile(/** @type {Group} */ (name), at, count);
    });
    tiles.splice(2, 0, panelTile("unknown", unknown, t("Unknown slides"), t("Images whose glass is not known")), panelTile("quality", asked, t("To be looked at"), t("Images to be looked at: released, or scanned again")));
    const place = element("tiles");
    const focused = [...place.querySelectorAll("button, a")].findIndex((at) => at === document.activeElement);
    place.replaceChildren(...tiles);
    const again = place.querySelectorAll("button, a")[focused];
    if (again instanceof HTMLElement) again.focus();
  }

  /**
   * @param {Group} name
   * @param {{word: string, hint: string, tone: Tone, icon: string}} at
   * @param {number} count
   */
  #tile(name, at, count) {
    const choose = () => {
      this.chosen = this.chosen === name ? null : name;
      this.changed();
    };
    const pressed = String(this.chosen === name);
    const harmless = count === 0 && at.tone !== "done";
    const tone = harmless ? "neutral" : at.tone;
    const mark = count === 0 && (at.tone === "failed" || at.tone === "attention") ? "circle-check" : at.icon;
    return h(
      "li",
      {},
      h("button", { class: `tile ${tone}`, type: "button", "aria-pressed": pressed, title: at.hint, onclick: choose }, icon(mark), h("b", {}, number(count)), h("span", {}, at.word)),
    );
  }

  #fromAddress() {
    const name = location.hash.slice(1);
    if (name in GROUPS) this.chosen = /** @type {Group} */ (name);
  }
}

/**
 * What has a panel of its own: the tile leads there.
 * @param {string} panel
 * @param {number} count
 * @param {string} word
 * @param {string} hint
 */
function panelTile(panel, count, word, hint) {
  const mark = count === 0 ? "circle-check" : "shield-alert";
  const tone = count === 0 ? "neutral" : "attention";
  const goThere = () => element(panel).focus();
  return h("li", {}, h("button", { class: `tile ${tone}`, type: "button", title: hint, onclick: goThere }, icon(mark), h("b", {}, number(count)), h("span", {}, word)));
}
