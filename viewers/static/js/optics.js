/**
 * What an objective means on a screen, and back. Pure arithmetic.
 * By convention 10x shows 1 µm in one pixel: an objective of power p shows 10/p µm.
 * Downsample: level-0 pixels in one screen pixel.
 */

export const POWERS = [1, 2, 4, 10, 20, 40];
const RATIOS = [32, 16, 8, 4, 2, 1];
const MPP_AT_POWER_1 = 10;
export const MOST_OVERSAMPLING = 2;
/** Scanners give 0.5021 µm where 0.5 is meant; 40x must not be lost over that. */
const TOLERANCE = 1.05;
export const SMALLEST_DOWNSAMPLE = 1 / (MOST_OVERSAMPLING * TOLERANCE);

/** @typedef {{power: number | null, ratio: number | null, downsample: number, possible: boolean}} Objective */

/**
 * The objective buttons of a slide: by power, or by pixel ratio when the pixel size is unknown.
 * @param {number | null} mpp
 * @returns {Objective[]}
 */
export function objectives(mpp) {
  if (mpp === null) {
    return RATIOS.map((ratio) => ({ power: null, ratio, downsample: ratio, possible: true }));
  }
  return POWERS.map((power) => {
    const downsample = MPP_AT_POWER_1 / power / mpp;
    return { power, ratio: null, downsample, possible: downsample >= SMALLEST_DOWNSAMPLE };
  });
}

/**
 * The power that a downsample shows.
 * @param {number} downsample
 * @param {number} mpp
 */
export function powerAt(downsample, mpp) {
  return MPP_AT_POWER_1 / (downsample * mpp);
}

/**
 * The longest round length (1, 2 or 5 times a power of ten) that is not longer than `most`.
 * @param {number} most
 */
export function roundLength(most) {
  const decade = 10 ** Math.floor(Math.log10(most));
  const step = [5, 2, 1].find((factor) => factor * decade <= most * (1 + 1e-9)) ?? 1;
  return step * decade;
}
