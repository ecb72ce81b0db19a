/* Lengths in the world, as people read and type them. */

/**
 * @typedef {object} PixelSize how large a pixel is
 * @property {number} x
 * @property {number} y
 * @property {string} unit
 * @property {?number} z from one plane to the next
 */

/** @type {Record<string, number>} */
const METRES = { nm: 1e-9, µm: 1e-6, mm: 1e-3, cm: 1e-2, m: 1, km: 1e3, ft: 0.3048, in: 0.0254 };

/** What is typed for a unit, on keyboards without its letters. @type {Record<string, string>} */
const SPELLINGS = { um: "µm", "μm": "µm", micron: "µm", microns: "µm", deg: "°", degrees: "°" };

const STEPS = [1, 2, 5];
const NUMBER = "(\\d+(?:[.,]\\d*)?(?:e[+-]?\\d+)?|[.,]\\d+)";
const ANOTHER = `(?:\\s*[x×]\\s*${NUMBER})?`;
const TYPED = new RegExp(`^\\s*${NUMBER}${ANOTHER}${ANOTHER}\\s*([^\\d\\s]+)\\s*$`, "i");

/** @param {number} number in at most four digits */
const short = (number) => String(Number(number.toPrecision(4)));

/** @param {PixelSize} size */
export function describeSize(size) {
  const { first, others, unit } = partsOfSize(size);
  return `${first}${others} ${unit}`;
}

/**
 * The words for a size, apart from those that can be left out where there is little room.
 * @param {PixelSize} size
 */
export function partsOfSize({ x, y, unit, z }) {
  const across = x === y ? [x] : [x, y];
  const others = z ? [...(x === y ? [y] : []), z] : [];
  return { first: across.map(short).join(" × "), others: others.map((side) => ` × ${short(side)}`).join(""), unit };
}

/**
 * What somebody typed; null if it is no size of a pixel.
 * @param {string} text
 * @returns {?PixelSize}
 */
export function parseSize(text) {
  const found = text.match(TYPED);
  if (!found) return null;
  const [x, y, z] = found.slice(1, 4).map((part) => (part ? Number(part.replace(",", ".")) : null));
  const unit = SPELLINGS[found[4]] ?? found[4];
  const sides = [x, y ?? x, z].filter((side) => side !== null);
  if (!x || !(unit in METRES || unit === "°") || sides.some((side) => !(side >= 1e-9 && side <= 1e9))) return null;
  return { x, y: y ?? x, unit, z };
}

/** By so much the sides of a pixel may differ that is taken for square. */
const LARGEST_DIFFERENCE = 0.01;

/**
 * The side of a square pixel; null of another one, or where it is no length.
 * @param {?PixelSize} size
 * @returns {?{length: number, unit: string}}
 */
export function squareSide(size) {
  if (!size || !(size.unit in METRES)) return null;
  const { x, y, unit } = size;
  return Math.max(x, y) <= Math.min(x, y) * (1 + LARGEST_DIFFERENCE) ? { length: x, unit } : null;
}

/**
 * A length in pixels; null if it is none.
 * @param {PixelSize} length that was typed, as parseSize gives it
 * @param {{length: number, unit: string}} side of a pixel
 */
export function pixelsOf({ x, unit }, side) {
  if (!(unit in METRES)) return null;
  return Number(((x * METRES[unit]) / (side.length * METRES[side.unit])).toPrecision(9));
}

/**
 * The longest round length that fits into a width: for a scale bar.
 * @param {PixelSize} size
 * @param {number} scale pixels of the page an image pixel
 * @param {number} widest pixels of the page
 * @returns {{text: string, width: number}} what the bar says, and how long it is on the page
 */
export function scaleBar({ x, unit }, scale, widest) {
  const length = (widest / scale) * x;
  const power = 10 ** Math.floor(Math.log10(length));
  const round = power * (STEPS.findLast((step) => step * power <= length) ?? 1);
  return { text: readable(round, unit), width: (round / x) * scale };
}

/**
 * A length, in the unit of which fewest digits are needed.
 * @param {number} length
 * @param {string} unit
 */
export function readable(length, unit) {
  if (!(unit in METRES) || ["ft", "in"].includes(unit)) return `${short(length)} ${unit}`;
  const metres = length * METRES[unit];
  const suits = ["nm", "µm", "mm", "m", "km"].findLast((one) => metres >= METRES[one] * 0.9999) ?? "nm";
  return `${short(metres / METRES[suits])} ${suits}`;
}

/**
 * A place, with its unit once where it is that of both lengths.
 * @param {number} x
 * @param {number} y
 * @param {string} unit
 */
export function readablePlace(x, y, unit) {
  const [across, down] = [readable(x, unit), readable(y, unit)];
  const [number, theirs] = across.split(" ");
  return down.endsWith(` ${theirs}`) ? `${number}, ${down}` : `${across}, ${down}`;
}

/**
 * A length of so many pixels, or an area, in the unit of the image.
 * @param {number} pixels
 * @param {PixelSize} size of a pixel
 * @param {1 | 2} power 2 of an area
 */
export function sizeInUnit(pixels, { x, y, unit }, power) {
  const size = pixels * (x * y) ** (power / 2);
  return `${Number(size.toPrecision(3))} ${unit}${power === 2 ? "²" : ""}`;
}

/**
 * How many pixels a length or an area is that was typed; null if it is none. Without a unit it is in that of the image.
 * @param {string} text
 * @param {PixelSize} size of a pixel
 * @param {1 | 2} power 2 of an area
 */
export function sizeInPixels(text, { x, y, unit }, power) {
  const found = text.replace(",", ".").match(/^\s*(\d*\.?\d+(?:e[+-]?\d+)?)\s*([^\d\s²]*)[²2]?\s*$/i);
  if (!found) return null;
  const [typed, named] = [Number(found[1]), SPELLINGS[found[2]] ?? found[2]];
  if (named === "px") return Math.round(typed);
  if (named && named !== unit && !(named in METRES && unit in METRES)) return null;
  const times = named in METRES && unit in METRES ? METRES[named] / METRES[unit] : 1;
  return Math.round((typed * times ** power) / (x * y) ** (power / 2));
}
