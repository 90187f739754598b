/** What is left until the goal, in words and as a bar; the exact time on hover. */
import { h, icon } from "./dom.js";
import { exactDay, exactTime, localTime } from "./format.js";
import { t, tn } from "./i18n.js";

/** @typedef {import("./types_case.js").Standing} Standing */

const TONES = /** @type {const} */ ({ calm: "neutral", warn: "attention", late: "failed", done: "done", none: "neutral" });
const ICONS = { calm: "clock", warn: "triangle-alert", late: "circle-alert", done: "circle-check", none: "circle-dashed" };

/**
 * `1 hverdag 3 t`, `40 min`: days and hours; minutes only when nothing larger is left.
 * @param {Standing} standing
 */
export function spanWords({ left_days: days, left_hours: hours, left_minutes: minutes, working }) {
  const [d, hh, m] = [Math.abs(days ?? 0), Math.abs(hours ?? 0), Math.abs(minutes ?? 0)];
  const dayWords = working === false ? tn("{count} day", "{count} days", d) : tn("{count} working day", "{count} working days", d);
  const parts = [d > 0 && dayWords, hh > 0 && t("{hours} h", { hours: hh }), d === 0 && (hh === 0 || (m > 0 && hh < 3)) && t("{minutes} min", { minutes: m })];
  return parts.filter(Boolean).join(" ");
}

/**
 * When a goal is due; midnight belongs to the day before it.
 * @param {string} due ISO
 */
export function dueWords(due) {
  const at = new Date(due);
  if (localTime(at)[1] !== "00:00") return exactTime(due);
  return t("end of {day}", { day: exactDay(new Date(at.getTime() - 1)) });
}

/** @param {Standing} standing */
export function timeLeftWords(standing) {
  if (standing.state === "done") return standing.in_time === false ? t("answered too late") : t("answered in time");
  if (standing.state === "none") return t("no goal is running");
  const words = { span: spanWords(standing) };
  return (standing.over ?? standing.state === "late") ? t("{span} over", words) : t("{span} left", words);
}

/**
 * Bar and words together.
 * @param {{standing: Standing, due_at: string | null}} row
 */
export function timeLeft({ standing, due_at: due }) {
  const share = Math.min(1, Math.max(0, standing.share ?? 0));
  const tooLate = standing.state === "done" && standing.in_time === false;
  const hint = due ? t("Goal: {time}", { time: dueWords(due) }) : "";
  return h(
    "span",
    { class: `time-left state ${tooLate ? "attention" : TONES[standing.state]}`, title: hint },
    standing.state === "calm" || standing.state === "warn"
      ? h("meter", { min: 0, max: 1, value: share, "aria-hidden": "true" })
      : icon(tooLate ? "circle-alert" : ICONS[standing.state]),
    h("span", {}, timeLeftWords(standing)),
  );
}
