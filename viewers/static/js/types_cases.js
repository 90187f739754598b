/**
 * A line of a list of cases, as a type. Nothing runs here.
 *
 * @typedef {"mine" | "asked" | "unassigned" | "unit"} ListName
 *
 * @typedef {object} Question
 * @property {string} consultation_id
 * @property {string} question
 * @property {string} requested_by_name
 * @property {string} requested_at
 * @property {string | null} due
 * @property {boolean} accepted
 *
 * @typedef {object} LineParts
 * @property {number} slides glasses the case waits for
 * @property {number} readable of them
 * @property {string[]} missing barcodes of the first of the others
 * @property {number} flags that are to be seen before signing
 * @property {number} awaited_opinions asked for, not answered
 * @property {number} answered_opinions
 * @property {number} open_orders
 * @property {number} rescans under way
 * @property {string | null} newest_image_at
 * @property {string | null} opened_at
 * @property {boolean} draft
 * @property {string[]} oddities
 * @property {Question[]} [questions] open ones to the asker, on the list of questions
 *
 * @typedef {import("./types_case.js").CaseRow & LineParts} CaseLine
 *
 * @typedef {object} CaseList
 * @property {CaseLine[]} cases who will miss the goal first is first
 * @property {Record<ListName | "waiting_in_lab", number>} counts
 */

export {};
