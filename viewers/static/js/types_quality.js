/**
 * What the API says about the quality of slides, as types. Nothing runs here.
 *
 * @typedef {"pass" | "review" | "rescan" | "not_evaluated" | "error"} Verdict
 * @typedef {Verdict | "released" | "rejected" | "not_yet"} QualityWord
 * @typedef {[number, number, number, number]} Box x, y, width, height in pixels of level 0
 *
 * @typedef {object} Step one colour of a legend
 * @property {[number, number, number]} colour
 * @property {string} word of a class; empty for values
 * @property {number | null} low
 * @property {number | null} high
 *
 * @typedef {object} QualityMap
 * @property {number} cell pixels of level 0 along a side
 * @property {number} columns
 * @property {number} rows
 * @property {string} address of its picture
 * @property {Step[]} legend
 *
 * @typedef {object} Finding fields that hold nothing are left out
 * @property {string} check
 * @property {string} basis
 * @property {Verdict} state
 * @property {string} unit
 * @property {Record<string, number | string | null>} figures
 * @property {string} [reason]
 * @property {Record<string, number> | null} [thresholds]
 * @property {QualityMap | null} [map]
 * @property {{box: Box, area_mm2?: number | null, most?: number | null}[]} [spots]
 * @property {string[]} [limits]
 * @property {{model: string, version: string} | null} [model]
 *
 * @typedef {object} Run
 * @property {string} run_id
 * @property {string} at
 * @property {{state: Verdict, reasons?: [string, string][], required_missing?: string[]}} verdict
 * @property {Finding[]} findings
 * @property {number | null} [tissue_mm2]
 * @property {number | null} [tissue_examined] 0 to 1
 * @property {{policy_id: string, version: number}} policy
 * @property {{state: "released" | "rejected", by: string, note: string, at: string} | null} human
 *
 * @typedef {object} Suggestion what a rescan would be asked for
 * @property {string} check
 * @property {string} reason
 * @property {[number, number, number, number] | null} region fractions of the image
 *
 * @typedef {object} Quality
 * @property {string} slide_id
 * @property {QualityWord} state
 * @property {Run | null} run
 * @property {{run_id: string, at: string, state: Verdict, human: string | null}[]} runs
 * @property {Suggestion | null} suggestion
 * @property {Record<string, QualityWord>} tray
 * @property {Record<string, string>} people
 * @property {{judge: boolean}} may
 *
 * @typedef {object} Asked an image that the checks ask to be looked at
 * @property {string} slide_id
 * @property {string} run_id
 * @property {string} at
 * @property {"review" | "rescan"} state
 * @property {{check: string, reason: string, unit: string, figures: Record<string, number | string | null>}[]} reasons
 * @property {Suggestion} suggestion
 * @property {string} barcode
 * @property {string} block
 * @property {string} stain
 * @property {string} accession
 * @property {import("./types_case.js").Priority} priority
 * @property {import("./types_case.js").Patient} patient
 */

export {};
