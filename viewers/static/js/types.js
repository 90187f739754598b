/**
 * What the JSON API says, as types. Nothing runs here.
 *
 * @typedef {"ready" | "complete"} SlideState
 * @typedef {"received" | "reading" | "ready" | "completing" | "complete" | "quarantined" | "failed"} IntakeState
 * @typedef {"starting" | "running" | "backing_off" | "stopped"} ProcessState
 * @typedef {"neutral" | "attention" | "failed" | "done"} Tone
 *
 * @typedef {object} Slide
 * @property {string} slide_id
 * @property {string} fingerprint
 * @property {string} name
 * @property {SlideState} state
 * @property {number} width
 * @property {number} height
 * @property {[number, number][]} levels
 * @property {number} tile_size
 * @property {number | null} mpp
 * @property {"header" | "dicom" | "tiff_resolution" | "unknown"} mpp_origin
 * @property {number | null} objective_power
 * @property {string | null} scanner
 * @property {string} vendor
 * @property {string | null} barcode
 * @property {string} received_at
 * @property {string} ready_at
 * @property {string | null} complete_at
 * @property {number} seconds
 * @property {number | null} complete_seconds
 * @property {("label" | "overview" | "thumbnail")[]} associated
 * @property {string[]} notices
 * @property {boolean} icc
 * @property {number} bytes
 * @property {boolean} copied
 * @property {Channels | null} [channels] null for brightfield; lists leave it out
 * @property {string | null} [accession] of the case it belongs to; lists leave it out
 *
 * @typedef {object} Channels
 * @property {number} bits
 * @property {number} most the largest grey level
 * @property {Channel[]} list
 *
 * @typedef {object} Channel
 * @property {string} name
 * @property {string} color RRGGBB
 * @property {number} low
 * @property {number} high
 * @property {number | null} emission_nm
 * @property {number | null} excitation_nm
 *
 * @typedef {object} Colour what a slide's ICC profile does; differences in ΔE2000
 * @property {boolean} usable
 * @property {string} [reason] why it cannot be used
 * @property {string} [name]
 * @property {boolean} [srgb] the colours are right as they are
 * @property {number} [error]
 * @property {number} [change]
 *
 * @typedef {object} Intake
 * @property {string} intake_id
 * @property {string} name
 * @property {"watch" | "command" | "upload" | "dicom"} source
 * @property {IntakeState} state
 * @property {string | null} reason
 * @property {string | null} detail
 * @property {number} attempts
 * @property {string} received_at
 * @property {string} updated_at
 * @property {string | null} slide_id
 * @property {number} bytes
 * @property {number} done
 * @property {number} total
 * @property {number | null} seconds
 *
 * @typedef {object} Worklist
 * @property {Slide[]} slides
 * @property {Intake[]} arriving
 * @property {number} quarantined
 *
 * @typedef {object} IntakeList
 * @property {Intake[]} intake
 * @property {Record<string, number>} counts
 *
 * @typedef {object} Process
 * @property {string} name
 * @property {ProcessState} state
 * @property {number | null} pid
 * @property {number} restarts
 * @property {string | null} since
 *
 * @typedef {object} FlowRun
 * @property {string} name
 * @property {string} flow
 * @property {string | null} slide_id
 * @property {string} state
 * @property {string | null} started_at
 * @property {boolean} done it ended well, whatever it calls that
 * @property {number | null} seconds
 * @property {string} url
 *
 * @typedef {object} Ops
 * @property {string} version
 * @property {string} started_at
 * @property {Process[]} processes
 * @property {{state: "starting" | "up" | "down"}} prefect
 * @property {{total: number, free: number, originals: number, pyramids: number}} disk
 * @property {FlowRun[]} flow_runs
 * @property {SetAside[]} dicom_quarantine
 * @property {import("./types_drift.js").DriftAlerts} drift
 *
 * @typedef {{sha256: string, reason: string, bytes: number, received_at: string, received_from: string}} SetAside
 */

/**
 * @typedef {object} Forward
 * @property {string} forward_id
 * @property {string} peer
 * @property {string} series_uid
 * @property {string} modality
 * @property {string | null} slide_id
 * @property {"waiting" | "sent" | "kept" | "refused"} state
 * @property {number} attempts
 * @property {string} reason
 * @property {string} failed the object it failed at
 * @property {number} objects
 * @property {number} done
 * @property {string} created_at
 * @property {string | null} next_at
 * @property {string | null} sent_at
 *
 * @typedef {object} ForwardRule
 * @property {string} rule_id
 * @property {string} peer
 * @property {"slide_complete" | "final_report" | "series_received"} on
 * @property {string[]} modalities
 * @property {string[]} units
 * @property {string[]} stains
 * @property {string[]} received_from
 *
 * @typedef {object} Forwarding
 * @property {Forward[]} forwarding
 * @property {Record<string, number>} counts
 * @property {ForwardRule[]} rules
 * @property {string[]} peers
 */

export {};
