/* The eraser that takes whole strokes. */

import { UNLABELLED } from "../page/classids.mjs";
import { REACH, strokeAt } from "./hits.mjs";

/** @import { State, Stroke } from "../journal/state.mjs" */
/** @import { Point } from "./path.mjs" */

export class Sweep {
  /** Ids of the strokes that it has met since the button went down. @type {Set<string>} */
  met = new Set();
  /** Where it was last, in the image; null: it is not on the image. @type {?Point} */
  at = null;

  /**
   * @param {() => State} state
   * @param {(left: Stroke[]) => void} onMet some strokes were met; those that are left are to be shown
   * @param {(strokes: string[]) => void} onErase all that were met are erased, by their ids: one gesture, one undo
   */
  constructor(state, onMet, onErase) {
    this.state = state;
    this.onMet = onMet;
    this.onErase = onErase;
  }

  /**
   * The strokes that are not met yet.
   * @param {Stroke[]} strokes
   */
  left(strokes) {
    return this.met.size ? strokes.filter(({ id }) => !this.met.has(id)) : strokes;
  }

  /**
   * The stroke that it would take at a place.
   * @param {Point} place in the image
   * @param {number} scale screen pixels an image pixel
   */
  target(place, scale) {
    const state = this.state();
    const stroke = strokeAt({ ...state, strokes: this.left(state.strokes) }, place, scale);
    return stroke?.class_id === UNLABELLED ? undefined : stroke;
  }

  /**
   * Meet what lies between the last place and this one: a fast hand jumps over thin strokes.
   * @param {Point} place in the image
   * @param {number} scale screen pixels an image pixel
   */
  moveTo([toX, toY], scale) {
    const [fromX, fromY] = this.at ?? [toX, toY];
    this.at = [toX, toY];
    const before = this.met.size;
    const steps = Math.ceil((Math.hypot(toX - fromX, toY - fromY) * scale) / REACH) || 1;
    for (let step = 1; step <= steps; step += 1) {
      const share = step / steps;
      const stroke = this.target([fromX + share * (toX - fromX), fromY + share * (toY - fromY)], scale);
      if (stroke) this.met.add(stroke.id);
    }
    if (this.met.size > before) this.onMet(this.left(this.state().strokes));
  }

  /** The button is up. */
  end() {
    const met = [...this.met];
    this.at = null;
    this.met.clear();
    if (met.length) this.onErase(met);
  }

  /** What was begun is not to be. */
  drop() {
    this.at = null;
    if (!this.met.size) return;
    this.met.clear();
    this.onMet(this.state().strokes);
  }
}
