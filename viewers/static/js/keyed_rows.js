/**
 * A table body kept in step with a list. Rows are changed in place; while the pointer is on the
 * list nothing is added, taken away or moved: the caller says how much waits.
 *
 * @template T
 */
export class KeyedRows {
  /**
   * @param {HTMLElement} body
   * @param {{key: (item: T) => string, create: (item: T) => HTMLTableRowElement, update: (row: HTMLTableRowElement, item: T) => void}} how
   */
  constructor(body, how) {
    this.body = body;
    this.how = how;
    /** @type {Map<string, HTMLTableRowElement>} */
    this.rows = new Map();
    this.filled = false;
  }

  /**
   * @param {T[]} items in the order wanted
   * @param {boolean} hold keep rows where they are
   * @returns {number} how many rows wait to be shown
   */
  show(items, hold) {
    const wanted = new Map(items.map((item) => [this.how.key(item), item]));
    for (const [key, row] of this.rows) {
      const item = wanted.get(key);
      row.classList.toggle("gone", item === undefined);
      if (item !== undefined) this.how.update(row, item);
    }
    const fresh = [...wanted.keys()].filter((key) => !this.rows.has(key));
    if (hold && this.filled) return fresh.length;
    this.#arrange(wanted);
    this.filled = true;
    return 0;
  }

  /** Take every row away: another list comes. */
  clear() {
    this.rows.clear();
    this.filled = false;
    this.body.replaceChildren();
  }

  /** Whether the rows that are shown stand as these would. @param {T[]} items */
  isInOrder(items) {
    const shown = [...this.rows.keys()];
    const standing = [...this.body.children].map((row) => row instanceof HTMLElement && row.dataset.key);
    const wanted = items.map((item) => this.how.key(item));
    return shown.every((key) => wanted.includes(key)) && wanted.filter((key) => this.rows.has(key)).every((key, at) => standing[at] === key);
  }

  /** @param {Map<string, T>} wanted */
  #arrange(wanted) {
    if (!this.filled) this.body.replaceChildren();
    for (const [key, row] of this.rows) {
      if (wanted.has(key)) continue;
      row.remove();
      this.rows.delete(key);
    }
    let place = this.body.firstElementChild;
    for (const [key, item] of wanted) {
      let row = this.rows.get(key);
      if (!row) {
        row = this.how.create(item);
        this.how.update(row, item);
        row.classList.toggle("entering", this.filled);
        this.rows.set(key, row);
      }
      if (row === place) place = place.nextElementSibling;
      else this.body.insertBefore(row, place);
    }
  }
}
