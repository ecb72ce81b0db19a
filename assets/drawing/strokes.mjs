/* Strokes: made of the shapes that Plotly draws, and where they lie. */

import { newId } from "../page/ids.mjs";

/** @import { ImageFacts, Stroke } from "../journal/state.mjs" */
/** @import { Shape } from "../page/graph.mjs" */

const NUMBER = /-?\d*\.?\d+(?:e[-+]?\d+)?/gi;

/** @param {number} value */
const round = (value) => Math.round(value * 100) / 100;

/** @param {string} path */
const roundPath = (path) => path.replace(NUMBER, (number) => String(round(Number(number))));

/**
 * @typedef {object} Pen what a stroke is drawn with
 * @property {string} tool squiggle, closed, rectangle or circle
 * @property {number} classId
 * @property {number} width in image pixels
 * @property {string | undefined} image hash of the image that is drawn on
 */

/**
 * The name of the shapes that a pen draws: until they are taken over as strokes, another pen may be chosen.
 * @param {Pen} pen
 */
export function nameOfPen({ tool, classId, width, image }) {
  return [tool, classId, width, image].join(" ");
}

/**
 * The pen that drew a shape.
 * @param {Shape} shape
 * @returns {Pen}
 */
export function penOfShape({ name }) {
  const [tool, classId, width, image] = name.split(" ");
  return { tool, classId: Number(classId), width: Number(width), image };
}

/**
 * A shape as a stroke, on hundredths of image pixels.
 * @param {Shape} shape
 * @returns {Stroke}
 */
export function strokeOfShape(shape) {
  const { tool, classId, width } = penOfShape(shape);
  const stroke = { id: newId(), class_id: classId };
  if (tool === "closed") return { ...stroke, kind: "polygon", path: roundPath(shape.path) };
  if (tool === "squiggle") return { ...stroke, kind: "path", path: roundPath(shape.path), width };
  const [x0, x1] = [shape.x0, shape.x1].map(round).sort((a, b) => a - b);
  const [y0, y1] = [shape.y0, shape.y1].map(round).sort((a, b) => a - b);
  return { ...stroke, kind: tool, x0, y0, x1, y1 };
}

/**
 * Whether some of a stroke may lie on an image: whether its bounding box does.
 * @param {Stroke} stroke
 * @param {ImageFacts} image
 */
export function liesOn(stroke, image) {
  const numbers = stroke.path?.match(NUMBER)?.map(Number)
    ?? [stroke.x0 ?? 0, stroke.y0 ?? 0, stroke.x1 ?? 0, stroke.y1 ?? 0];
  const reach = (stroke.width ?? 0) / 2;
  /** @type {(axis: number, length: number) => boolean} */
  const overlaps = (axis, length) => {
    const values = numbers.filter((_, index) => index % 2 === axis);
    return Math.max(...values) + reach >= -0.5 && Math.min(...values) - reach <= length - 0.5;
  };
  return overlaps(0, image.columns) && overlaps(1, image.rows);
}

/** @type {WeakMap<Stroke, Path2D>} */
const outlines = new WeakMap();

/**
 * The outline of a stroke in image coordinates.
 * @param {Stroke} stroke
 */
export function outlineOf(stroke) {
  const known = outlines.get(stroke);
  if (known) return known;
  const outline = new Path2D(stroke.path ?? "");
  const { x0 = 0, y0 = 0, x1 = 0, y1 = 0 } = stroke;
  if (stroke.kind === "rectangle") outline.rect(x0, y0, x1 - x0, y1 - y0);
  if (stroke.kind === "circle") {
    outline.ellipse((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2, 0, 0, 2 * Math.PI);
  }
  outlines.set(stroke, outline);
  return outline;
}

/**
 * How wide the line of a stroke is drawn, in image pixels; 0 for what is filled.
 * @param {Stroke} stroke
 */
export function lineWidthOf({ kind, width = 0 }) {
  return kind === "path" ? Math.max(width, 1) : 0;
}
