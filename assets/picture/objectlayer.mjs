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

/* So many pixels are drawn without a pause, in which the page follows the pointer. */
const STRIP_PIXELS = 2 ** 20;

/**
 * Find where objects end in some rows: 1 at their pixels beside others, or at the border of the image.
 * @param {Marks} marks
 * @param {[number, number]} part the first row, and the one after the last
 * @param {Uint8Array} borders filled in
 */
function findBorders({ labels, rows, across }, [first, end], borders) {
  for (let row = first, at = first * across; row < end; row += 1) {
    for (let column = 0; column < across; column += 1, at += 1) {
      const label = labels[at];
      if (label && (
        row === 0 || column === 0 || row === rows - 1 || column === across - 1
        || labels[at - 1] !== label || labels[at + 1] !== label
        || labels[at - across] !== label || labels[at + across] !== label
      )) borders[at] = 1;
    }
  }
}

export class ObjectLayer extends Layer {
  /** @type {?Marks} */
  marks = null;
  bitmap = new OffscreenCanvas(1, 1);
  /**
   * What was drawn last, and down to which row its borders are known: the same objects are drawn again for each that is
   * chosen or filtered out.
   * @type {?{labels: Uint32Array, borders: Uint8Array, known: number, pixels: ImageData}}
   */
  drawn = null;

  /** @param {() => void} onDrawn called when all is drawn that was not drawn at once */
  constructor(onDrawn) {
    super();
    this.onDrawn = onDrawn;
  }

  /** @param {?Marks} marks */
  setMarks(marks) {
    this.marks = marks;
    this.look = null;
    if (marks) this.draw(marks);
    else this.drawn = null;
  }

  /**
   * Draw strip by strip: as much as is drawn quickly at once, and the rest in turns with all else.
   * @param {Marks} marks
   */
  async draw(marks) {
    const { labels, rows, across } = marks;
    if (this.drawn?.labels !== labels) {
      Object.assign(this.bitmap, { width: across, height: rows });
      this.drawn = { labels, borders: new Uint8Array(labels.length), known: 0, pixels: new ImageData(across, rows) };
    }
    const height = Math.max(1, Math.floor(STRIP_PIXELS / across));
    for (let first = 0; first < rows; first += height) {
      if (first) await new Promise((resolve) => { setTimeout(resolve); });
      if (this.marks !== marks) return;
      this.drawStrip(marks, [first, Math.min(rows, first + height)]);
    }
    if (rows > height) {
      this.look = null;
      this.onDrawn();
    }
  }

  /**
   * @param {Marks} marks
   * @param {[number, number]} part the first row, and the one after the last
   */
  drawStrip(marks, [first, end]) {
    const drawn = /** @type {NonNullable<typeof this.drawn>} */ (this.drawn);
    const { labels, across, faded, chosen } = marks;
    if (drawn.known < end) findBorders(marks, [drawn.known, end], drawn.borders);
    drawn.known = Math.max(drawn.known, end);
    const { borders, pixels } = drawn;
    const words = new Uint32Array(pixels.data.buffer);
    for (let at = first * across; at < end * across; at += 1) {
      const label = labels[at];
      if (!label) continue;
      if (faded[label]) words[at] = FADED;
      else if (borders[at]) words[at] = label === chosen ? CHOSEN : OUTLINE;
      else words[at] = 0;
    }
    this.bitmap.getContext("2d")?.putImageData(pixels, 0, 0, 0, first, across, end - first);
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
