/* The tools: what Plotly draws is taken over as strokes, the eraser takes strokes away. */

import { drawnShapes, relayoutLater } from "../page/graph.mjs";
import { targetOf } from "../shared/dom.mjs";
import { lineWidthOf, nameOfPen, outlineOf, penOfShape, strokeOfShape } from "./strokes.mjs";

/** @import { State, Stroke } from "../journal/state.mjs" */
/** @import { Viewport } from "./viewport.mjs" */

/**
 * @typedef {object} Canvas what the tools need of the picture
 * @property {?{hash: string}} image that is shown
 * @property {?string} marked id of the stroke that the eraser would take
 * @property {() => void} draw
 */

/**
 * @typedef {object} DrawingParts
 * @property {Viewport} viewport
 * @property {Canvas} picture
 * @property {HTMLElement} ring shows the width at the pointer
 * @property {() => State} state
 * @property {(stroke: Stroke, image: string) => void} onStroke a stroke was drawn on an image, by its hash
 * @property {(strokes: string[]) => void} onErase strokes were erased, by their ids
 */

/** @type {Record<string, string>} */
const DRAG_MODES = { squiggle: "drawopenpath", closed: "drawclosedpath", rectangle: "drawrect", circle: "drawcircle" };
const ERASER_REACH = 4;
const PINCH_REST_MS = 400;
const GREY = "#888888";

export class Drawing {
  /** @param {DrawingParts} parts */
  constructor({ viewport, picture, ring, state, onStroke, onErase }) {
    this.viewport = viewport;
    this.picture = picture;
    this.ring = ring;
    this.state = state;
    this.onStroke = onStroke;
    this.onErase = onErase;
    this.tool = "squiggle";
    this.classId = 1;
    this.width = 5;
    /** Shapes that are strokes already. @type {string[]} */
    this.harvested = [];
    this.erasing = false;
    this.erasedTo = [0, 0];
    this.discarding = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.pinchTimer = undefined;
    this.probe = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(1, 1).getContext("2d"));
    /* While a button is down, Plotly covers the whole window: only the window hears all moves. */
    window.addEventListener("pointermove", (event) => this.onMove(event), { capture: true });
    viewport.stage.addEventListener("pointerdown", (event) => this.onPress(event), { capture: true });
    window.addEventListener("pointerup", () => { this.erasing = false; });
  }

  get colour() {
    return this.state().classes.find((one) => one.id === this.classId)?.colour ?? GREY;
  }

  /**
   * What the graph's pen looks like at a scale, as layout attributes.
   * @param {number} scale
   */
  pen(scale) {
    const { tool, classId, width } = this;
    const filled = tool !== "squiggle";
    return {
      "dragmode": this.viewport.panTool ? false : DRAG_MODES[tool] ?? false,
      "newshape.name": nameOfPen({ tool, classId, width, image: this.picture.image?.hash }),
      "newshape.line.color": this.colour,
      "newshape.line.width": filled ? 1 : Math.max(width, 1) * scale,
      "newshape.fillcolor": filled ? this.colour : "rgba(0,0,0,0)",
      "newshape.opacity": filled ? 0.6 : 1,
    };
  }

  /**
   * Choose another tool, class or width.
   * @param {{tool?: string, classId?: number, width?: number}} choice
   */
  choose({ tool = this.tool, classId = this.classId, width = this.width }) {
    Object.assign(this, { tool, classId, width });
    this.viewport.panTool = tool === "pan";
    this.viewport.stage.dataset.tool = tool;
    if (tool !== "erase") this.mark(null);
    this.hideRing();
    this.viewport.commit();
  }

  /** Take the shapes that Plotly has finished over as strokes, and empty its list. */
  harvest() {
    const shapes = drawnShapes();
    const keys = shapes.map(({ name, path, x0, y0, x1, y1 }) => JSON.stringify([name, path, x0, y0, x1, y1]));
    shapes.forEach((shape, index) => {
      if (this.harvested.includes(keys[index])) return;
      if (!this.discarding) this.onStroke(strokeOfShape(shape), penOfShape(shape).image ?? "");
      this.discarding = false;
    });
    /* While the next stroke is being drawn the list cannot be emptied yet, and comes again with that stroke. */
    this.harvested = keys;
    if (shapes.length) relayoutLater({ shapes: [] });
  }

  /** The stroke that a second finger interrupted was none. */
  onPinch() {
    this.discarding = this.tool in DRAG_MODES;
    clearTimeout(this.pinchTimer);
  }

  onPinchEnd() {
    this.pinchTimer = setTimeout(() => { this.discarding = false; }, PINCH_REST_MS);
  }

  /** @param {PointerEvent} event */
  onPress(event) {
    if (this.tool !== "erase" || event.button !== 0 || this.viewport.moving) return;
    if (targetOf(event).closest(".over-stage")) return;
    this.erasing = true;
    this.erasedTo = this.viewport.toImage(event);
    this.eraseAt(event);
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    if (!this.erasing && !this.viewport.isOver(event)) {
      this.hideRing();
      return;
    }
    this.moveRing(event);
    if (this.tool !== "erase" || this.viewport.moving) return;
    if (this.erasing) this.eraseAt(event);
    else this.mark(this.strokeAt(...this.viewport.toImage(event))?.id ?? null);
  }

  /**
   * Erase what lies between the last place and this one: a fast hand jumps over thin strokes.
   * @param {PointerEvent} event
   */
  eraseAt(event) {
    const [fromX, fromY] = this.erasedTo;
    const [toX, toY] = this.viewport.toImage(event);
    this.erasedTo = [toX, toY];
    const steps = Math.ceil((Math.hypot(toX - fromX, toY - fromY) * this.viewport.scale) / ERASER_REACH) || 1;
    for (let step = 1; step <= steps; step += 1) {
      const share = step / steps;
      const stroke = this.strokeAt(fromX + share * (toX - fromX), fromY + share * (toY - fromY));
      if (stroke) this.onErase([stroke.id]);
    }
  }

  /** @param {?string} id of the stroke that is shown as what the eraser would take */
  mark(id) {
    if (this.picture.marked === id) return;
    this.picture.marked = id;
    this.picture.draw();
  }

  /**
   * The topmost stroke at an image position.
   * @param {number} x
   * @param {number} y
   */
  strokeAt(x, y) {
    const reach = (2 * ERASER_REACH) / this.viewport.scale;
    const { strokes, hidden } = this.state();
    return strokes.findLast((stroke) => {
      if (hidden.has(stroke.class_id)) return false;
      const outline = outlineOf(stroke);
      this.probe.lineCap = "round";
      this.probe.lineWidth = reach + lineWidthOf(stroke);
      if (this.probe.isPointInStroke(outline, x, y)) return true;
      return stroke.kind !== "path" && this.probe.isPointInPath(outline, x, y, "evenodd");
    });
  }

  /** @param {PointerEvent} event */
  moveRing(event) {
    if (event.pointerType === "touch" || this.tool !== "squiggle" || this.viewport.moving) {
      this.hideRing();
      return;
    }
    const box = this.viewport.stage.getBoundingClientRect();
    const size = Math.max(this.width, 1) * this.viewport.scale;
    Object.assign(this.ring.style, {
      display: "block", width: `${size}px`, height: `${size}px`,
      left: `${event.clientX - box.left - size / 2}px`, top: `${event.clientY - box.top - size / 2}px`,
      borderColor: this.colour,
    });
  }

  hideRing() {
    this.ring.style.display = "none";
  }
}
