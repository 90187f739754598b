/** Reading our DICOMweb: metadata of a series, frames as they are stored, values too large for JSON. */
import { api } from "../vendor/imaging/dicom.js";
import { ApiError, signinAddress } from "./api.js";
import { inlineBytes } from "./imaging_tags.js";

/**
 * @typedef {import("./types_imaging.js").Dataset} Dataset
 * @typedef {import("./types_imaging.js").Element} Attribute
 * @typedef {import("./types_imaging.js").Frame} Frame
 */

const ROOT = "/dicom-web";
/** Whatever it is stored in: the browser decodes it, the server does not. */
const AS_STORED = [{ mediaType: "application/octet-stream", transferSyntaxUID: "*" }];
const LITTLE_ENDIAN = "1.2.840.10008.1.2.1";

/** One study, read with the library that OHIF and Slim read with. */
export class StudyReader {
  /**
   * @param {string} study
   * @param {AbortSignal} signal
   */
  constructor(study, signal) {
    this.study = study;
    /** @type {WeakMap<Attribute, Promise<Uint8Array | null>>} */
    this.fetched = new WeakMap();
    /** The library takes only hooks of two parameters. */
    const stopping = (/** @type {XMLHttpRequest} */ request, /** @type {object} */ _) => {
      signal.addEventListener("abort", () => request.abort(), { once: true });
      return request;
    };
    this.client = new api.DICOMwebClient({ url: location.origin + ROOT, verbose: false, requestHooks: [stopping], errorInterceptor: askToSignIn });
  }

  /**
   * @param {string} series
   * @returns {Promise<Dataset[]>} one of each object
   */
  async metadata(series) {
    const told = await answered(this.client.retrieveSeriesMetadata({ studyInstanceUID: this.study, seriesInstanceUID: series }));
    return /** @type {Dataset[]} */ (told);
  }

  /**
   * One frame as stored, and in which transfer syntax.
   * @param {string} series
   * @param {Frame} frame
   */
  async frame(series, frame) {
    const named = { studyInstanceUID: this.study, seriesInstanceUID: series, sopInstanceUID: frame.sop };
    const [part] = await answered(this.client.retrieveInstanceFrames({ ...named, frameNumbers: String(frame.number), mediaTypes: AS_STORED }));
    if (!part) throw new ApiError(404, `${ROOT}/…/frames/${frame.number}`);
    return { bytes: new Uint8Array(part), syntax: (part.transferSyntaxUID ?? "").replaceAll('"', "") || LITTLE_ENDIAN };
  }

  /**
   * The bytes of an attribute, wherever they stand; null when there are none. Asked for once.
   * @param {Attribute | undefined} attribute
   * @returns {Promise<Uint8Array | null>}
   */
  bytes(attribute) {
    if (!attribute) return Promise.resolve(null);
    const known = this.fetched.get(attribute) ?? this.#fetch(attribute);
    this.fetched.set(attribute, known);
    known.catch(() => this.fetched.delete(attribute));
    return known;
  }

  /** @param {Attribute} attribute */
  async #fetch(attribute) {
    const inline = inlineBytes(attribute) ?? fromWords(attribute);
    if (inline || !attribute.BulkDataURI) return inline;
    const address = new URL(attribute.BulkDataURI, location.href);
    if (address.origin !== location.origin) throw new Error("bulk data elsewhere");
    const [part] = await answered(this.client.retrieveBulkData({ BulkDataURI: address.href }));
    return part ? new Uint8Array(part) : null;
  }
}

/** Tables may stand as numbers. @param {Attribute | undefined} attribute */
function fromWords(attribute) {
  if (!attribute?.Value || attribute.vr === "SQ") return null;
  return new Uint8Array(Uint16Array.from(attribute.Value, Number).buffer);
}

/**
 * @template T
 * @param {Promise<T>} asked
 */
async function answered(asked) {
  try {
    return await asked;
  } catch (error) {
    const status = Number(/** @type {{status?: number}} */ (error)?.status ?? 0);
    throw new ApiError(status, ROOT);
  }
}

/** @param {object} error */
function askToSignIn(error) {
  if (/** @type {{status?: number}} */ (error).status === 401) location.assign(signinAddress());
}

/** @param {string} study @param {string} series */
export function thumbnailAddress(study, series) {
  return `${ROOT}/studies/${study}/series/${series}/thumbnail`;
}
