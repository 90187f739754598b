/**
 * Groups of many thousands: outlines where there is room for them, else a dot for each, and where even
 * dots would be too many only some of them. How many are shown is told.
 */
import { getBytes } from "./api.js";
import { blocksIn, pathOf, sizeOf, startsOf } from "./annotation_blocks.js";
import { scaleOf, toScreen } from "./annotation_frame.js";
import { NO_COLOUR } from "./annotation_layer.js";
import { DOTS } from "./annotation_shapes.js";

/** @typedef {import("./annotation_types.js").Group} Group */
/** @typedef {import("./annotation_types.js").Box} Box */
/** @typedef {import("./annotation_frame.js").Frame} Frame */
/** @typedef {{shown: number, of: number, dots: boolean}} Share of what lies in the field */

const MOST_OUTLINES = 8_000;
const MOST_DOTS = 15_000;
/** Smaller than this on the screen an outline is a dot. */
const LEAST_PX = 3;
const MOST_KEPT = 200;

/** Draws groups; fetches what it needs, and asks to be drawn again. */
export class AnnotationGroups {
  /** @param {import("./annotation_store.js").AnnotationStore} store @param {() => void} again @param {AbortSignal} signal */
  constructor(store, again, signal) {
    this.store = store;
    this.again = again;
    this.signal = signal;
    /** @type {Map<string, Float32Array | null>} null while they come */
    this.middles = new Map();
    /** @type {Map<string, Path2D | null>} by group and block, the latest last */
    this.blocks = new Map();
    /** @type {(share: Share | null) => void} */
    this.tell = () => undefined;
  }

  /** @param {CanvasRenderingContext2D} context @param {Frame} frame @param {Box} seen */
  paint(context, frame, seen) {
    const inView = this.store.groups.map((group) => ({ group, blocks: blocksIn(group, seen) }));
    const of = inView.reduce((sum, { group, blocks }) => sum + blocks.reduce((all, at) => all + (group.blocks[at]?.[0] ?? 0), 0), 0);
    if (!of) return this.tell(null);
    const outlined = of <= MOST_OUTLINES && sizeOf(inView.map(({ group }) => group), frame) >= LEAST_PX;
    if (outlined && inView.every(({ group, blocks }) => this.#ready(group, blocks))) {
      for (const { group, blocks } of inView) {
        if (DOTS.includes(group.kind)) this.#dots(context, frame, group, blocks, 1);
        else this.#outlines(context, frame, group, blocks);
      }
      return this.tell({ shown: of, of, dots: false });
    }
    const every = Math.max(1, Math.ceil(of / MOST_DOTS));
    let shown = 0;
    for (const { group, blocks } of inView) shown += this.#dots(context, frame, group, blocks, every);
    this.tell({ shown, of, dots: true });
  }

  /** Whether all these blocks are here; those that are not are fetched. @param {Group} group @param {number[]} blocks */
  #ready(group, blocks) {
    let all = true;
    for (const number of DOTS.includes(group.kind) ? [] : blocks) {
      const key = `${group.group_id}/${number}`;
      const known = this.blocks.get(key);
      if (known === undefined) void this.#fetch(key, `${this.store.address}/groups/${group.group_id}/blocks/${number}`);
      if (!known) all = false;
      else if (this.blocks.delete(key)) this.blocks.set(key, known); // asked for last
    }
    return all;
  }

  /** @param {string} key @param {string} address */
  async #fetch(key, address) {
    this.blocks.set(key, null);
    try {
      this.blocks.set(key, pathOf(await getBytes(address, this.signal)));
      for (const old of this.blocks.keys()) {
        if (this.blocks.size <= MOST_KEPT) break;
        this.blocks.delete(old);
      }
    } catch {
      this.blocks.delete(key); // asked for again with the next move
      return;
    }
    this.again();
  }

  /** @param {CanvasRenderingContext2D} context @param {Frame} frame @param {Group} group @param {number[]} blocks */
  #outlines(context, frame, group, blocks) {
    context.save();
    context.transform(frame.a, frame.b, frame.c, frame.d, frame.e, frame.f);
    context.strokeStyle = `#${group.colour || NO_COLOUR}`;
    context.lineWidth = 1.5 / scaleOf(frame);
    for (const number of blocks) {
      const path = this.blocks.get(`${group.group_id}/${number}`);
      if (path) context.stroke(path);
    }
    context.restore();
  }

  /** @param {CanvasRenderingContext2D} context @param {Frame} frame @param {Group} group @param {number[]} blocks @param {number} every */
  #dots(context, frame, group, blocks, every) {
    const places = this.middles.get(group.group_id);
    if (!places) {
      if (places === undefined) void this.#middles(group);
      return 0;
    }
    context.fillStyle = `#${group.colour || NO_COLOUR}`;
    const starts = startsOf(group);
    let shown = 0;
    for (const number of blocks) {
      const [from = 0, count = 0] = [starts[number], group.blocks[number]?.[0]];
      for (let at = from + ((every - (from % every)) % every); at < from + count; at += every) {
        const [x, y] = toScreen(frame, [places[2 * at] ?? 0, places[2 * at + 1] ?? 0]);
        context.fillRect(x - 1.5, y - 1.5, 3, 3);
        shown += 1;
      }
    }
    return shown;
  }

  /** @param {Group} group */
  async #middles({ group_id }) {
    this.middles.set(group_id, null);
    try {
      this.middles.set(group_id, new Float32Array(await getBytes(`${this.store.address}/groups/${group_id}/middles`, this.signal)));
      this.again();
    } catch {
      this.middles.delete(group_id);
    }
  }
}
