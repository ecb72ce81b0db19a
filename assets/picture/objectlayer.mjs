/* Objects on the image: their outlines, which one is chosen, and what is filtered out, which fades. */

import { Layer, placeOf } from "./layers.mjs";

/** @import { Sight } from "./layers.mjs" */

/**
 * @typedef {object} Marks
 * @property {Uint32Array} labels the number of the object at each pixel, row by row; 0 is none
 * @property {number} rows of the image
 * @property {number} across its columns
 * @property {Uint8Array} faded by the number of an object: whether it is filtered out
 * @property {number} chosen number of the object that is chosen; 0 for none
 */

/* As a little-endian machine has red, green, blue and opacity in a word. */
const OUTLINE = 0xe6ffffff;
const CHOSEN = 0xff00d7ff;
const FADED = 0xb4808080;

/**
 * Where an object ends: 1 at its pixels beside others, or at the border of the image.
 * @param {Uint32Array} labels
 * @param {number} rows
 * @param {number} across
 */
function bordersOf(labels, rows, across) {
  const borders = new Uint8Array(labels.length);
  for (let row = 0, at = 0; row < rows; row += 1) {
    for (let column = 0; column < across; column += 1, at += 1) {
      const label = labels[at];
      if (label && (
        row === 0 || column === 0 || row === rows - 1 || column === across - 1
        || labels[at - 1] !== label || labels[at + 1] !== label
        || labels[at - across] !== label || labels[at + across] !== label
      )) borders[at] = 1;
    }
  }
  return borders;
}

export class ObjectLayer extends Layer {
  /** @type {?Marks} */
  marks = null;
  bitmap = new OffscreenCanvas(1, 1);
  /**
   * What was drawn last: the same objects are drawn again for each that is chosen or filtered out.
   * @type {?{labels: Uint32Array, borders: Uint8Array, pixels: ImageData}}
   */
  drawn = null;

  /** @param {?Marks} marks */
  setMarks(marks) {
    this.marks = marks;
    this.look = null;
    if (marks) this.draw(marks);
    else this.drawn = null;
  }

  /** @param {Marks} marks */
  draw({ labels, rows, across, faded, chosen }) {
    if (this.drawn?.labels !== labels) {
      Object.assign(this.bitmap, { width: across, height: rows });
      this.drawn = { labels, borders: bordersOf(labels, rows, across), pixels: new ImageData(across, rows) };
    }
    const { borders, pixels } = this.drawn;
    const words = new Uint32Array(pixels.data.buffer);
    for (let at = 0; at < labels.length; at += 1) {
      const label = labels[at];
      if (!label) continue;
      if (faded[label]) words[at] = FADED;
      else if (borders[at]) words[at] = label === chosen ? CHOSEN : OUTLINE;
      else words[at] = 0;
    }
    this.bitmap.getContext("2d")?.putImageData(pixels, 0, 0);
  }

  /**
   * @param {Sight} sight
   * @returns {boolean} whether anything has changed
   */
  paint(sight) {
    const look = this.marks ? sight.look : "";
    if (!this.changeLook(look)) return false;
    if (!this.marks) return true;
    const context = this.clear(sight);
    context.imageSmoothingEnabled = sight.scale < 1;
    context.drawImage(this.bitmap, ...placeOf([0, this.marks.rows], [0, this.marks.across], sight));
    return true;
  }
}
