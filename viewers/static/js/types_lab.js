/**
 * What the API says about the laboratory's day, as types. Nothing runs here.
 *
 * @typedef {import("./types_case.js").Patient} Patient
 * @typedef {import("./types_case.js").Priority} Priority
 * @typedef {import("./types_case.js").Standing} Standing
 * @typedef {"missing" | "failed" | "attention" | "expected" | "queue" | "scanning" | "available" | "glass_only"} Group
 *
 * @typedef {object} ScanItem the open scan of a glass
 * @property {string} item_id
 * @property {"offered" | "claimed"} state
 * @property {string} rack
 * @property {string} slot
 * @property {string} performer
 * @property {string} station
 * @property {number} tries that came to nothing
 * @property {string} queued_at
 *
 * @typedef {object} LabGlass
 * @property {string} barcode
 * @property {string} accession
 * @property {Patient} patient
 * @property {Priority} priority
 * @property {string} state
 * @property {Exclude<Group, "missing">} group
 * @property {boolean} missing
 * @property {string} expected_at
 * @property {string | null} stained_at
 * @property {string | null} waiting_since
 * @property {number | null} took_seconds
 * @property {string | null} due_at
 * @property {Standing} standing
 * @property {string | null} slide_id
 * @property {ScanItem | null} item
 * @property {string} part
 * @property {string} block
 * @property {string} stain
 * @property {string} order_id
 * @property {string} reason
 * @property {string | null} rescan
 * @property {[number, number, number, number] | null} region
 * @property {string} scanner
 * @property {number} scans
 * @property {number} failures
 *
 * @typedef {object} LabOrder
 * @property {string} item_id
 * @property {string} order_id
 * @property {string} accession
 * @property {Patient} patient
 * @property {Priority} priority
 * @property {string} kind
 * @property {string} block
 * @property {string} stain
 * @property {string} note
 * @property {string} placed_by
 * @property {string} placed_at
 * @property {string} accepted_by empty before
 *
 * @typedef {object} UnknownSlide
 * @property {string} item_id
 * @property {string} slide_id
 * @property {string} why
 * @property {boolean} alarm what was read contradicts itself
 * @property {string} metadata the barcode in the file
 * @property {string[]} label the barcodes on the picture of the label
 * @property {string} said the barcode the scanner was handed
 * @property {string} name
 * @property {string | null} scanner
 * @property {string} received_at
 * @property {("label" | "overview")[]} pictures
 * @property {{barcode: string, accession: string, block: string, stain: string}[]} [alike]
 *
 * @typedef {object} ScanQueue
 * @property {number} waiting
 * @property {string | null} oldest_at
 * @property {number | null} median_wait_seconds
 * @property {{name: string, glasses: number, since: string | null}[]} scanners
 * @property {number | null} share_of_turnaround
 * @property {number | null} scan_seconds
 * @property {number | null} whole_seconds
 * @property {number} answered_cases
 *
 * @typedef {object} Lab
 * @property {LabGlass[]} slides
 * @property {Record<string, number>} counts
 * @property {ScanQueue} queue
 * @property {LabOrder[]} orders
 * @property {UnknownSlide[]} unknown
 * @property {number} mismatches
 * @property {Record<string, string>} people
 */

export {};
