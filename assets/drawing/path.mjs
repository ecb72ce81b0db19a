/* Paths: what a pointer did, and the fewest of its points that say the same; arithmetic only. */

/** @typedef {[x: number, y: number]} Point in image pixels */

const TOLERANCE = 0.25;
const SCREEN_TOLERANCE = 0.5;
/* Coordinates are kept on hundredths, which moves a point so far at most. */
const ROUNDING = 0.01 / Math.SQRT2;
const NUMBER = /-?\d*\.?\d+(?:e[-+]?\d+)?/gi;

/** @param {number} value */
export const round = (value) => Math.round(value * 100) / 100;

/** @param {string} path */
export const numbersOf = (path) => (path.match(NUMBER) ?? []).map(Number);

/** @param {string} path */
export const roundPath = (path) => path.replace(NUMBER, (number) => String(round(Number(number))));

/**
 * How far a path may leave what the pointer did, in image pixels: a quarter, or half a pixel of the screen if that is
 * more.
 * @param {number} scale screen pixels an image pixel
 */
export const toleranceAt = (scale) => Math.max(TOLERANCE, SCREEN_TOLERANCE / scale);

/**
 * How far a point lies from the line between two others.
 * @param {Point} point
 * @param {Point} from
 * @param {Point} to
 */
export function distance([x, y], [ax, ay], [bx, by]) {
  const [across, down] = [bx - ax, by - ay];
  const length = across * across + down * down;
  const share = length ? Math.min(Math.max(((x - ax) * across + (y - ay) * down) / length, 0), 1) : 0;
  return Math.hypot(x - ax - share * across, y - ay - share * down);
}

/**
 * Those of the points that are needed so that none lies farther than a tolerance from the path through them
 * (Ramer 1972, Douglas and Peucker 1973).
 * @param {Point[]} points
 * @param {number} tolerance
 * @returns {Point[]}
 */
export function thin(points, tolerance) {
  const kept = new Set([0, points.length - 1]);
  const parts = [[0, points.length - 1]];
  for (let part = parts.pop(); part; part = parts.pop()) {
    const [first, last] = part;
    let [farthest, most] = [-1, tolerance];
    for (let index = first + 1; index < last; index += 1) {
      const off = distance(points[index], points[first], points[last]);
      if (off > most) [farthest, most] = [index, off];
    }
    if (farthest < 0) continue;
    kept.add(farthest);
    parts.push([first, farthest], [farthest, last]);
  }
  return points.filter((_, index) => kept.has(index));
}

/**
 * The path that says what a pointer did, within the tolerance of a scale and on hundredths of image pixels; of a click
 * it is a single point.
 * @param {Point[]} points
 * @param {number} scale screen pixels an image pixel
 */
export function pathOf(points, scale) {
  const rounded = thin(points, toleranceAt(scale) - ROUNDING).map((point) => point.map(round).join(","));
  return `M${rounded.filter((point, index) => point !== rounded[index - 1]).join("L")}`;
}

/**
 * A path moved; as the journal has it: absolute, of straight lines.
 * @param {string} path
 * @param {number} dx
 * @param {number} dy
 */
export function movedPath(path, dx, dy) {
  let index = 0;
  return path.replace(NUMBER, (number) => {
    index += 1;
    return String(round(Number(number) + (index % 2 ? dx : dy)));
  });
}
