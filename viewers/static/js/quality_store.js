/** What the checks found on the open slide: fetched late, and again when there is news. */
import { getJson } from "./api.js";

/** @typedef {import("./types_quality.js").Quality} Quality */
/** @typedef {import("./types_quality.js").Finding} Finding */

const AGAIN_MS = 1_500;

/** Fires `change` whenever what is shown should be drawn again. */
export class QualityStore extends EventTarget {
  /** @param {string} slideId @param {AbortSignal} signal */
  constructor(slideId, signal) {
    super();
    this.address = `/api/v1/slides/${encodeURIComponent(slideId)}/quality`;
    this.signal = signal;
    /** @type {Quality | null} */
    this.now = null;
    /** Why it could not be fetched. @type {unknown} */
    this.failed = null;
    /** Of whose check the map lies over the slide. @type {string | null} */
    this.shown = null;
    /** The spot that was jumped to. @type {import("./types_quality.js").Box | null} */
    this.spot = null;
    this.timer = 0;
    document.addEventListener("server-change", (event) => event instanceof CustomEvent && this.#news(event.detail), { signal });
  }

  async load() {
    try {
      this.now = await getJson(this.address, this.signal);
      this.failed = null;
    } catch (error) {
      if (this.signal.aborted) return;
      this.failed = error;
    }
    if (this.shown && !this.map) this.shown = null;
    this.#tell();
  }

  /** The finding whose map is shown. */
  get map() {
    return this.now?.run?.findings.find((at) => at.check === this.shown && at.map) ?? null;
  }

  /** Those with a map, in the order of the report. */
  get maps() {
    return (this.now?.run?.findings ?? []).filter((at) => at.map);
  }

  /** @param {string | null} check */
  show(check) {
    this.shown = check;
    this.spot = null;
    this.#tell();
  }

  /** @param {Finding} finding @param {import("./types_quality.js").Box} box */
  point(finding, box) {
    if (finding.map) this.shown = finding.check;
    this.spot = box;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }

  /** Slides change all day; only what is waited for is asked for again. @param {string} what */
  #news(what) {
    const waited = Object.values(this.now?.tray ?? {}).includes("not_yet");
    if (what !== "case" && !(what === "slides" && waited)) return;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.load(), AGAIN_MS);
  }
}
