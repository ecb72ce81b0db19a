/* What is painted once and shown often: the photo, the segmentation, and the strokes. */

import { lineWidthOf, outlineOf, versionOf } from "../drawing/strokes.mjs";
import { UNLABELLED, isRegion } from "../page/classids.mjs";

/** @import { Stroke } from "../journal/state.mjs" */
/** @import { Part } from "./photo.mjs" */
/** @import { Range, Tile } from "./tile.mjs" */

/**
 * @typedef {object} Sight where the image lies on the screen
 * @property {string} look says all of it
 * @property {number} width of the screen, in its own pixels
 * @property {number} height
 * @property {number} scale pixels of the screen an image pixel
 * @property {number} density pixels of the screen a pixel of the page
 * @property {number} left where the image begins
 * @property {number} top
 */

const MARKED_OPACITY = 0.35;

/* All in pixels of the page: how wide a stroke is seen at least, and what is drawn around it, to how far from it. */
const LEAST_WIDTH = 3;
/** @type {[colour: string, reach: number][]} */
const RIMS = [["#101418", 3], ["#ffffff", 1.5]];
/** @type {[colour: string, reach: number][]} */
const SELECTED_RIMS = [["#ffffff", 8], ["#1668dc", 6.5], ["#ffffff", 3]];
const ERASED_REACH = 3.5;
const VEIL = "rgb(16 20 24 / 55%)";
/** Of the rim of where the image is worked on: what is drawn, and how wide, the second in dashes. */
/** @type {[colour: string, width: number][]} */
const DASHES = [["#101418", 2], ["#ffffff", 2]];
/** @type {[colour: string, width: number][]} */
const SELECTED_DASHES = [["#1668dc", 6], ["#ffffff", 2]];
const DASH = 6;

/**
 * Where rows and columns of the image lie, in whole pixels, so that neighbours neither overlap nor gape.
 * @param {Range} rows
 * @param {Range} columns
 * @param {Sight} sight
 * @returns {[x: number, y: number, width: number, height: number]}
 */
export function placeOf(rows, columns, { scale, left, top }) {
  const [x0, x1] = columns.map((column) => Math.round(left + column * scale));
  const [y0, y1] = rows.map((row) => Math.round(top + row * scale));
  return [x0, y0, x1 - x0, y1 - y0];
}

/** A canvas that need not be painted again while its look is the same. */
export class Layer {
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
    /* "high" costs twice the time, and shows nothing more before single pixels would be left out. */
    context.imageSmoothingQuality = sight.scale < 0.5 ? "high" : "low";
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
 * @property {?string} selected id of the stroke that is selected
 * @property {number} rows of the image
 * @property {number} columns
 */

/** Where the image is worked on: what lies outside is veiled. */
export class RegionLayer extends Layer {
  /**
   * @param {Sight} sight
   * @param {Drawn} drawn
   * @param {Stroke[]} hands what is being drawn
   * @returns {boolean} whether anything has changed
   */
  paint(sight, drawn, hands) {
    const { strokes, marked, selected } = drawn;
    const growing = hands.filter(isRegion);
    const outlines = [...strokes.filter(isRegion), ...growing];
    const look = JSON.stringify([sight.look, marked, selected, outlines.map(versionOf)]);
    if (!this.changeLook(look) && !growing.length) return false;
    const context = this.clear(sight);
    if (!outlines.length) return true;
    const brush = new Brush(context, sight, drawn);
    context.fillStyle = VEIL;
    context.fillRect(-0.5, -0.5, drawn.columns, drawn.rows);
    for (const outline of outlines) brush.erase(outline, 0);
    const pixel = sight.density / sight.scale;
    for (const outline of outlines) {
      brush.rim(outline, pixel, outline.id === selected ? SELECTED_DASHES : DASHES, outline.id === marked);
    }
    brush.end();
    return true;
  }
}

/** Strokes: what is labelled in the colours of the classes, and around it rims that are seen on any image. */
export class StrokeLayer {
  rims = new Layer();
  fills = new Layer();
  /** @type {string[]} */
  versions = [];

  /**
   * Paint what is new above the rest, or all where the rest has changed.
   * @param {Sight} sight
   * @param {Drawn} drawn
   * @returns {boolean} whether anything has changed
   */
  paint(sight, drawn) {
    const { strokes, colours, hidden, marked, selected } = drawn;
    const look = JSON.stringify([sight.look, marked, selected, [...colours], [...hidden]]);
    const painted = this.versions.length;
    const versions = strokes.map(versionOf);
    const more = !this.fills.changeLook(look) && painted <= strokes.length
      && this.versions.every((version, index) => version === versions[index]);
    this.versions = versions;
    if (more && painted === strokes.length) return false;
    if (!more) for (const layer of [this.rims, this.fills]) layer.clear(sight);
    this.paintStrokes(sight, { ...drawn, strokes: more ? strokes.slice(painted) : strokes });
    return true;
  }

