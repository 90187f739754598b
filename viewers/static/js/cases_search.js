/** What is typed: in this list by everything on a line, beyond it by number, never in an address. */
import { sendJson } from "./api.js";

/** @typedef {import("./types_cases.js").CaseLine} CaseLine */

const SHORTEST = 3;
const MOST = 80;
const PAUSE_MS = 250;

export class CaseSearch {
  /**
   * @param {HTMLInputElement} input
   * @param {() => void} changed
   * @param {(error: unknown) => void} failed
   * @param {AbortSignal} signal
   */
  constructor(input, changed, failed, signal) {
    this.input = input;
    /** @type {CaseLine[]} */
    this.found = [];
    let timer = 0;
    const look = async () => {
      const { text } = this;
      if (text.length < SHORTEST) return;
      try {
        const answer = await sendJson("POST", "/api/v1/cases/search", { text: text.slice(0, MOST) }, signal);
        if (this.text === text) this.found = answer.cases;
        changed();
      } catch (error) {
        if (!signal.aborted) failed(error);
      }
    };
    input.addEventListener("input", () => {
      window.clearTimeout(timer);
      this.found = [];
      changed();
      timer = window.setTimeout(() => void look(), PAUSE_MS);
    });
  }

  get text() {
    return this.input.value.trim();
  }

  /** @param {CaseLine[]} lines of the list; with those found beyond it after them */
  lines(lines) {
    if (this.text === "") return lines;
    const here = lines.filter((line) => this.#matches(line));
    const known = new Set(here.map((line) => line.accession));
    return [...here, ...this.found.filter((line) => !known.has(line.accession))];
  }

  /** @param {CaseLine} line */
  #matches({ accession, patient, requester, assignee_name: assignee }) {
    const number = patient.identifier;
    const all = [accession, patient.name, number, number.replace("-", ""), requester, assignee].join(" ").toLocaleLowerCase();
    return this.text.toLocaleLowerCase().split(/\s+/).every((word) => all.includes(word));
  }
}
