/* The borders of the classes, as thin on the screen whatever the zoom. */

import { Layer, placeOf } from "./layers.mjs";

/** @import { Sight } from "./layers.mjs" */
/** @import { Tile } from "./tile.mjs" */

/* In pixels of the page, to each side of a border. */
const REACH = 2;

/**
 * Leave of a picture the pixels near which others lie.
 * @param {Uint32Array} words a pixel each, row by row; those that are left out become 0
 * @param {number} width of the picture
 * @param {number} reach how near, along rows and columns
 */
export function keepBorders(words, width, reach) {
  const before = words.slice();
  const height = before.length / width;
  for (let y = 0; y < height; y += 1) {
    const [above, below] = [Math.max(y - reach, 0) * width, Math.min(y + reach, height - 1) * width];
    for (let x = 0, at = y * width; x < width; x += 1, at += 1) {
      const word = before[at];
      if (word === 0) continue;
      const left = before[at - Math.min(reach, x)];
      const right = before[at + Math.min(reach, width - 1 - x)];
      if (word === before[above + x] && word === before[below + x] && word === left && word === right) words[at] = 0;
    }
  }
}

export class OutlineLayer extends Layer {
  /** Its pixels are read, which a canvas of the processor gives at once. */
  get context() {
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    return /** @type {OffscreenCanvasRenderingContext2D} */ (context);
  }

  /**
   * Paint the borders between all that tiles show in different colours.
   * @param {Sight} sight
   * @param {Iterable<Tile>} tiles
   * @param {boolean} changed whether some tiles have changed
   * @param {{rows: number, columns: number}} image at whose end nothing is outlined
   * @returns {boolean} whether anything has changed
   */
  paint(sight, tiles, changed, image) {
    if (!this.changeLook(sight.look) && !changed) return false;
    const context = this.clear(sight);
    context.imageSmoothingEnabled = false;
    for (const { rows, columns, bitmap } of tiles) {
      if (bitmap) context.drawImage(bitmap, ...placeOf(rows, columns, sight));
    }
    const [x, y, wide, high] = placeOf([0, image.rows], [0, image.columns], sight);
    const [left, top] = [Math.max(x, 0), Math.max(y, 0)];
    const [right, bottom] = [Math.min(x + wide, sight.width), Math.min(y + high, sight.height)];
    if (right <= left || bottom <= top) return true;
    const pixels = context.getImageData(left, top, right - left, bottom - top);
    keepBorders(new Uint32Array(pixels.data.buffer), right - left, Math.max(1, Math.round(REACH * sight.density)));
    context.putImageData(pixels, left, top);
    return true;
  }
}
