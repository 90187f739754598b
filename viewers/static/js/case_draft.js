/** Keeps what is written: saved as one types, and never over somebody else's newer draft. */
import { ApiError } from "./api.js";

/** @typedef {import("./case_store.js").CaseStore} CaseStore */
/** @typedef {import("./types_case.js").Draft} Draft */
/** @typedef {import("./types_case.js").ReportKind} ReportKind */
/** @typedef {{kind: ReportKind, text: string, codes: string[]}} Written */
/** @typedef {"saved" | "saving" | "unsaved" | "conflict"} Saved */

const QUIET_MS = 1_200;
const AGAIN_MS = 5_000;

/** One draft on this page. */
export class DraftKeeper {
  /**
   * @param {CaseStore} store
   * @param {{read: () => Written | null, adopt: (draft: Draft) => void, said: (state: Saved, newer: Draft | null) => void}} page
   */
  constructor(store, page) {
    this.store = store;
    this.page = page;
    /** When the draft was saved that the text on this page stands on. @type {string | null} */
    this.base = null;
    this.dirty = false;
    /** @type {Draft | null} */
    this.newer = null;
    this.timer = 0;
    /** @type {Promise<void> | null} */
    this.saving = null;
    this.key = `svartid.unsaved.${store.me}.${store.accession}`;
    window.addEventListener("pagehide", () => this.dirty && !this.newer && void this.save(true), { signal: store.signal });
  }

  /** Something has been typed. */
  touched() {
    this.dirty = true;
    sessionStorage.setItem(this.key, JSON.stringify({ ...this.page.read(), base: this.base }));
    this.page.said(this.newer ? "conflict" : "unsaved", this.newer);
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.save(), QUIET_MS);
  }

  /** What was typed before the sign-in ran out, if it was never saved. @returns {Written | null} */
  leftOver() {
    const kept = sessionStorage.getItem(this.key);
    if (!kept) return null;
    const { base, ...written } = JSON.parse(kept);
    this.base = base;
    this.dirty = true;
    return written;
  }

  /** The case has been fetched: is the stored draft ours, newer, or gone? */
  compare() {
    const draft = this.store.now.draft;
    const mine = this.page.read();
    if (!draft && !this.saving) this.base = null;
    if (!draft || draft.at === this.base) return;
    if (mine && draft.kind === mine.kind && draft.text === mine.text && draft.codes.join() === mine.codes.join()) {
      this.base = draft.at;
      this.#clean();
    } else if (!this.dirty) {
      this.base = draft.at;
      this.page.adopt(draft);
    } else if (!this.saving) {
      this.newer = draft;
      this.page.said("conflict", draft);
    }
  }

  /** @param {"mine" | "theirs"} which the person has seen both */
  settle(which) {
    const newer = this.newer;
    this.newer = null;
    if (!newer) return;
    this.base = newer.at;
    if (which === "mine") void this.save();
    else {
      this.#clean();
      this.page.adopt(newer);
    }
  }

  /** Settled when all that has been typed is stored. */
  async flush() {
    window.clearTimeout(this.timer);
    await this.saving;
    if (this.dirty) await this.save();
  }

  /** It has been signed, or is not wanted any more. */
  forget() {
    window.clearTimeout(this.timer);
    this.base = null;
    this.#clean();
  }

  /** @param {boolean} [leaving] the page goes away: the call has to outlive it */
  async save(leaving = false) {
    const written = this.page.read();
    if (!written || this.newer || (this.saving && !leaving)) return;
    this.page.said("saving", null);
    this.saving = this.#send(written, leaving);
    await this.saving;
    this.saving = null;
    this.compare();
  }

  /**
   * @param {Written} written
   * @param {boolean} leaving
   */
  async #send(written, leaving) {
    try {
      const said = await this.store.act("draft", { ...written, seen: this.base }, "PUT", leaving ? { keepalive: true } : {});
      this.base = said.draft_at;
      const same = JSON.stringify(this.page.read()) === JSON.stringify(written);
      if (same) this.#clean();
      else this.touched();
    } catch (error) {
      this.page.said("unsaved", null);
      if (error instanceof ApiError && error.status === 409) await this.store.load(true);
      else if (!this.store.signal.aborted) this.timer = window.setTimeout(() => void this.save(), AGAIN_MS);
    }
  }

  #clean() {
    this.dirty = false;
    sessionStorage.removeItem(this.key);
    this.page.said("saved", null);
  }
}
