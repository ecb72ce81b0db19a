/* Strokes: made of the shapes that Plotly draws, and where they lie. */

import { newId } from "../page/ids.mjs";
import { movedPath, numbersOf, round, roundPath } from "./path.mjs";

/** @import { ImageFacts, Stroke } from "../journal/state.mjs" */
/** @import { Shape } from "../page/graph.mjs" */

/* A point is no line, and is not drawn: a dot is a line of next to no length. */
const DOT = /(M[\d\s.,e+-]*)(?=M|$)/g;

/**
 * @typedef {object} Pen what a stroke is drawn with
 * @property {string} tool squiggle, closed, rectangle, circle, region or erase
 * @property {number} classId
 * @property {number} width in image pixels
 * @property {string | undefined} image hash of the image that is drawn on
 * @property {boolean} corrects whether it paints into the result
 */

/**
 * The name of the shapes that a pen draws: until they are taken over as strokes, another pen may be chosen.
 * @param {Pen} pen
 */
export function nameOfPen({ tool, classId, width, image, corrects }) {
  return [tool, classId, width, image, Number(corrects)].join(" ");
}

/**
 * The pen that drew a shape.
 * @param {Shape} shape
 * @returns {Pen}
 */
export function penOfShape({ name }) {
  const [tool, classId, width, image, corrects] = name.split(" ");
  return { tool, classId: Number(classId), width: Number(width), image, corrects: corrects === "1" };
}

/**
 * A shape as a stroke, on hundredths of image pixels.
 * @param {Shape} shape
 * @returns {Stroke}
 */
export function strokeOfShape(shape) {
  const { tool, classId, width } = penOfShape(shape);
  const stroke = { id: newId(), class_id: classId };
  if (tool === "closed" || tool === "region") return { ...stroke, kind: "polygon", path: roundPath(shape.path) };
  if (tool === "squiggle") return { ...stroke, kind: "path", path: roundPath(shape.path), width };
  const [x0, x1] = [shape.x0, shape.x1].map(round).sort((a, b) => a - b);
  const [y0, y1] = [shape.y0, shape.y1].map(round).sort((a, b) => a - b);
  return { ...stroke, kind: tool, x0, y0, x1, y1 };
}

/**
 * The smallest box around a stroke: left, right, top, bottom.
 * @param {Stroke} stroke
 */
function boxOf({ path, x0 = 0, y0 = 0, x1 = 0, y1 = 0, width = 0 }) {
  const numbers = path ? numbersOf(path) : [x0, y0, x1, y1];
  const reach = width / 2;
  return [0, 1].flatMap((axis) => {
    const values = numbers.filter((_, index) => index % 2 === axis);
    return [values.reduce((a, b) => Math.min(a, b)) - reach, values.reduce((a, b) => Math.max(a, b)) + reach];
  });
}

/**
 * Whether some of a stroke may lie on an image: whether its bounding box does.
 * @param {Stroke} stroke
 * @param {Pick<ImageFacts, "rows" | "columns">} image
 */
export function liesOn(stroke, { rows, columns }) {
  const [left, right, top, bottom] = boxOf(stroke);
  return right >= -0.5 && left <= columns - 0.5 && bottom >= -0.5 && top <= rows - 0.5;
}

/**
 * Whether two strokes may have pixels in common: whether their bounding boxes do.
 * @param {Stroke} one
 * @param {Stroke} other
 */
export function mayMeet(one, other) {
  const [a, b] = [boxOf(one), boxOf(other)];
  return a[0] <= b[1] + 1 && b[0] <= a[1] + 1 && a[2] <= b[3] + 1 && b[2] <= a[3] + 1;
}

/**
 * A stroke moved.
 * @param {Stroke} stroke
 * @param {number} dx
 * @param {number} dy
 * @returns {Stroke}
 */
export function movedStroke(stroke, dx, dy) {
  if (stroke.path !== undefined) return { ...stroke, path: movedPath(stroke.path, dx, dy) };
  const [x0, y0, x1, y1] = [stroke.x0, stroke.y0, stroke.x1, stroke.y1].map((value = 0, index) => (
    round(value + (index % 2 ? dy : dx))
  ));
  return { ...stroke, x0, y0, x1, y1 };
}

/** @type {WeakMap<Stroke, string>} */
const versions = new WeakMap();

/**
 * Says which stroke this is, and which of those that took each other's place.
 * @param {Stroke} stroke
 */
export function versionOf(stroke) {
  const known = versions.get(stroke);
  if (known) return known;
  const { id, class_id: classId, kind, path, width, x0, y0, x1, y1 } = stroke;
  const text = JSON.stringify([classId, kind, path, width, x0, y0, x1, y1]);
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  const version = `${id} ${hash}`;
  versions.set(stroke, version);
  return version;
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
  const outline = new Path2D(stroke.path?.replace(DOT, "$1l0,.001") ?? "");
  const { x0 = 0, y0 = 0, x1 = 0, y1 = 0 } = stroke;
  if (stroke.kind === "rectangle") outline.rect(x0, y0, x1 - x0, y1 - y0);
  if (stroke.kind === "circle") {
    outline.ellipse((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2, 0, 0, 2 * Math.PI);
  }
  outlines.set(stroke, outline);
  return outline;
}

/**
 * Let a stroke be seen as an outline that still grows.
 * @param {Stroke} stroke
 * @param {Path2D} outline
 */
export function keepOutline(stroke, outline) {
  outlines.set(stroke, outline);
}

/**
 * How wide the line of a stroke is drawn, in image pixels; 0 for what is filled.
 * @param {Stroke} stroke
 */
export function lineWidthOf({ kind, width = 0 }) {
  return kind === "path" ? Math.max(width, 1) : 0;
}
