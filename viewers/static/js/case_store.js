/** The open case: fetched, fetched again when it changes, and told what a person does to it. */
import { getJson, sendJson } from "./api.js";
import { subscribe } from "./changes.js";

/**
 * @typedef {import("./types_case.js").Case} Case
 * @typedef {{before: Case | null, own: boolean}} Change own: something done on this page
 */

/** One case; `change` events say that it has been fetched, `failed` that it could not be. */
export class CaseStore extends EventTarget {
  /**
   * @param {string} accession
   * @param {string} me the name of whoever looks
   * @param {AbortSignal} signal
   */
  constructor(accession, me, signal) {
    super();
    this.accession = accession;
    this.me = me;
    this.signal = signal;
    this.address = `/api/v1/cases/${encodeURIComponent(accession)}`;
    /** @type {Case | null} */
    this.case = null;
    this.asked = 0;
  }

  /** What the parts of the page show; they are only made once there is one. */
  get now() {
    if (this.case === null) throw new Error("The case has not been fetched");
    return this.case;
  }

  follow() {
    subscribe(["case"], () => void this.load(), this.signal, this.accession);
  }

  /** @param {boolean} [own] */
  async load(own = false) {
    const turn = (this.asked += 1);
    try {
      /** @type {Case} */
      const found = await getJson(this.address, this.signal);
      if (turn !== this.asked) return;
      this.#take(found, own);
    } catch (error) {
      if (!this.signal.aborted) this.dispatchEvent(new CustomEvent("failed", { detail: error }));
    }
  }

  /**
   * @param {Case} found
   * @param {boolean} own
   */
  #take(found, own) {
    const before = this.case;
    this.asked += own ? 1 : 0;
    this.case = found;
    this.dispatchEvent(new CustomEvent("change", { detail: { before, own } }));
  }

  /**
   * Do something to the case, then show what came of it.
   * @param {string} path below the case's address
   * @param {unknown} [body]
   * @param {"POST" | "PUT"} [method]
   * @param {RequestInit} [more]
   */
  async act(path, body = {}, method = "POST", more = {}) {
    const said = await sendJson(method, `${this.address}/${path}`, body, this.signal, more);
    if (said?.clocks && said.accession === this.accession) this.#take(said, true);
    else await this.load(true);
    return said;
  }

  /**
   * The same for one of its glasses.
   * @param {string} barcode
   * @param {string} path
   * @param {unknown} body
   */
  async actOnGlass(barcode, path, body) {
    await sendJson("POST", `/api/v1/glasses/${encodeURIComponent(barcode)}/${path}`, body, this.signal);
    await this.load(true);
  }
}

/**
 * What has changed in a change event.
 * @param {Event} event
 * @returns {Change}
 */
export function changeOf(event) {
  return /** @type {CustomEvent<Change>} */ (event).detail;
}
