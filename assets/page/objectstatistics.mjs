/* Statistics of the measures of objects, for plots and tables. Needs no browser. */

const BINS = 40;
/* Beyond so many times the middle half, a value lies outside of the whiskers (J. Tukey, 1977). */
const WHISKERS = 1.5;

/**
 * The value below which a share of values lies, with linear interpolation, as NumPy has it.
 * @param {ArrayLike<number>} values at least one, in any order
 * @param {number} share
 */
export function quantile(values, share) {
  return quantileOfSorted(Float64Array.from(values).sort(), share);
}

/**
 * @param {Float64Array} sorted
 * @param {number} share
 */
function quantileOfSorted(sorted, share) {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/**
 * @typedef {object} Box what a box plot shows
 * @property {number} count
 * @property {number} mean
 * @property {number} least
 * @property {number} low the end of the lower whisker
 * @property {number} lower the first quartile
 * @property {number} median
 * @property {number} upper the third quartile
 * @property {number} high the end of the upper whisker
 * @property {number} most
 * @property {number[]} beyond what lies outside of the whiskers
 */

/**
 * @param {ArrayLike<number>} values at least one
 * @returns {Box}
 */
export function boxOf(values) {
  const sorted = Float64Array.from(values).sort();
  const [lower, median, upper] = [0.25, 0.5, 0.75].map((share) => quantileOfSorted(sorted, share));
  const reach = WHISKERS * (upper - lower);
  const inside = sorted.filter((value) => value >= lower - reach && value <= upper + reach);
  return {
    count: sorted.length, mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    least: sorted[0], low: inside[0], lower, median, upper, high: inside[inside.length - 1],
    most: sorted[sorted.length - 1],
    beyond: [...sorted.filter((value) => value < inside[0] || value > inside[inside.length - 1])],
  };
}

/**
 * @typedef {object} Bins of equal width
 * @property {number} low where the first begins
 * @property {number} width
 * @property {number[]} centres
 */

/**
 * Bins in which all values lie; one if they are all alike.
 * @param {ArrayLike<number>} values
 * @returns {Bins}
 */
export function binsOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < values.length; at += 1) {
    if (values[at] < low) low = values[at];
    if (values[at] > high) high = values[at];
  }
  const width = (high - low) / BINS || 1;
  const centres = Array.from({ length: high > low ? BINS : 1 }, (_, bin) => low + (bin + 0.5) * width);
  return { low, width, centres };
}

/**
 * How many values lie in each bin.
 * @param {ArrayLike<number>} values
 * @param {Bins} bins
 */
export function countIn(values, { low, width, centres }) {
  const counts = new Array(centres.length).fill(0);
  for (let at = 0; at < values.length; at += 1) {
    counts[Math.min(counts.length - 1, Math.floor((values[at] - low) / width))] += 1;
  }
  return counts;
}
