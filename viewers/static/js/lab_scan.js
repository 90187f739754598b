/** The scan field: a barcode reader types into it and its Enter queues the glass. */
import { sendJson } from "./api.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { element } from "./page.js";
import { refusalWords } from "./refusal_words.js";

const NUMBER = /^(.*?)(\d+)$/;

/** Rack and slot stay; the slot counts up, as glasses are put in one after the other. */
export class ScanField {
  /**
   * @param {() => void} changed
   * @param {AbortSignal} signal
   */
  constructor(changed, signal) {
    this.changed = changed;
    this.signal = signal;
    this.form = /** @type {HTMLFormElement} */ (element("scan"));
    this.barcode = /** @type {HTMLInputElement} */ (element("scan-barcode"));
    this.rack = /** @type {HTMLInputElement} */ (element("scan-rack"));
    this.slot = /** @type {HTMLInputElement} */ (element("scan-slot"));
    this.said = element("scan-said");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#queue();
    });
  }

  focus() {
    this.barcode.focus();
    this.barcode.select();
  }

  /** A glass chosen in the list: where does it lie? @param {string} barcode */
  fill(barcode) {
    this.barcode.value = barcode;
    this.rack.focus();
    this.rack.select();
  }

  async #queue() {
    const [barcode, rack, slot] = /** @type {[string, string, string]} */ ([this.barcode.value.trim(), this.rack.value.trim(), this.slot.value.trim()]);
    if (!barcode) return this.focus();
    this.barcode.value = ""; // the reader may send the next one at once
    this.barcode.focus();
    const next = after(slot); // counted before the answer comes: two glasses never get one place
    this.slot.value = next;
    try {
      const item = await sendJson("POST", "/api/v1/lab/scan", { barcode, rack, slot }, this.signal);
      const where = item?.rack ? t("rack {rack}, slot {slot}", { rack: item.rack, slot: item.slot || "–" }) : t("no rack stated");
      this.#say("done", "circle-check", t("{barcode} is in the scan queue: {where}.", { barcode, where }));
      this.changed();
    } catch (error) {
      if (this.signal.aborted) return;
      this.#say("failed", "circle-alert", `${barcode}: ${refusalWords(error)}`);
      if (this.slot.value === next) this.slot.value = slot;
      if (this.barcode.value === "") this.barcode.value = barcode;
      this.barcode.select();
    }
  }

  /**
   * @param {"done" | "failed"} tone
   * @param {string} name
   * @param {string} words
   */
  #say(tone, name, words) {
    this.said.className = `scan-said state ${tone}`;
    this.said.replaceChildren(icon(name), h("span", {}, words));
  }
}

/** The next slot: `4` after `3`, `A10` after `A9`. @param {string} slot */
function after(slot) {
  const parts = NUMBER.exec(slot);
  return parts ? `${parts[1]}${Number(parts[2]) + 1}` : slot;
}