  /**
   * Paint what is being drawn above what another layer has, if that is seen.
   * @param {Sight} sight
   * @param {?StrokeLayer} base
   * @param {Drawn} drawn
   */
  paintAbove(sight, base, drawn) {
    for (const layer of /** @type {const} */ (["rims", "fills"])) {
      const context = this[layer].clear(sight);
      if (base) context.drawImage(base[layer].canvas, 0, 0);
    }
    this.paintStrokes(sight, drawn);
  }

  /** @param {CanvasRenderingContext2D} context */
  compose(context) {
    for (const { canvas } of [this.rims, this.fills]) context.drawImage(canvas, 0, 0);
  }

  /**
   * @param {Sight} sight
   * @param {Drawn} drawn
   */
  paintStrokes(sight, drawn) {
    const { density, scale } = sight;
    const [rims, fills] = [this.rims, this.fills].map(({ context }) => new Brush(context, sight, drawn));
    const pixel = density / scale;
    for (const stroke of drawn.strokes) {
      if (drawn.hidden.has(stroke.class_id) || isRegion(stroke)) continue;
      if (stroke.class_id === UNLABELLED) {
        rims.erase(stroke, ERASED_REACH * pixel);
        fills.erase(stroke, 0);
      } else {
        for (const [colour, reach] of RIMS) rims.paint(stroke, colour, reach * pixel);
        const opacity = stroke.id === drawn.marked ? MARKED_OPACITY : 1;
        fills.paint(stroke, drawn.colours.get(stroke.class_id) ?? "", 0, opacity);
      }
    }
    const selected = drawn.strokes.find((stroke) => stroke.id === drawn.selected && !isRegion(stroke));
    if (selected) {
      for (const [colour, reach] of SELECTED_RIMS) rims.paint(selected, colour, reach * pixel);
      rims.erase(selected, 0);
    }
    for (const brush of [rims, fills]) brush.end();
  }
}

/** Paints strokes on a canvas, in image coordinates, and nothing beside the image. */
class Brush {
  /**
   * @param {OffscreenCanvasRenderingContext2D} context
   * @param {Sight} sight
   * @param {{rows: number, columns: number}} image
   */
  constructor(context, { scale, left, top, density }, { rows, columns }) {
    this.context = context;
    this.least = (LEAST_WIDTH * density) / scale;
    context.save();
    context.beginPath();
    context.rect(left, top, columns * scale, rows * scale);
    context.clip();
    context.setTransform(scale, 0, 0, scale, left + scale / 2, top + scale / 2);
    context.lineCap = "round";
    context.lineJoin = "round";
  }

  /**
   * @param {Stroke} stroke
   * @param {string} colour
   * @param {number} reach how far around it, in image pixels
   * @param {number} [opacity]
   */
  paint(stroke, colour, reach, opacity = 1) {
    const { context } = this;
    const outline = outlineOf(stroke);
    const filled = stroke.kind !== "path";
    Object.assign(context, { strokeStyle: colour, fillStyle: colour, globalAlpha: opacity });
    if (filled) context.fill(outline, "evenodd");
    context.lineWidth = 2 * reach + (filled ? 0 : Math.max(lineWidthOf(stroke), this.least));
    if (!filled || reach) context.stroke(outline);
  }

  /**
   * Draw a dashed line along a stroke.
   * @param {Stroke} stroke
   * @param {number} pixel of the page, in image pixels
   * @param {[colour: string, width: number][]} lines the last of which is dashed
   * @param {boolean} faint
   */
  rim(stroke, pixel, lines, faint) {
    const { context } = this;
    context.globalAlpha = faint ? MARKED_OPACITY : 1;
    for (const [index, [colour, width]] of lines.entries()) {
      context.setLineDash(index === lines.length - 1 ? [DASH * pixel, DASH * pixel] : []);
      Object.assign(context, { strokeStyle: colour, lineWidth: width * pixel });
      context.stroke(outlineOf(stroke));
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  /**
   * Take away what is painted under a stroke.
   * @param {Stroke} stroke
   * @param {number} reach how far around it, in image pixels
   */
  erase(stroke, reach) {
    this.context.globalCompositeOperation = "destination-out";
    this.paint(stroke, "#000000", reach);
    this.context.globalCompositeOperation = "source-over";
  }

  end() {
    this.context.restore();
  }
}
