/* A tile of the segmentation: class ids, and a bitmap of them in the class colours. */

/** @typedef {[start: number, stop: number]} Range */

/**
 * How many pixels of a draft there are along a side.
 * @param {number} length of the side, in pixels
 * @param {number} step between the pixels of a draft
 * @param {number} first of these pixels
 */
export const draftLength = (length, step, first) => Math.max(Math.ceil((length - first) / step), 0);

/**
 * @typedef {object} TileValues
 * @property {Range} rows of the image
 * @property {Range} columns
 * @property {?number} crc of the ids as the server sent them; null once a draft has changed them
 * @property {Uint8Array} ids class ids, row by row
 * @property {string} [layer] name of the layer that came along
 * @property {?Uint8Array} [values] this layer in percent, row by row
 */

/**
 * @typedef {object} Look in which colours tiles are seen
 * @property {Uint32Array} palette for each class id a pixel
 * @property {string} layer name of the layer that is seen instead of the classes; empty for none
 * @property {Uint32Array} ramp for each percentage a pixel
 */

/**
 * @typedef {object} Seen what is seen of a segmentation
 * @property {number} opacity in percent
 * @property {Record<string, number>} opacities of single classes, in percent of that, by their ids
 * @property {boolean} shown whether it is seen
 * @property {boolean} strokes whether these are seen
 * @property {string} style filled, outlines or both
 */

/**
 * @typedef {object} Draft what a draft says of tiles, before they come themselves
 * @property {{index: number, rows: Range, columns: Range}[]} tiles
 * @property {number} step
 * @property {number} first
 */

export class Tile {
  /**
   * @param {TileValues} values
   * @param {Tile} [former] that it takes the place of, and whose bitmap it paints anew
   */
  constructor({ rows, columns, crc, ids, layer = "", values = null }, former) {
    this.rows = rows;
    this.columns = columns;
    this.crc = crc;
    this.ids = ids;
    this.layer = layer;
    this.values = values;
    /** @type {OffscreenCanvas | undefined} */
    this.bitmap = former?.bitmap;
    /** In which it was painted. @type {?Look} */
    this.look = null;
  }

  /**
   * A tile that nothing is known of.
   * @param {Range} rows
   * @param {Range} columns
   */
  static blank(rows, columns) {
    const pixels = (rows[1] - rows[0]) * (columns[1] - columns[0]);
    return new Tile({ rows, columns, crc: null, ids: new Uint8Array(pixels) });
  }

  /** Height and width in pixels. */
  get size() {
    return [this.rows[1] - this.rows[0], this.columns[1] - this.columns[0]];
  }

  /** Whether a draft has changed it: then the server is to send it, whatever it sent before. */
  get drafted() {
    return this.crc === null;
  }

  /** Memory that ids and bitmap take. */
  get bytes() {
    return 5 * this.ids.length + (this.values?.length ?? 0);
  }

  /**
   * How many pixels of a draft it has.
   * @param {number} step
   * @param {number} first
   */
  draftPixels(step, first) {
    const [height, width] = this.size;
    return draftLength(height, step, first) * draftLength(width, step, first);
  }

  /**
   * Take over a draft: where the pixel that speaks for its block has another class than before, all of the block has.
   * What has not changed stays as sharp as it was.
   * @param {Uint8Array} ids of the draft's pixels, row by row
   * @param {number} step
   * @param {number} first
   * @returns {boolean} whether anything has changed
   */
  draft(ids, step, first) {
    const [height, width] = this.size;
    const [down, across] = [draftLength(height, step, first), draftLength(width, step, first)];
    let changed = false;
    for (let r = 0; r < down; r += 1) {
      const [top, bottom] = [r * step, r === down - 1 ? height : (r + 1) * step];
      for (let c = 0; c < across; c += 1) {
        const id = ids[r * across + c];
        const left = c * step;
        if (this.ids[(top + first) * width + left + first] === id) continue;
        const right = c === across - 1 ? width : left + step;
        for (let y = top; y < bottom; y += 1) this.ids.fill(id, y * width + left, y * width + right);
        changed = true;
      }
    }
    if (changed) Object.assign(this, { crc: null, layer: "", values: null });
    return changed;
  }

  /**
   * The class of a pixel of the image; undefined where the pixel lies elsewhere.
   * @param {number} row
   * @param {number} column
   */
  classAt(row, column) {
    const { rows, columns, ids } = this;
    if (row < rows[0] || row >= rows[1] || column < columns[0] || column >= columns[1]) return undefined;
    return ids[this.place(row, column)];
  }

  /**
   * The layer at a pixel of the image, in percent; undefined where it has none, or the pixel lies elsewhere.
   * @param {number} row
   * @param {number} column
   */
  valueAt(row, column) {
    return this.values && this.classAt(row, column) !== undefined ? this.values[this.place(row, column)] : undefined;
  }

  /**
   * Where a pixel of the image lies among those of the tile.
   * @param {number} row
   * @param {number} column
   */
  place(row, column) {
    return (row - this.rows[0]) * (this.columns[1] - this.columns[0]) + column - this.columns[0];
  }

  /**
   * Paint the bitmap.
   * @param {Look} look
   */
  paint(look) {
    this.look = look;
    const layered = look.layer !== "" && this.layer === look.layer;
    const [shown, colours] = layered && this.values ? [this.values, look.ramp] : [this.ids, look.palette];
    const [height, width] = this.size;
    this.bitmap ??= new OffscreenCanvas(width, height);
    const pixels = new ImageData(width, height);
    const words = new Uint32Array(pixels.data.buffer);
    for (let i = 0; i < words.length; i += 1) words[i] = colours[shown[i]];
    this.bitmap.getContext("2d")?.putImageData(pixels, 0, 0);
  }
}
