/* Which stroke lies under a pointer. */

import { UNLABELLED, isRegion } from "../page/classids.mjs";
import { lineWidthOf, outlineOf } from "./strokes.mjs";

/** @import { State, Stroke } from "../journal/state.mjs" */
/** @import { Point } from "./path.mjs" */

/** Pixels of the screen by which a pointer may miss a stroke. */
export const REACH = 4;

const probe = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(1, 1).getContext("2d"));

/**
 * @param {Stroke} stroke
 * @param {Point} place in the image
 * @param {number} reach in image pixels, to each side
 */
function isHit(stroke, [x, y], reach) {
  const outline = outlineOf(stroke);
  probe.lineCap = "round";
  probe.lineWidth = 2 * reach + lineWidthOf(stroke);
  if (probe.isPointInStroke(outline, x, y)) return true;
  return stroke.kind !== "path" && !isRegion(stroke) && probe.isPointInPath(outline, x, y, "evenodd");
}

/**
 * The topmost stroke at a place; one of the eraser, which nobody sees, only where it is hit exactly, and an outline of
 * where the image is worked on only at its rim, since others lie inside.
 * @param {State} state
 * @param {Point} place in the image
 * @param {number} scale screen pixels an image pixel
 */
export function strokeAt({ strokes, hidden }, place, scale) {
  return strokes.findLast((stroke) => !hidden.has(stroke.class_id)
    && isHit(stroke, place, stroke.class_id === UNLABELLED ? 0 : REACH / scale));
}
