/**
 * What the API says about cases, as types. Nothing runs here.
 *
 * @typedef {"ordered" | "received" | "in_lab" | "scanning" | "ready" | "reading" | "awaiting" | "draft" | "preliminary" | "signed" | "distributed" | "supplementing" | "correcting" | "cancelled" | "rejected"} CaseState
 * @typedef {"routine" | "package" | "urgent"} Priority
 * @typedef {"preliminary" | "final" | "supplementary" | "corrected"} ReportKind
 *
 * @typedef {object} Patient
 * @property {string} name
 * @property {string} identifier
 * @property {string} kind cpr, x_ecpr or d_ecpr
 * @property {string | null} birth_date
 * @property {string} sex
 * @property {number | null} age
 *
 * @typedef {object} Standing
 * @property {"calm" | "warn" | "late" | "done" | "none"} state
 * @property {number | null} share of the allowed time
 * @property {number | null} slack_seconds
 * @property {number | null} left_days
 * @property {number | null} left_hours
 * @property {number | null} left_minutes
 * @property {boolean} preliminary_demanded
 * @property {boolean} [over]
 * @property {boolean} [working] whether the days left are working days
 * @property {boolean | null} [in_time] once answered
 *
 * @typedef {object} CaseRow
 * @property {string} accession
 * @property {Patient} patient
 * @property {string} site
 * @property {string} unit
 * @property {CaseState} state
 * @property {string} assignee
 * @property {string} assignee_name
 * @property {Priority} priority
 * @property {string} specimen_class
 * @property {string} subspecialty
 * @property {string} requester
 * @property {string | null} received_at
 * @property {string | null} ready_at
 * @property {string | null} due_at
 * @property {Standing} standing
 * @property {{probability_late: number, cause: string, expected_at: string | null} | null} forecast
 * @property {string} updated_at
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
 *
 * @typedef {object} CaseParts
 * @property {string} clinical_information
 * @property {Record<string, any>[]} why each with its code
 * @property {Specimen[]} specimens
 * @property {Glass[]} slides
 * @property {Order[]} orders
 * @property {Consultation[]} consultations
 * @property {Flag[]} flags
 * @property {Pause[]} pauses
 * @property {Report[]} reports
 * @property {Draft | null} draft
 * @property {Preliminary[]} preliminaries
 * @property {string[]} standing_in_the_way
 * @property {Clock[]} clocks
 * @property {{step: string, seconds: number, running?: boolean}[]} steps in turn
 * @property {CaseRow[]} earlier
 * @property {{report: boolean, assign: boolean, answer: boolean, run_lab: boolean, enter: boolean}} may
 * @property {boolean} responsible
 * @property {string | null} opened_at
 * @property {string} closing_reason
 * @property {Record<string, string>} [people] full names of those the case mentions
 * @property {string | null} assigned_by
 *
 * @typedef {CaseRow & CaseParts} Case
 *
 * @typedef {object} OfSlide what is read beside the slide
 * @property {string} barcode
 * @property {number} scan
 * @property {string | null} current_slide_id
 * @property {string | null} opened_at
 * @property {Glass[]} slides
 * @property {Consultation[]} consultations
 * @property {Flag[]} flags
 * @property {Report[]} reports
 * @property {Preliminary[]} preliminaries
 * @property {Draft | null} draft
 * @property {string} clinical_information
 * @property {Specimen[]} specimens
 * @property {string[]} standing_in_the_way
 * @property {boolean} responsible
 * @property {Record<string, string>} people
 * @property {{rescan: boolean}} may
 *
 * @typedef {CaseRow & OfSlide} SlideCase
 *
 * @typedef {{name: string, full_name: string, unit: string, subspecialties: string[], absent: boolean, open_cases: number}} Colleague
 */

export {};
