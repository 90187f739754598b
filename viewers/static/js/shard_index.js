/** A Zarr shard's index: where each tile's bytes lie in the file, little-endian, checked. */

const ENTRY_BYTES = 16;
const SUM_BYTES = 4;
const ABSENT = 0xffff_ffff_ffff_ffffn;
/** Castagnoli's polynomial, reflected (RFC 3720). */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, at) => {
  let sum = at;
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
  return sum;
});

/** @typedef {{start: number, end: number}} Range bytes of a file, `end` not included */

/** @param {number} tiles in a shard */
export function indexBytes(tiles) {
  return tiles * ENTRY_BYTES + SUM_BYTES;
}

/**
 * The tiles' ranges in the file, null where a tile is absent. Throws where the index does not
 * match its checksum or points outside of the file.
 * @param {ArrayBuffer} data the file's last bytes
 * @param {number} fileBytes
 * @returns {(Range | null)[]}
 */
export function readIndex(data, fileBytes) {
  const body = new Uint8Array(data, 0, data.byteLength - SUM_BYTES);
  const view = new DataView(data);
  if (view.getUint32(body.length, true) !== crc32c(body)) throw new Error("a shard's index is damaged");
  const most = BigInt(fileBytes - data.byteLength);
  return Array.from({ length: body.length / ENTRY_BYTES }, (_, at) => {
    const start = view.getBigUint64(at * ENTRY_BYTES, true);
    const length = view.getBigUint64(at * ENTRY_BYTES + 8, true);
    if (length === ABSENT) return null;
    if (start + length > most) throw new Error("a tile lies outside its shard");
    return { start: Number(start), end: Number(start + length) };
  });
}

/** @param {Uint8Array} bytes */
function crc32c(bytes) {
  let sum = 0xffff_ffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ (TABLE[(sum ^ byte) & 0xff] ?? 0);
  return (sum ^ 0xffff_ffff) >>> 0;
}
