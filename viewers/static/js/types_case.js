/**
 * What the API says about cases, as types. Nothing runs here.
 *
 * @typedef {import("./types_case_parts.js").Scan} Scan
 * @typedef {import("./types_case_parts.js").Glass} Glass
 * @typedef {import("./types_case_parts.js").Specimen} Specimen
 * @typedef {import("./types_case_parts.js").Order} Order
 * @typedef {import("./types_case_parts.js").Consultation} Consultation
 * @typedef {import("./types_case_parts.js").Flag} Flag
 * @typedef {import("./types_case_parts.js").Pause} Pause
 * @typedef {import("./types_case_parts.js").Report} Report
 * @typedef {import("./types_case_parts.js").Clock} Clock
 * @typedef {import("./types_case_parts.js").Draft} Draft
 * @typedef {import("./types_case_parts.js").Preliminary} Preliminary
 * @typedef {import("./types_case_parts.js").ReportKind} ReportKind
 *
 * @typedef {"ordered" | "received" | "in_lab" | "scanning" | "ready" | "reading" | "awaiting" | "draft" | "preliminary" | "signed" | "distributed" | "supplementing" | "correcting" | "cancelled" | "rejected"} CaseState
 * @typedef {"routine" | "package" | "urgent"} Priority
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
