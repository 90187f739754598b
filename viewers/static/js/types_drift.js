/**
 * What `/api/v1/quality/drift` answers.
 *
 * @typedef {"learning" | "steady" | "shifted" | "out"} DriftState
 * @typedef {{scanner: string, stain: string, series: "cases" | "reference"}} Channel
 *
 * @typedef {object} Standing
 * @property {string} figure
 * @property {string} unit
 * @property {DriftState} state
 * @property {number} learnt how many observations the baseline rests on
 * @property {number | null} baseline
 * @property {number | null} latest
 * @property {number} recent observations in the last week
 * @property {number | null} psi
 * @property {number | null} psi_limit
 * @property {string | null} since
 * @property {[string, number, number][]} points moment, smoothed score, limit
 *
 * @typedef {Channel & {at: string, state: DriftState, missing: string, standings: Standing[]}} Kept
 * @typedef {Channel & {figure: string, state: DriftState, began_at: string, ended_at: string | null}} Breach
 * @typedef {{channels: Kept[], breaches: Breach[]}} Drift
 * @typedef {{breaches: Breach[], missing: {scanner: string, day: string}[]}} DriftAlerts
 */
export {};
