/** Which channels of a fluorescence slide are seen, in which colour and window; as text for addresses. */

/** @typedef {{on: boolean, color: string, low: number, high: number}} Setting color as RRGGBB */

const ONE = /^(\d{1,2}):(\d{1,5})-(\d{1,5}):([0-9A-F]{6})$/;

/** One setting for each channel; tells by a `change` event that one is another. */
export class ChannelChoice extends EventTarget {
  /** @param {import("./types.js").Channels} channels */
  constructor(channels) {
    super();
    this.channels = channels;
    /** @type {Setting[]} */
    this.settings = this.#own();
  }

  /**
   * @param {number} number
   * @param {Partial<Setting>} change a window that would be empty or too wide is put right
   */
  set(number, change) {
    const setting = this.settings[number];
    if (!setting) return;
    Object.assign(setting, change);
    const { most } = this.channels;
    if (change.low !== undefined) {
      setting.low = clamp(change.low, 0, most - 1);
      setting.high = Math.max(setting.high, setting.low + 1);
    }
    if (change.high !== undefined) {
      setting.high = clamp(change.high, 1, most);
      setting.low = Math.min(setting.low, setting.high - 1);
    }
    this.#changed();
  }

  /** @param {{low: number, high: number}[]} windows one for each channel */
  setWindows(windows) {
    this.settings = this.settings.map((setting, number) => ({ ...setting, ...windows[number] }));
    this.#changed();
  }

  /** As the slide itself proposes. */
  reset() {
    this.settings = this.#own();
    this.#changed();
  }

  /** @returns {string | null} null for the slide's own way */
  text() {
    const text = write(this.settings);
    return text === write(this.#own()) ? null : text;
  }

  /**
   * Take over what an address says; a channel that is not named is off. Nonsense changes nothing.
   * @param {string | null} text
   */
  read(text) {
    if (text === this.text()) return;
    const settings = this.#own();
    if (text !== null) {
      for (const setting of settings) setting.on = false;
      for (const part of text === "" ? [] : text.split(",")) {
        const [, number, low, high, color] = ONE.exec(part) ?? [];
        const setting = settings[Number(number)];
        if (!setting || !color || Number(low) >= Number(high) || Number(high) > this.channels.most) return;
        Object.assign(setting, { on: true, low: Number(low), high: Number(high), color });
      }
    }
    this.settings = settings;
    this.#changed();
  }

  /** @returns {Setting[]} */
  #own() {
    return this.channels.list.map(({ color, low, high }) => ({ on: true, color, low, high }));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {Setting[]} settings */
function write(settings) {
  return settings
    .map(({ on, low, high, color }, number) => (on ? `${number}:${low}-${high}:${color}` : ""))
    .filter((part) => part !== "")
    .join(",");
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function clamp(value, least, most) {
  return Math.min(most, Math.max(least, Math.round(Number.isFinite(value) ? value : least)));
}
