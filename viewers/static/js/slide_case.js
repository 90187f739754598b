/** The slide belongs to a case: its patient on top, its glasses in the tray, the newest scan in view. */
import { getJson, sendJson } from "./api.js";
import { slideFacts } from "./banner.js";
import { h, setContent } from "./dom.js";
import { t } from "./i18n.js";
import { keyIsTaken } from "./keys_dialog.js";
import { element } from "./page.js";
import { patientLine } from "./patient.js";
import { swapTo, swappedFrom } from "./scan_swap.js";
import { markSeen, seenSlides } from "./seen.js";
import { CasePanel } from "./slide_case_panel.js";
import { showScanNotice } from "./slide_case_notice.js";
import { trayGlass } from "./slide_case_tray.js";
import { priorityMark } from "./case_words.js";
import { timeLeft } from "./time_left.js";
import { markVisit } from "./visits.js";

/** @typedef {import("./types_case.js").SlideCase} SlideCase */

/** Patient, tray, panel and notices of one open slide. */
export class SlideCaseView {
  /**
   * @param {import("./microscope.js").Microscope} microscope
   * @param {import("./slide_tray.js").SlideTray} tray
   * @param {AbortSignal} signal
   */
  constructor(microscope, tray, signal) {
    this.microscope = microscope;
    this.tray = tray;
    this.signal = signal;
    this.slideId = microscope.slide.slide_id;
    this.address = `/api/v1/slides/${encodeURIComponent(this.slideId)}/case`;
    this.earlier = swappedFrom(this.slideId);
    this.panel = new CasePanel(this.slideId);
    /** Whether this was the scan to read when the page was opened. @type {boolean | null} */
    this.wasCurrent = null;
    this.swapping = false;
    this.styled = Promise.all([style("forms.css"), style("viewer_case.css")]);
    /** @type {SlideCase | null} */
    this.now = null;
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    void microscope.drawn.then(() => markSeen(this.slideId));
  }

  async refresh() {
    /** @type {SlideCase} */
    const now = await getJson(this.address, this.signal);
    await this.styled;
    const first = this.now === null;
    this.now = now;
    if (!document.hidden) markVisit(now.accession);
    this.#showPatient(now);
    this.#showTray(now);
    this.panel.show(now);
    this.wasCurrent ??= now.current_slide_id === this.slideId;
    showScanNotice(now, this.slideId, this.earlier);
    if (first) void this.#open(now);
    await this.#swap(now);
  }

  /** The first look at the first slide is when reading begins. @param {SlideCase} now */
  async #open(now) {
    if (!now.responsible || now.opened_at) return;
    const address = `/api/v1/cases/${encodeURIComponent(now.accession)}/open`;
    await sendJson("POST", address, {}, this.signal).catch(() => undefined);
  }

  /** @param {SlideCase} now */
  async #swap(now) {
    const newer = now.current_slide_id;
    if (!this.wasCurrent || this.swapping || !newer || newer === this.slideId || isWithdrawn(now, this.slideId)) return;
    this.swapping = true;
    await this.microscope.opened;
    await swapTo(this.microscope, newer, this.signal).catch(() => (this.swapping = false));
  }

  /** @param {SlideCase} now */
  #showPatient(now) {
    const glass = now.slides.find((at) => at.barcode === now.barcode);
    const back = element("back");
    back.setAttribute("href", `/cases/${encodeURIComponent(now.accession)}`);
    back.setAttribute("aria-label", t("Back to the case"));
    back.setAttribute("title", t("Back to the case {accession} (Esc)", { accession: now.accession }));
    const place = element("identity");
    place.dataset.accession = now.accession;
    document.title = `${now.barcode} – svartid`;
    setContent(
      place,
      h("h1", { id: "slide-name", class: "patient" }, patientLine(now.patient)),
      h("b", {}, now.accession),
      priorityMark(now.priority),
      timeLeft(now),
      h("span", { class: "facts-line", title: slideFacts(this.microscope.slide) }, [glass?.stain, glass?.block, now.barcode].filter(Boolean).join(" · ")),
    );
  }

  /** @param {SlideCase} now */
  #showTray(now) {
    const key = JSON.stringify([now.slides, [...seenSlides()]]);
    if (element("tray").dataset.shown === key) return;
    element("tray").dataset.shown = key;
    this.tray.showItems(now.slides.map((glass) => trayGlass(glass, now, this.tray.free)));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (keyIsTaken(event) || this.now === null) return;
    if (event.key === "p") this.panel.toggle();
    else if (event.key === "x") void this.#rescan(this.now);
  }

  /** @param {SlideCase} now */
  async #rescan(now) {
    const { askForRescan } = await import("./rescan.js");
    await askForRescan(this.microscope, now, this.signal);
    await this.refresh();
  }
}

/**
 * Taken out of sight because it shows something wrong.
 * @param {SlideCase} now
 * @param {string} slideId
 */
function isWithdrawn(now, slideId) {
  return now.slides.some((glass) => glass.scans.some((scan) => scan.slide_id === slideId && scan.state === "withdrawn"));
}

/** @param {string} name of a stylesheet that only slides of a case need */
function style(name) {
  const link = h("link", { rel: "stylesheet", href: new URL(`../css/${name}`, import.meta.url).pathname });
  const loaded = new Promise((resolve) => {
    link.addEventListener("load", () => resolve(undefined));
    link.addEventListener("error", () => resolve(undefined));
  });
  document.head.append(link);
  return loaded;
}
