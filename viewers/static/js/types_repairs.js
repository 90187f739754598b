/**
 * What the API says about the repair list, as types. Nothing runs here.
 *
 * @typedef {"two_accessions" | "image_after_closing" | "scan_failed" | "undelivered" | "set_aside" | "long_pause" | "own_pause" | "clock_set_back" | "backdated"} RepairKind
 *
 * @typedef {object} Repair
 * @property {string} repair_id
 * @property {RepairKind} kind
 * @property {string} accession
 * @property {boolean} has_case
 * @property {string} recorded_at
 * @property {string | null} occurred_at
 * @property {string} actor
 * @property {string} source
 * @property {string} what the kind of the event
 * @property {string} reason
 * @property {Record<string, any>} about
 * @property {number} count
 * @property {("retry" | "dismiss" | "scan")[]} acts
 *
 * @typedef {object} RepairList
 * @property {Repair[]} repairs
 * @property {Record<string, number>} counts
 * @property {Record<string, string>} people
 */

export {};
