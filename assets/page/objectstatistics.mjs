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

/**
 * @typedef {object} Axis of a histogram
 * @property {Bins} bins of what is drawn
 * @property {number[]} edges of the bins, as values: one more than there are bins
 * @property {(values: number[]) => number[]} counts how many values lie in each bin
 * @property {(place: number) => number} value what lies at a place of the axis
 * @property {{tickvals?: number[], ticktext?: string[]}} ticks
 */

/* Beyond so many times the least value, the largest asks for an axis of its own, if few others are near it. */
const WIDE = 10;

/**
 * The axis of a histogram: that of the logarithms, where most values would lie in the first bin, as areas often do.
 * @param {number[]} values finite ones
 * @returns {Axis}
 */
export function axisOf(values) {
  const plain = binsOf(values);
  const high = plain.low + plain.centres.length * plain.width;
  const crowded = countIn(values, plain)[0] > values.length / 2;
  if (!(plain.low > 0 && high > WIDE * plain.low && crowded)) {
    const edges = [...plain.centres.map((centre) => centre - plain.width / 2), high];
    return { bins: plain, edges, counts: (some) => countIn(some, plain), value: (place) => place, ticks: {} };
  }
  const bins = binsOf(values.map(Math.log10));
  const value = (/** @type {number} */ place) => 10 ** place;
  const edges = bins.centres.map((centre) => value(centre - bins.width / 2));
  return {
    bins, edges: [...edges, high], counts: (some) => countIn(some.map(Math.log10), bins), value,
    ticks: ticksOf(Math.log10(plain.low), Math.log10(high)),
  };
}

/** @type {(low: number, high: number) => {tickvals: number[], ticktext: string[]}} */
function ticksOf(low, high) {
  const digits = high - low > 3 ? [1] : [1, 2, 5];
  const round = [];
  for (let power = Math.floor(low); power <= high; power += 1) {
    for (const digit of digits) round.push(Number((digit * 10 ** power).toPrecision(1)));
  }
  const inside = round.filter((one) => Math.log10(one) >= low && Math.log10(one) <= high);
  return {
    tickvals: inside.map(Math.log10),
    ticktext: inside.map((one) => one.toLocaleString("en", { maximumSignificantDigits: 1, notation: "compact" })),
  };
}
