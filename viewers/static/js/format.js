/** Numbers and times in the reader's language: decimal comma and `22. nov. 14.05` in Danish. */
import { language } from "./page.js";
import { t } from "./i18n.js";

const LOCALE = language === "da" ? "da-DK" : "en-GB";
/** The laboratory's clock, wherever the screen stands; the server tells times the same way. */
const timeZone = "Europe/Copenhagen";
const DAY = new Intl.DateTimeFormat("da-DK", { day: "numeric", month: "short", timeZone });
const ISO = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone });

/**
 * @param {number} value
 * @param {number} [decimals]
 */
export function number(value, decimals = 0) {
  return new Intl.NumberFormat(LOCALE, {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  }).format(value);
}

/**
 * Day and time of day in the laboratory: `2026-11-22` and `14:05`.
 * @param {Date} at
 * @returns {[string, string]}
 */
export function localTime(at) {
  const [day = "", time = ""] = ISO.format(at).split(" ");
  return [day, time];
}

/**
 * Exact time: `22. nov. 14.05` or `2026-11-22 14:05`.
 * @param {string} moment ISO
 */
export function exactTime(moment) {
  const at = new Date(moment);
  const [day, time] = localTime(at);
  return language === "da" ? `${DAY.format(at)} ${time.replace(":", ".")}` : `${day} ${time}`;
}

/**
 * The day alone: `22. nov.` or `2026-11-22`.
 * @param {Date} at
 */
export function exactDay(at) {
  return language === "da" ? DAY.format(at) : localTime(at)[0];
}

/**
 * How long ago, while that is what a reader wants to know; the exact time after a day.
 * @param {string} moment ISO
 * @param {number} [now]
 */
export function ago(moment, now = Date.now()) {
  const seconds = Math.max(0, (now - Date.parse(moment)) / 1000);
  if (seconds < 45) return t("just now");
  if (seconds < 3570) return t("{minutes} min ago", { minutes: Math.round(seconds / 60) });
  if (seconds < 24 * 3600) return t("{hours} h ago", { hours: Math.round(seconds / 3600) });
  return exactTime(moment);
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 10) return `${number(seconds, 1)} s`;
  if (seconds < 90) return `${number(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t("{minutes} min {seconds} s", { minutes, seconds: Math.round(seconds % 60) });
  return t("{hours} h {minutes} min", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

/** @param {number} count */
export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let [value, index] = [count, 0];
  while (value >= 999.5 && index < units.length - 1) [value, index] = [value / 1000, index + 1];
  return `${number(value, index > 0 && value < 99.5 ? 1 : 0)} ${units[index]}`;
}

/**
 * A length, in µm below a millimetre and in mm above.
 * @param {number} micrometres
 */
export function length(micrometres) {
  if (micrometres >= 1000) {
    const mm = micrometres / 1000;
    return `${number(mm, Number.isInteger(mm) ? 0 : 1)} mm`;
  }
  return `${number(micrometres, micrometres < 10 && !Number.isInteger(micrometres) ? 1 : 0)} µm`;
}

/**
 * Width by height of the tissue area, in mm when the pixel size is known, in pixels when not.
 * @param {{width: number, height: number, mpp: number | null}} slide
 */
export function slideSize({ width, height, mpp }) {
  if (mpp === null) return `${number(width)} × ${number(height)} px`;
  return `${number((width * mpp) / 1000, 1)} × ${number((height * mpp) / 1000, 1)} mm`;
}
