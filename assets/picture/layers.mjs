/* What is painted once and shown often: the photo, the segmentation, and the strokes. */

import { lineWidthOf, outlineOf } from "../drawing/strokes.mjs";

/** @import { Stroke } from "../journal/state.mjs" */
/** @import { Part } from "./photo.mjs" */
/** @import { Range, Tile } from "./tile.mjs" */

/**
 * @typedef {object} Sight where the image lies on the screen
 * @property {string} look says all of it
 * @property {number} width of the screen, in its own pixels
 * @property {number} height
 * @property {number} scale pixels of the screen an image pixel
 * @property {number} left where the image begins
 * @property {number} top
 */

const MARKED_OPACITY = 0.35;

/**
 * Where rows and columns of the image lie, in whole pixels, so that neighbours neither overlap nor gape.
 * @param {Range} rows
 * @param {Range} columns
 * @param {Sight} sight
 * @returns {[x: number, y: number, width: number, height: number]}
 */
function placeOf(rows, columns, { scale, left, top }) {
  const [x0, x1] = columns.map((column) => Math.round(left + column * scale));
  const [y0, y1] = rows.map((row) => Math.round(top + row * scale));
  return [x0, y0, x1 - x0, y1 - y0];
}

/** A canvas that need not be painted again while its look is the same. */
class Layer {
  canvas = new OffscreenCanvas(1, 1);
  /** Says what it was painted of; null: of nothing. @type {?string} */
  look = null;

  get context() {
    return /** @type {OffscreenCanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
  }

  /**
   * Take over a look.
   * @param {string} look
   * @returns {boolean} whether that is another one
   */
  changeLook(look) {
    const changed = look !== this.look;
    this.look = look;
    return changed;
  }

  /**
   * Begin anew, empty, at a size.
   * @param {Sight} sight
   */
  clear({ width, height }) {
    Object.assign(this.canvas, { width, height });
    return this.context;
  }
}

export class PhotoLayer extends Layer {
  /** @type {Part[]} */
  parts = [];

  /**
   * @param {Sight} sight
   * @param {Part[]} parts of the image, the sharpest last
   * @returns {boolean} whether anything has changed
   */
  paint(sight, parts) {
    const same = parts.length === this.parts.length && parts.every((part, index) => part === this.parts[index]);
    if (!this.changeLook(sight.look) && same) return false;
    this.parts = parts;
    const context = this.clear(sight);
    context.imageSmoothingQuality = "high";
    for (const { bitmap, step, row0, row1, column0, column1 } of parts) {
      context.imageSmoothingEnabled = sight.scale * step < 1;
      context.drawImage(bitmap, ...placeOf([row0, row1], [column0, column1], sight));
    }
    return true;
  }
}

export class OverlayLayer extends Layer {
  /** Tiles that have changed since they were painted. @type {Set<Tile>} */
  changed = new Set();

  /**
   * Paint the tiles that have changed, or all.
   * @param {Sight} sight
   * @param {Iterable<Tile>} tiles
   * @returns {boolean} whether anything has changed
   */
  paint(sight, tiles) {
    const anew = this.changeLook(sight.look);
    const changed = [...(anew ? tiles : this.changed)];
    this.changed.clear();
    if (!anew && !changed.length) return false;
    const context = anew ? this.clear(sight) : this.context;
    context.imageSmoothingQuality = "high";
    context.imageSmoothingEnabled = sight.scale < 1;
    for (const { rows, columns, bitmap } of changed) {
      const place = placeOf(rows, columns, sight);
      context.clearRect(...place);
      if (bitmap) context.drawImage(bitmap, ...place);
    }
    return true;
  }
}

/**
 * @typedef {object} Drawn what is drawn on an image
 * @property {Stroke[]} strokes
 * @property {Map<number, string>} colours of the classes
 * @property {Set<number>} hidden ids of classes
 * @property {?string} marked id of the stroke that the eraser would take
 * @property {number} rows of the image
 * @property {number} columns
 */

export class StrokeLayer extends Layer {
  /** @type {Stroke[]} */
  strokes = [];

  /**
   * Paint what is new above the rest, or all where the rest has changed.
   * @param {Sight} sight
   * @param {Drawn} drawn
   * @returns {boolean} whether anything has changed
   */
  paint(sight, drawn) {
    const { strokes, colours, hidden, marked } = drawn;
    const look = JSON.stringify([sight.look, marked, [...colours], [...hidden]]);
    const painted = this.strokes.length;
    const more = !this.changeLook(look) && painted <= strokes.length
      && this.strokes.every(({ id }, index) => id === strokes[index].id);
    this.strokes = strokes;
    if (more && painted === strokes.length) return false;
    const context = more ? this.context : this.clear(sight);
    this.paintStrokes(context, sight, { ...drawn, strokes: more ? strokes.slice(painted) : strokes });
    return true;
  }

  /**
   * @param {OffscreenCanvasRenderingContext2D} context
   * @param {Sight} sight
   * @param {Drawn} drawn
   */
  paintStrokes(context, { scale, left, top }, { strokes, colours, hidden, marked, rows, columns }) {
    context.save();
    context.beginPath();
    context.rect(left, top, columns * scale, rows * scale);
    context.clip();
    context.setTransform(scale, 0, 0, scale, left + scale / 2, top + scale / 2);
    context.lineCap = "round";
    context.lineJoin = "round";
    for (const stroke of strokes) {
      if (hidden.has(stroke.class_id)) continue;
      context.globalAlpha = stroke.id === marked ? MARKED_OPACITY : 1;
      context.strokeStyle = colours.get(stroke.class_id) ?? "";
      context.fillStyle = context.strokeStyle;
      if (stroke.kind === "path") {
        context.lineWidth = lineWidthOf(stroke);
        context.stroke(outlineOf(stroke));
      } else {
        context.fill(outlineOf(stroke), "evenodd");
      }
    }
    context.restore();
  }
}
