/* How wide a brush is, in image pixels; arithmetic only. */

/** @import { ImageFacts } from "../journal/state.mjs" */

const WIDEST = 10000;
const PART_OF_IMAGE = 4;
/** What suits a hand, in pixels of the screen. */
const ON_SCREEN = { pen: 8, eraser: 20 };

/**
 * The largest width that makes sense on an image: a quarter of its shorter side.
 * @param {Pick<ImageFacts, "rows" | "columns">} image
 */
export function widthLimit({ rows, columns }) {
  return Math.min(Math.max(Math.floor(Math.min(rows, columns) / PART_OF_IMAGE), 1), WIDEST);
}

/**
 * @param {number} width
 * @param {number} limit
 */
export const withinLimit = (width, limit) => Math.min(Math.max(width, 1), limit);

/**
 * How wide a brush is of which nobody has said how wide it is to be: as wide as suits a hand at this zoom.
 * @param {keyof typeof ON_SCREEN} brush
 * @param {number} scale screen pixels an image pixel
 */
export const suitableWidth = (brush, scale) => Math.round(ON_SCREEN[brush] / scale);

/**
 * How much wider the key for a wider brush makes it.
 * @param {number} width
 */
export function widthStep(width) {
  if (width < 10) return 1;
  return width < 30 ? 2 : 5 * 10 ** Math.floor(Math.log10(width / 30));
}
