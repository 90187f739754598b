/** The annotations of the open slide: fetched, changed on the screen at once, and saved at once. */
import { getJson, sendJson } from "./api.js";
import { Saving, newId } from "./annotation_saving.js";

/** @typedef {import("./annotation_types.js").Annotation} Annotation */
/** @typedef {import("./annotation_types.js").Content} Content */
/** @typedef {import("./annotation_types.js").AnnotationList} AnnotationList */

const EDITED = /** @type {const} */ (["kind", "parts", "label", "colour", "text", "measurements", "group", "locked"]);

/** Fires `change` whenever what is shown should be drawn again. */
export class AnnotationStore extends EventTarget {
  /** @param {string} slideId @param {AbortSignal} signal */
  constructor(slideId, signal) {
    super();
    this.address = `/api/v1/slides/${encodeURIComponent(slideId)}/annotations`;
    this.signal = signal;
    /** @type {Map<string, Annotation>} */
    this.items = new Map();
    /** @type {import("./annotation_types.js").Group[]} */
    this.groups = [];
    /** @type {Record<string, string>} */
    this.people = {};
    this.may = { annotate: false };
    this.loaded = false;
    /** Why they could not be fetched. @type {unknown} */
    this.failed = null;
    this.selected = /** @type {string | null} */ (null);
    this.hidden = false;
    this.undos = /** @type {(() => Promise<void>)[]} */ ([]);
    /** Removed here: with the version they can be restored by. @type {Map<string, Annotation>} */
    this.gone = new Map();
    this.saving = new Saving({ settle: (made) => this.#settle(made), reload: () => this.load(), tell: () => this.tell() }, signal);
  }

  tell() {
    this.dispatchEvent(new Event("change"));
  }

  async load() {
    try {
      /** @type {AnnotationList} */
      const found = await getJson(this.address, this.signal);
      const kept = [...this.items].filter(([id]) => this.saving.isOurs(id));
      this.items = new Map([...found.annotations.map((at) => /** @type {const} */ ([at.annotation_id, at])), ...kept]);
      Object.assign(this, { groups: found.groups, people: found.people, may: found.may, loaded: true, failed: null });
      if (this.selected && !this.items.has(this.selected)) this.selected = null;
    } catch (error) {
      if (this.signal.aborted) return;
      this.failed = error;
    }
    this.tell();
  }

  get chosen() {
    return (this.selected && this.items.get(this.selected)) || null;
  }

  /** @param {string | null} id */
  select(id) {
    if (this.selected === id) return;
    this.selected = id;
    this.tell();
  }

  toggleHidden() {
    this.hidden = !this.hidden;
    this.tell();
  }

  /** @param {Content} content */
  draw(content) {
    const id = newId();
    const drawn_at = new Date().toISOString();
    this.items.set(id, { ...content, annotation_id: id, version: 0, author: "", drawn_at, origin: { kind: "person", name: "", version: "" }, changed_by: "", changed_at: null, removed: false });
    this.selected = id;
    this.hidden = false;
    this.undos.push(() => this.remove(id, false));
    return this.saving.save(id, () => this.#send(id));
  }

  /** @param {string} id @param {Partial<Content>} patch */
  change(id, patch, undoable = true) {
    const before = this.items.get(id);
    if (!before || JSON.stringify(contentOf({ ...before, ...patch })) === JSON.stringify(contentOf(before))) return Promise.resolve();
    if (undoable) this.undos.push(() => this.change(id, contentOf(before), false));
    this.items.set(id, { ...before, ...patch });
    return this.saving.save(id, () => this.#send(id));
  }

  /** @param {string} id */
  remove(id, undoable = true) {
    if (undoable) this.undos.push(() => this.restore(id));
    return this.saving.save(id, async () => {
      const version = this.items.get(id)?.version;
      if (!version) this.items.delete(id); // never saved
      return version ? sendJson("DELETE", `${this.address}/${id}?version=${version}`, null, this.signal) : null;
    });
  }

  /** @param {string} id */
  restore(id) {
    const version = this.gone.get(id)?.version;
    if (!version) return Promise.resolve();
    return this.saving.save(id, () => sendJson("POST", `${this.address}/${id}/restore`, { version }, this.signal));
  }

  async undo() {
    await this.undos.pop()?.();
  }

  /** @param {string} id @param {boolean} shown */
  async showGroup(id, shown) {
    const address = `${this.address}/groups/${id}`;
    await (shown ? sendJson("POST", `${address}/restore`, {}, this.signal) : sendJson("DELETE", address, null, this.signal));
    if (!shown) this.undos.push(() => this.showGroup(id, true));
    await this.load();
  }

  /** What is here now: drawn if the server does not know it, else changed. @param {string} id */
  async #send(id) {
    const now = this.items.get(id);
    if (!now) return null;
    const content = contentOf(now);
    if (!now.version) return sendJson("POST", this.address, { ...content, annotation_id: id }, this.signal);
    return sendJson("PUT", `${this.address}/${id}`, { ...content, version: now.version }, this.signal);
  }

  /** What the server made of it; what has been changed here meanwhile stays. @param {Annotation} made */
  #settle(made) {
    const id = made.annotation_id;
    if (made.removed) {
      this.gone.set(id, made);
      this.items.delete(id);
      if (this.selected === id) this.selected = null;
      return;
    }
    this.gone.delete(id);
    const { version, author, drawn_at, changed_by, changed_at } = made;
    const here = this.items.get(id);
    this.items.set(id, here ? { ...here, version, author, drawn_at, changed_by, changed_at } : made);
  }
}

/** @param {Annotation} at @returns {Content} */
export function contentOf(at) {
  return /** @type {Content} */ (Object.fromEntries(EDITED.map((name) => [name, at[name]])));
}
