/** What `GET /api/v1/turnaround` answers; the server's `figures_json.py` says what each is. */

/**
 * @typedef {{median: number, p90: number, p95: number, max: number}} Spread
 *
 * @typedef {object} Figures
 * @property {number} n
 * @property {number} within
 * @property {number | null} percent
 * @property {number | null} promised
 * @property {number} within_net
 * @property {Spread | null} gross
 * @property {Spread | null} net
 * @property {Spread | null} working_days
 * @property {number | null} paused_share
 * @property {number} backdated
 * @property {Record<string, number>} step_medians
 * @property {Record<string, number>} step_means
 *
 * @typedef {Figures & {key: string[]}} Group
 *
 * @typedef {{n: number, open: number, percent: number | null, low: number | null, high: number | null, median: number | null, p90: number | null, p95: number | null}} Estimate
 * @typedef {{calm: number, warn: number, late: number}} Standing
 * @typedef {Standing & {step: string}} Waiting
 * @typedef {{told: number, unsure: number, likely: number, expected: number, causes: Record<string, number>}} Ahead
 * @typedef {{least: number, most: number | null, n: number, late: number}} Age
 *
 * @typedef {object} Today
 * @property {number} open
 * @property {Standing} standing
 * @property {Waiting[]} waiting
 * @property {number} preliminary_demanded
 * @property {Ahead | null} ahead
 * @property {Age[]} ages
 *
 * @typedef {object} Published
 * @property {string} month
 * @property {string} unit
 * @property {number} edition
 * @property {number} policy_version
 * @property {string} published_at
 * @property {string} by
 * @property {number} n
 * @property {number | null} percent
 *
 * @typedef {object} LateCase
 * @property {string} accession
 * @property {import("./types_case.js").Priority} priority
 * @property {string} specimen_class
 * @property {string | null} due_at
 * @property {import("./types_case.js").Standing & {step: string}} standing
 *
 * @typedef {object} Turnaround
 * @property {string} month
 * @property {string} unit
 * @property {string} site
 * @property {string[]} units
 * @property {string[]} sites
 * @property {number} policy_version
 * @property {{event_id: number, at: string}} cut
 * @property {Figures} whole
 * @property {Estimate} estimate
 * @property {Record<string, Group[]>} groups
 * @property {{late: number, steps: Record<string, number>, reasons: Record<string, number>}} causes
 * @property {Today} today
 * @property {{week: Group[], month: Group[]}} trend
 * @property {Published[]} published
 * @property {LateCase[] | null} late_cases
 * @property {{publish: boolean}} may
 */

export {};
