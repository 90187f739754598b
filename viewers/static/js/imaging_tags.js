/** Attributes of a dataset in the DICOM JSON model (PS3.18 F.2), by tag. */

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 * @typedef {import("./types_imaging.js").Element} Attribute
 */

const SHARED = "52009229";
const PER_FRAME = "52009230";

/**
 * All values of an attribute; none when it is missing or empty.
 * @param {Dataset} dataset
 * @param {string} tag
 * @returns {unknown[]}
 */
export function values(dataset, tag) {
  return dataset[tag]?.Value ?? [];
}

/**
 * The first value as text; a person's name in the order people write it.
 * @param {Dataset} dataset
 * @param {string} tag
 */
export function text(dataset, tag) {
  const [first] = values(dataset, tag);
  if (first === undefined || first === null) return "";
  if (typeof first === "object") return personName(/** @type {Record<string, string>} */ (first));
  return String(first).trim();
}

/**
 * All values as numbers; what is no number is left out.
 * @param {Dataset} dataset
 * @param {string} tag
 * @returns {number[]}
 */
export function numbers(dataset, tag) {
  return values(dataset, tag).map((value) => (value === null || value === "" ? NaN : Number(value))).filter(Number.isFinite);
}

/**
 * The first value as a number, or what stands for it.
 * @template T
 * @param {Dataset} dataset
 * @param {string} tag
 * @param {T} otherwise
 */
export function number(dataset, tag, otherwise) {
  return numbers(dataset, tag)[0] ?? otherwise;
}

/**
 * The items of a sequence.
 * @param {Dataset} dataset
 * @param {string} tag
 * @returns {Dataset[]}
 */
export function items(dataset, tag) {
  return /** @type {Dataset[]} */ (values(dataset, tag).filter((item) => typeof item === "object" && item !== null));
}

/**
 * The attributes of one frame: its functional groups (PS3.3 C.7.6.16) laid out flat, its own over
 * the shared ones over the object's.
 * @param {Dataset} dataset
 * @param {number} frame from 0
 * @returns {Dataset}
 */
export function ofFrame(dataset, frame) {
  const own = items(dataset, PER_FRAME)[frame];
  const shared = items(dataset, SHARED)[0];
  if (!own && !shared) return dataset;
  return Object.assign({}, dataset, ...macros(shared), ...macros(own));
}

/** @param {Dataset | undefined} group */
function macros(group) {
  return Object.keys(group ?? {}).map((tag) => items(group ?? {}, tag)[0] ?? {});
}

/** @param {Record<string, string>} name */
function personName(name) {
  const [family = "", given = "", middle = "", prefix = "", suffix = ""] = (name.Alphabetic ?? name.Ideographic ?? "").split("^");
  return [prefix, given, middle, family, suffix].map((part) => part.trim()).filter(Boolean).join(" ");
}

/**
 * Bytes that stand in the dataset itself.
 * @param {Attribute | undefined} attribute
 * @returns {Uint8Array | null}
 */
export function inlineBytes(attribute) {
  if (attribute?.InlineBinary === undefined) return null;
  return Uint8Array.from(atob(attribute.InlineBinary), (character) => character.charCodeAt(0));
}
