/* The stroke that is selected: it is moved, widened, given another class, or deleted. */

import { strokeAt } from "./hits.mjs";
import { round } from "./path.mjs";
import { movedStroke, versionOf } from "./strokes.mjs";

/** @import { State, Stroke } from "../journal/state.mjs" */
/** @import { Canvas } from "./drawing.mjs" */
/** @import { Point } from "./path.mjs" */

/**
 * @typedef {object} SelectionParts
 * @property {Canvas} picture
 * @property {() => State} state
 * @property {(stroke: Stroke) => void} onChange a stroke takes the place of the one with its id
 * @property {(strokes: string[]) => void} onErase strokes were erased, by their ids
 * @property {() => void} onSelect another stroke was selected, or none
 */

/* Screen pixels that a pointer moves at least before the stroke moves along: a click moves nothing. */
const CLICK = 3;

export class Selection {
  /** Id of the selected stroke. @type {?string} */
  id = null;
  /** Where it was taken, in the image. @type {?Point} */
  #taken = null;
  /** How it is to be, but is not yet. @type {?Stroke} */
  #preview = null;

  /** @param {SelectionParts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** The selected stroke, as it is seen. */
  get stroke() {
    return this.#preview ?? this.parts.state().strokes.find((stroke) => stroke.id === this.id);
  }

  /**
   * Select a stroke, or none.
   * @param {?string} id
   */
  select(id) {
    this.#taken = null;
    this.show(null);
    if (this.id === id) return;
    this.id = id;
    this.parts.picture.select(id);
    this.parts.onSelect();
  }

  /** Strokes come and go: one that is gone is not selected any more. */
  update() {
    if (this.id && !this.parts.state().strokes.some((stroke) => stroke.id === this.id)) this.select(null);
  }

  /** @param {?Stroke} stroke shown in place of the selected one */
  show(stroke) {
    this.#preview = stroke;
    this.parts.picture.setPreview(stroke);
  }

  /**
   * Select what lies at a place, and take hold of it.
   * @param {Point} place in the image
   * @param {number} scale screen pixels an image pixel
   */
  take(place, scale) {
    this.select(strokeAt(this.parts.state(), place, scale)?.id ?? null);
    this.#taken = this.id ? place : null;
  }

  /**
   * Move what was taken.
   * @param {Point} place in the image
   * @param {number} scale screen pixels an image pixel
   */
  moveTo([x, y], scale) {
    const stroke = this.parts.state().strokes.find(({ id }) => id === this.id);
    if (!this.#taken || !stroke) return;
    const [dx, dy] = [x - this.#taken[0], y - this.#taken[1]];
    if (!this.#preview && Math.hypot(dx, dy) * scale < CLICK) return;
    this.show(movedStroke(stroke, round(dx), round(dy)));
  }

  /** Let the stroke be as it is shown. */
  settle() {
    const [preview, before] = [this.#preview, this.parts.state().strokes.find(({ id }) => id === this.id)];
    this.#taken = null;
    if (preview && before && versionOf(preview) !== versionOf(before)) this.parts.onChange(preview);
    this.show(null);
  }

  /** Let it be as it was. */
  drop() {
    this.#taken = null;
    this.show(null);
  }

  /**
   * Show it with another width; only paths have one.
   * @param {number} width in image pixels
   */
  widen(width) {
    const { stroke } = this;
    if (stroke?.kind === "path") this.show({ ...stroke, width });
  }

  /**
   * Give it another class.
   * @param {number} classId
   * @returns {boolean} whether there is a stroke to which it could be given
   */
  classify(classId) {
    const { stroke } = this;
    if (!stroke) return false;
    this.show({ ...stroke, class_id: classId });
    this.settle();
    return true;
  }

  /** @returns {boolean} whether there was a stroke to delete */
  remove() {
    const { id } = this;
    if (!id) return false;
    this.select(null);
    this.parts.onErase([id]);
    return true;
  }
}
