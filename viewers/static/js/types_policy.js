/** A policy as the server keeps it: `storage.records.policy`. */

/**
 * @typedef {"working_days" | "calendar_days" | "minutes"} TimeUnit
 *
 * @typedef {object} Target
 * @property {number} amount
 * @property {TimeUnit} unit
 * @property {number} percent
 * @property {import("./types_case.js").Priority | null} priority
 * @property {string[]} classes
 * @property {string} basis
 * @property {"stated" | "assumed"} mark
 *
 * @typedef {{day: string, name: string}} ClosingDay
 *
 * @typedef {object} Policy
 * @property {number} version
 * @property {string} [effective_from]
 * @property {Target[]} targets
 * @property {Target} fallback
 * @property {Record<string, Target>} digitisation
 * @property {Record<string, Target>} consultation
 * @property {number[]} weekdays
 * @property {number | null} cutoff_hour
 * @property {Record<string, ClosingDay[]>} closing_days
 * @property {number} warn_share
 * @property {boolean} exclude_external_consult
 *
 * @typedef {{version: number, effective_from: string, entered_at: string, entered_by: string}} Entered
 *
 * @typedef {object} PolicyAnswer
 * @property {Policy} policy
 * @property {number} current
 * @property {Entered[]} history
 * @property {string[]} sites
 * @property {{change: boolean}} may
 */

export {};
