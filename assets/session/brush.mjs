/* How wide the brush is: the pen, or the eraser; or what is selected, which is widened with the same controls. */

import { suitableWidth, widthLimit, widthStep, withinLimit } from "../drawing/width.mjs";
import { showWidth } from "../page/toolbar.mjs";

/** @import { Session } from "./session.mjs" */

export class Brush {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
  }

  /** The largest width that makes sense on the current image. */
  get limit() {
    const { state, viewport } = this.session;
    return widthLimit(state.image ?? viewport);
  }

  /** Width of the pen, or of the eraser, in image pixels. */
  get width() {
    const { view, viewport } = this.session;
    const [chosen, brush] = view.tool === "erase"
      ? [view.eraserWidth, /** @type {const} */ ("eraser")]
      : [view.width, /** @type {const} */ ("pen")];
    return withinLimit(chosen ?? suitableWidth(brush, viewport.scale), this.limit);
  }

  /** Show the width of what is selected, or else of the brush. */
  show() {
    const { drawing, view } = this.session;
    const { stroke } = drawing.selection;
    if (stroke) showWidth("Its width", stroke.width ?? 1, this.limit, stroke.kind === "path");
    else showWidth(view.tool === "erase" ? "Eraser width" : "Stroke width", this.width, this.limit, true);
  }

  /** @param {number} width of the brush, or of what is selected, in image pixels */
  setWidth(width) {
    const { drawing: { selection }, view } = this.session;
    const within = withinLimit(width, this.limit);
    if (selection.stroke) selection.widen(within);
    else this.session.chooseView({ [view.tool === "erase" ? "eraserWidth" : "width"]: within });
    this.show();
  }

  /** @param {number} steps by which the brush, or what is selected, becomes wider */
  step(steps) {
    const { selection } = this.session.drawing;
    const { width = 1 } = selection.stroke ?? this;
    this.setWidth(width + steps * widthStep(steps < 0 ? width - 1 : width));
    selection.settle();
  }
}
