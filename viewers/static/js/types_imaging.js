/**
 * What the radiology page works with, as types. Nothing runs here.
 *
 * @typedef {object} Element one attribute in the DICOM JSON model (PS3.18 F)
 * @property {string} vr
 * @property {unknown[]} [Value]
 * @property {string} [InlineBinary]
 * @property {string} [BulkDataURI]
 *
 * @typedef {Record<string, Element | undefined>} Dataset by tag, eight hexadecimal digits
 *
 * @typedef {object} SeriesEntry one series of the study, as the server's catalogue tells it
 * @property {string} series_uid
 * @property {string} modality
 * @property {string} description
 * @property {string} body_part
 * @property {number} number
 * @property {string | null} at
 * @property {string | null} slide_id
 * @property {boolean} received
 *
 * @typedef {object} StudyEntry
 * @property {string} study_uid
 * @property {string} description
 * @property {string | null} at
 * @property {string} accession
 * @property {string | null} case the case of that accession, where the asker may open it
 * @property {import("./types_case.js").Patient} patient
 * @property {boolean} known whether the patient is one of ours
 * @property {SeriesEntry[]} series
 *
 * @typedef {object} Frame one image of a stack
 * @property {Dataset} dataset its attributes, functional groups laid out flat
 * @property {string} sop
 * @property {number} number within its object, from 1
 * @property {number} of how many the object has
 *
 * @typedef {"patient" | "calibrated" | "estimated" | "detector" | "film" | "ultrasound"} SpacingOrigin
 *
 * @typedef {object} Spacing mm from one pixel to the next
 * @property {number} row downwards
 * @property {number} column to the right
 * @property {SpacingOrigin} origin
 *
 * @typedef {object} Window
 * @property {number} center
 * @property {number} width
 * @property {"LINEAR" | "LINEAR_EXACT" | "SIGMOID"} shape
 *
 * @typedef {object} Lut a table of a modality or a window
 * @property {number} first the input its first entry stands for
 * @property {number} bits of its entries
 * @property {ArrayLike<number>} entries
 *
 * @typedef {object} Grey values as stored, and what makes units of them
 * @property {"grey"} kind
 * @property {number} rows
 * @property {number} columns
 * @property {Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array} stored
 * @property {number} low smallest stored value that is not padding
 * @property {number} high
 * @property {[number, number] | null} padding stored values that are no image
 * @property {number} slope
 * @property {number} intercept
 * @property {Lut | null} table in place of slope and intercept
 * @property {boolean} inverted white is low
 *
 * @typedef {object} Colour
 * @property {"colour"} kind
 * @property {number} rows
 * @property {number} columns
 * @property {Uint8ClampedArray<ArrayBuffer>} rgba
 *
 * @typedef {Grey | Colour} Pixels
 *
 * @typedef {object} View how an image lies on the screen
 * @property {number} scale device pixels for one column of the image
 * @property {number} x device pixels from the middle of the stage to the middle of the image
 * @property {number} y
 * @property {number} turns quarters to the right
 * @property {boolean} flipped left to right, before turning
 *
 * @typedef {{x: number, y: number}} Point
 * @typedef {[number, number, number, number, number, number]} Matrix as Canvas takes it
 */

export {};
