/**
 * What belongs to a case, as types. Nothing runs here.
 *
 * @typedef {"preliminary" | "final" | "supplementary" | "corrected"} ReportKind
 *
 * @typedef {object} Scan
 * @property {number} number
 * @property {string} state
 * @property {string} scanner
 * @property {string} slide_id
 * @property {string} reason
 * @property {string | null} scanned_at
 * @property {string | null} available_at
 *
 * @typedef {object} Glass an expected glass with its scans, oldest first
 * @property {string} barcode
 * @property {string} part
 * @property {string} block
 * @property {string} stain
 * @property {string} state
 * @property {string} reason
 * @property {string | null} slide_id the scan to read
 * @property {string | null} rescan
 * @property {string} order_id
 * @property {Scan[]} scans
 *
 * @typedef {object} Specimen
 * @property {string} part
 * @property {string} topography
 * @property {string} description
 * @property {string[]} blocks
 * @property {string | null} taken_at
 * @property {string | null} received_at
 *
 * @typedef {object} Order
 * @property {string} order_id
 * @property {string} kind
 * @property {string} block
 * @property {string} stain
 * @property {string} note
 * @property {string} placed_by
 * @property {string} placed_at
 * @property {string | null} accepted_at
 * @property {string | null} fulfilled_at
 * @property {string | null} cancelled_at
 * @property {string} reason
 *
 * @typedef {object} Consultation
 * @property {string} consultation_id
 * @property {string} distance
 * @property {string} asked
 * @property {string} question
 * @property {string} requested_by
 * @property {string} requested_at
 * @property {string[]} slides
 * @property {boolean} await_before_signing
 * @property {string | null} due
 * @property {string} consultant
 * @property {string | null} accepted_at
 * @property {string | null} answered_at
 * @property {string | null} closed_at
 * @property {string} opinion
 * @property {"agree" | "partly" | "disagree" | null} agreement
 * @property {string} reason
 *
 * @typedef {object} Flag
 * @property {string} flag_id
 * @property {"note" | "must_see"} severity
 * @property {string} text
 * @property {string} raised_by
 * @property {string} raised_at
 * @property {string} barcode
 * @property {string | null} closed_at
 * @property {string} closed_by
 * @property {string} reason
 *
 * @typedef {object} Pause
 * @property {string} pause_id
 * @property {string} reason
 * @property {string} actor
 * @property {string} evidence
 * @property {string} began_at
 * @property {string | null} ended_at
 *
 * @typedef {object} Report
 * @property {number} version
 * @property {ReportKind} kind
 * @property {string} text
 * @property {string[]} codes
 * @property {string} signed_by
 * @property {string} signed_at
 * @property {string[]} overridden
 * @property {string} override_reason
 * @property {string | null} distributed_at
 * @property {string | null} acknowledged_at
 *
 * @typedef {{kind: ReportKind, text: string, codes: string[], by: string, at: string}} Draft
 * @typedef {{text: string, reason: string, expected_at: string, by: string, at: string}} Preliminary
 *
 * @typedef {object} Clock
 * @property {string} key K1 to K11
 * @property {string} [about]
 * @property {string} start
 * @property {string | null} stop
 * @property {boolean} running
 * @property {number} seconds
 * @property {number} paused_seconds
 * @property {number} net_seconds
 * @property {number} working_days
 * @property {string | null} due
 * @property {boolean | null} in_time
 */

export {};
