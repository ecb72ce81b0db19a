/* A gesture: what a pointer does from its press to its release, and the stroke that it draws. */

import { newId } from "../page/ids.mjs";
import { pathOf, round } from "./path.mjs";
import { keepOutline } from "./strokes.mjs";

/** @import { Stroke } from "../journal/state.mjs" */
/** @import { Point } from "./path.mjs" */
/** @import { Pen } from "./strokes.mjs" */

/** @typedef {(event: MouseEvent) => Point} ToImage gives the image position under a pointer */

const KINDS = {
  squiggle: "path", erase: "path", closed: "polygon", rectangle: "rectangle", circle: "circle", region: "polygon",
};

export class Gesture {
  /** @type {Point[]} */
  points = [];
  /** How what was drawn so far is seen. @type {Stroke} */
  shown;
  #outline = new Path2D();

  /**
   * @param {Pen} pen
   * @param {PointerEvent} event that began it
   * @param {ToImage} toImage
   */
  constructor(pen, event, toImage) {
    this.pen = pen;
    this.pointerId = event.pointerId;
    this.toImage = toImage;
    this.kind = KINDS[/** @type {keyof typeof KINDS} */ (pen.tool)];
    this.shown = this.#stroke({});
    this.follow(event);
  }

  /** @param {Partial<Stroke>} shape */
  #stroke(shape) {
    const width = this.kind === "path" ? { width: this.pen.width } : {};
    return { id: newId(), class_id: this.pen.classId, kind: this.kind, ...shape, ...width };
  }

  /**
   * The pointer has moved: browsers tell once a frame, with all places in between.
   * @param {PointerEvent} event
   */
  follow(event) {
    const between = event.getCoalescedEvents?.() ?? [];
    for (const one of between.length ? between : [event]) this.#add(this.toImage(one));
    if (this.#isBox) this.shown = this.#stroke(this.#box);
    else keepOutline(this.shown, this.#outline);
  }

  get #isBox() {
    return this.kind === "rectangle" || this.kind === "circle";
  }

  get #box() {
    const [[ax, ay], [bx, by]] = [this.points[0], this.points[this.points.length - 1]];
    const [[x0, x1], [y0, y1]] = [[ax, bx], [ay, by]].map((ends) => ends.map(round).sort((a, b) => a - b));
    return { x0, y0, x1, y1 };
  }

  /** @param {Point} point */
  #add([x, y]) {
    const last = this.points[this.points.length - 1];
    if (last && last[0] === x && last[1] === y) return;
    if (last) this.#outline.lineTo(x, y);
    else {
      this.#outline.moveTo(x, y);
      this.#outline.lineTo(x, y + 1e-3);
    }
    this.points.push([x, y]);
  }

  /**
   * The stroke that was drawn; from now on it is what is seen.
   * @param {number} scale screen pixels an image pixel
   */
  end(scale) {
    if (!this.#isBox) {
      const path = pathOf(this.points, scale);
      this.shown = this.#stroke({ path: this.kind === "polygon" ? `${path}Z` : path });
    }
    return this.shown;
  }
}
