/** The scan queue in figures: what waits, how long, who scans, and what it costs in response time. */
import { h, icon, setContent } from "./dom.js";
import { exactTime, number } from "./format.js";
import { t, tn } from "./i18n.js";
import { spanOf } from "./lab_words.js";
import { element } from "./page.js";

/** @param {import("./types_lab.js").ScanQueue} queue */
export function showQueue(queue) {
  const oldest = queue.oldest_at === null ? null : (Date.now() - Date.parse(queue.oldest_at)) / 1000;
  const facts = [
    ...fact(t("Waiting"), tn("{count} glass", "{count} glasses", queue.waiting)),
    ...fact(t("Oldest"), oldest === null ? "–" : spanOf(oldest), queue.oldest_at === null ? "" : exactTime(queue.oldest_at)),
    ...fact(t("Median wait"), queue.median_wait_seconds === null ? "–" : spanOf(queue.median_wait_seconds)),
  ];
  setContent(element("queue-line"), line(queue, oldest));
  setContent(element("queue-facts"), h("dl", { class: "facts" }, ...facts));
  setContent(element("scanners"), scanners(queue.scanners));
  setContent(element("share"), ...share(queue));
}

/**
 * The same in a line above the list, where it is always seen.
 * @param {import("./types_lab.js").ScanQueue} queue
 * @param {number | null} oldest seconds
 */
function line({ waiting, median_wait_seconds: wait, scanners: at, share_of_turnaround: part }, oldest) {
  return [
    t("{count} in the scan queue", { count: waiting }),
    oldest !== null && t("oldest {span}", { span: spanOf(oldest) }),
    wait !== null && t("median {span}", { span: spanOf(wait) }),
    tn("{count} scanner at work", "{count} scanners at work", at.length),
    part !== null && t("{percent} % of the response time", { percent: number(100 * part) }),
  ]
    .filter(Boolean)
    .join(" · ");
}

/**
 * @param {string} word
 * @param {string} value
 * @param {string} [hint]
 */
function fact(word, value, hint = "") {
  return [h("dt", {}, word), h("dd", { title: hint }, value)];
}

/** @param {{name: string, glasses: number, since: string | null}[]} found */
function scanners(found) {
  if (found.length === 0) return h("p", { class: "secondary" }, t("No scanner is at work."));
  const lines = found.map((one) => {
    const words = tn("{count} glass", "{count} glasses", one.glasses);
    return h("li", { title: one.since ? t("since {time}", { time: exactTime(one.since) }) : "" }, h("span", { class: "state neutral" }, icon("hourglass"), h("span", {}, one.name)), h("span", { class: "secondary" }, words));
  });
  return h("ul", { class: "scanners" }, ...lines);
}

/** @param {import("./types_lab.js").ScanQueue} queue */
function share({ share_of_turnaround: part, scan_seconds: scan, whole_seconds: whole, answered_cases: cases }) {
  if (part === null || scan === null || whole === null) return [h("p", { class: "secondary" }, t("No case has been answered yet: the share of the response time is not known."))];
  const percent = `${number(100 * part, part < 0.1 ? 1 : 0)} %`;
  const words = t("of the response time goes to scanning: {scan} of {whole}", { scan: spanOf(scan), whole: spanOf(whole) });
  return [
    h("p", {}, h("b", { class: "percent" }, percent), " ", words),
    h("meter", { min: 0, max: 1, value: part, "aria-hidden": "true" }),
    h("small", {}, tn("mean of the last answered case", "mean of the last {count} answered cases", cases)),
  ];
}
