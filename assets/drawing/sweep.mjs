/* The eraser that takes whole strokes. */

import { UNLABELLED } from "../journal/state.mjs";
import { REACH, strokeAt } from "./hits.mjs";

/** @import { State } from "../journal/state.mjs" */
/** @import { Point } from "./path.mjs" */

export class Sweep {
  /**
   * @param {() => State} state
   * @param {(strokes: string[]) => void} onErase strokes were erased, by their ids
   */
  constructor(state, onErase) {
    this.state = state;
    this.onErase = onErase;
    /** Where it was last, in the image; null: it is not on the image. @type {?Point} */
    this.at = null;
  }

  /**
   * The stroke that it would take at a place.
   * @param {Point} place in the image
   * @param {number} scale screen pixels an image pixel
   */
  target(place, scale) {
    const stroke = strokeAt(this.state(), place, scale);
    return stroke?.class_id === UNLABELLED ? undefined : stroke;
  }

  /**
   * Erase what lies between the last place and this one: a fast hand jumps over thin strokes.
   * @param {Point} place in the image
   * @param {number} scale screen pixels an image pixel
   */
  moveTo([toX, toY], scale) {
    const [fromX, fromY] = this.at ?? [toX, toY];
    this.at = [toX, toY];
    const steps = Math.ceil((Math.hypot(toX - fromX, toY - fromY) * scale) / REACH) || 1;
    for (let step = 1; step <= steps; step += 1) {
      const share = step / steps;
      const stroke = this.target([fromX + share * (toX - fromX), fromY + share * (toY - fromY)], scale);
      if (stroke) this.onErase([stroke.id]);
    }
  }
}
