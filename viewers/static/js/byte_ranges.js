/** Byte ranges of files over HTTP; those asked for in one go that lie side by side go as one. */

const TIMEOUT_MS = 20_000;
/** One answer carries at most this much, so that no tile waits for a long row of others. */
const MOST_BYTES = 256 * 1024;

/** @typedef {import("./shard_index.js").Range} Range */
/** @typedef {{address: string, range: Range, signal: AbortSignal, resolve: (part: Part) => void, reject: (error: unknown) => void}} Wish */
/** @typedef {{data: ArrayBuffer, etag: string, fileBytes: number}} Part */

/** @type {Wish[]} */
let wishes = [];

/**
 * A part of a file, together with its neighbours that are asked for before control is given up.
 * @param {string} address
 * @param {Range} range
 * @param {AbortSignal} signal
 * @returns {Promise<Part>}
 */
export function fetchRange(address, range, signal) {
  return new Promise((resolve, reject) => {
    if (wishes.length === 0) queueMicrotask(fetchWishes);
    wishes.push({ address, range, signal, resolve, reject });
  });
}

/**
 * The last bytes of a file.
 * @param {string} address
 * @param {number} count
 * @param {AbortSignal} signal
 */
export function fetchEnd(address, count, signal) {
  return send(address, `bytes=-${count}`, count, signal);
}

/**
 * Rows of wishes that lie side by side in one file.
 * @param {Wish[]} all
 * @returns {Wish[][]}
 */
export function rowsOf(all) {
  const sorted = [...all].sort((a, b) => a.address.localeCompare(b.address) || a.range.start - b.range.start);
  /** @type {Wish[][]} */
  const rows = [];
  for (const wish of sorted) {
    const row = rows.at(-1);
    const [first, last] = [row?.[0], row?.at(-1)];
    const joins =
      first && last && last.address === wish.address && last.range.end === wish.range.start && wish.range.end - first.range.start <= MOST_BYTES;
    if (joins) row?.push(wish);
    else rows.push([wish]);
  }
  return rows;
}

function fetchWishes() {
  const rows = rowsOf(wishes.filter(({ signal }) => !signal.aborted));
  wishes = [];
  for (const row of rows) void fetchRow(row);
}

/** @param {Wish[]} row */
async function fetchRow(row) {
  const [first, last] = [/** @type {Wish} */ (row[0]), /** @type {Wish} */ (row.at(-1))];
  const { start } = first.range;
  const { end } = last.range;
  try {
    const signal = onceAllAborted(row.map((wish) => wish.signal));
    const part = await send(first.address, `bytes=${start}-${end - 1}`, end - start, signal);
    for (const { range, resolve } of row) {
      resolve({ ...part, data: part.data.slice(range.start - start, range.end - start) });
    }
  } catch (error) {
    for (const { reject } of row) reject(error);
  }
}

/**
 * Chromium's cache lets one request at a time write the entry of an address: 24 ranges of a shard
 * would take 24 round trips. What has been drawn stays in OpenSeadragon's memory.
 * @param {string} address
 * @param {string} range
 * @param {number} bytes
 * @param {AbortSignal} signal
 * @returns {Promise<Part>}
 */
async function send(address, range, bytes, signal) {
  const both = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const answer = await fetch(address, { headers: { Range: range }, cache: "no-store", signal: both });
  if (answer.status !== 206) {
    await answer.body?.cancel();
    throw new Error(`${answer.status} ${address}`);
  }
  const data = await answer.arrayBuffer();
  const fileBytes = Number(/\/(\d+)$/.exec(answer.headers.get("Content-Range") ?? "")?.[1]);
  if (data.byteLength !== bytes || !Number.isSafeInteger(fileBytes)) throw new Error(`not the range asked for: ${address}`);
  return { data, etag: answer.headers.get("ETag") ?? "", fileBytes };
}

/**
 * A row is called off when nobody wants any of it.
 * @param {AbortSignal[]} signals
 */
function onceAllAborted(signals) {
  const all = new AbortController();
  const look = () => signals.every(({ aborted }) => aborted) && all.abort();
  for (const signal of signals) signal.addEventListener("abort", look, { once: true });
  return all.signal;
}
