/* The tools: what the pointer does becomes strokes, takes strokes away, or changes one. */

import { REGION, UNLABELLED } from "../page/classids.mjs";
import { drawnShapes, relayoutLater } from "../page/graph.mjs";
import { targetOf } from "../shared/dom.mjs";
import { Gesture } from "./gesture.mjs";
import { Ring } from "./ring.mjs";
import { Selection } from "./selection.mjs";
import { mayMeet, nameOfPen, penOfShape, strokeOfShape } from "./strokes.mjs";
import { Sweep } from "./sweep.mjs";

/** @import { State, Stroke } from "../journal/state.mjs" */
/** @import { Shape } from "../page/graph.mjs" */
/** @import { Viewport } from "./viewport.mjs" */

/**
 * @typedef {object} Canvas what the tools need of the picture
 * @property {?{hash: string}} image that is shown
 * @property {(id: ?string) => void} mark shows which stroke the eraser would take
 * @property {(id: ?string) => void} select shows which stroke is selected
 * @property {(stroke: ?Stroke) => void} setPreview shows a stroke in place of the one with its id
 * @property {(strokes: Stroke[]) => void} setHands shows what is being drawn
 * @property {(strokes: Stroke[]) => void} setStrokes shows what is drawn
 */

/**
 * @typedef {object} DrawingParts
 * @property {Viewport} viewport
 * @property {Canvas} picture
 * @property {HTMLElement} ring shows the width at the pointer
 * @property {() => State} state
 * @property {() => number} width of the brush, in image pixels
 * @property {(stroke: Stroke, image: string, corrects: boolean) => void} onStroke a stroke was drawn on an image, by
 * its hash, or painted into its result
 * @property {(stroke: Stroke) => void} onChange a stroke takes the place of the one with its id
 * @property {(strokes: string[]) => void} onErase strokes were erased, by their ids
 * @property {() => void} onSelect another stroke was selected, or none
 */

/** @type {Record<string, string>} */
const DRAG_MODES = {
  squiggle: "drawopenpath", closed: "drawclosedpath", rectangle: "drawrect", circle: "drawcircle",
  region: "drawclosedpath",
};
/** Tools that draw in no class that people have named. @type {Record<string, number>} */
const CLASSES_OF_TOOLS = { erase: UNLABELLED, region: REGION };
const PINCH_REST_MS = 400;
const GREY = "#888888";

/** @param {Shape} shape */
const keyOf = ({ name, path, x0, y0, x1, y1 }) => JSON.stringify([name, path, x0, y0, x1, y1]);

export class Drawing {
  tool = "squiggle";
  classId = 1;
  /** Whether pens and eraser work on the result. */
  corrects = false;
  /** Whether the eraser takes whole strokes. */
  whole = false;
  /** What is being drawn. @type {?Gesture} */
  gesture = null;
  /** What was drawn, until Plotly has said so too. @type {?Gesture} */
  ended = null;
  /** What was drawn last, had Plotly not said so: if it does so late, that is no further stroke. @type {?Gesture} */
  late = null;
  /** What was drawn, by the shapes that Plotly made of it. @type {Map<string, Gesture>} */
  awaited = new Map();
  /** Shapes that are strokes already. @type {string[]} */
  harvested = [];
  discarding = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  pinchTimer = undefined;

  /** @param {DrawingParts} parts */
  constructor(parts) {
    const { viewport, picture, ring, state, onErase, onChange, onSelect } = parts;
    this.parts = parts;
    this.viewport = viewport;
    this.picture = picture;
    this.state = state;
    this.ring = new Ring(ring, viewport);
    this.sweep = new Sweep(state, (left) => picture.setStrokes(left), onErase);
    this.selection = new Selection({ picture, state, onErase, onChange, onSelect });
    /* While a button is down, Plotly covers the whole window: only the window hears all moves. */
    window.addEventListener("pointermove", (event) => this.onMove(event), { capture: true });
    viewport.stage.addEventListener("pointerdown", (event) => this.onPress(event), { capture: true });
    window.addEventListener("pointerup", (event) => this.onRelease(event), { capture: true });
    window.addEventListener("pointercancel", () => this.drop(), { capture: true });
    /* A busy browser tells of several presses before any timer: what was drawn comes before what follows. */
    for (const type of ["pointerdown", "keydown"]) {
      window.addEventListener(type, () => { if (this.ended) this.awaitShape(this.ended); }, { capture: true });
    }
  }

  get width() {
    return this.parts.width();
  }

  get colour() {
    return this.state().classes.find((one) => one.id === this.classId)?.colour ?? GREY;
  }

  /** The chosen pen. */
  get pen() {
    const { tool, width } = this;
    const image = this.picture.image?.hash;
    const classId = CLASSES_OF_TOOLS[tool] ?? this.classId;
    return { tool, classId, width, image, corrects: this.corrects && classId !== REGION };
  }

  /** What the graph is to do with the pointer, as layout attributes; what it draws is not seen. */
  get layout() {
    return {
      "dragmode": this.viewport.panTool ? false : DRAG_MODES[this.tool] ?? false,
      "newshape.name": nameOfPen(this.pen),
    };
  }

  /**
   * Choose another tool or class.
   * @param {{tool?: string, classId?: number, whole?: boolean, corrects?: boolean}} choice
   */
  choose({ tool = this.tool, classId = this.classId, whole = this.whole, corrects = this.corrects }) {
    Object.assign(this, { tool, classId, whole: whole && !corrects, corrects });
    this.viewport.panTool = tool === "pan";
    this.viewport.stage.dataset.tool = tool === "erase" && this.whole ? "sweep" : tool;
    this.viewport.stage.classList.toggle("corrects", corrects);
    if (tool !== "erase") this.picture.mark(null);
    if (tool !== "select") this.selection.select(null);
    this.selection.update();
    this.showRing();
    this.viewport.commit();
  }

  /* ---- what Plotly has drawn ---------------------------------------------------------------------------------- */

  /** Take the shapes that Plotly has finished over as strokes, and empty its list. */
  harvest() {
    const shapes = drawnShapes();
    const keys = shapes.map(keyOf);
    const taken = [...this.harvested, ...this.awaited.keys()];
    /* Also those whose shapes have left the list again. */
    for (const gesture of [...this.awaited.values()]) this.take(gesture);
    shapes.forEach((shape, index) => { if (!taken.includes(keys[index])) this.takeShape(shape); });
    /* While the next stroke is being drawn the list cannot be emptied yet, and comes again with that stroke. */
    this.harvested = keys;
    if (shapes.length) relayoutLater({ shapes: [] });
  }

  /**
   * Plotly thins what it draws, by pixels of the screen: it says that there is a stroke, the gesture which one.
   * @param {Shape} shape
   */
  takeShape(shape) {
    if (this.discarding) this.discarding = false;
    else if (this.ended) this.take(this.ended);
    else if (this.late) {
      if (this.late.pen.tool !== "squiggle") this.take(this.late);
      this.late = null;
    } else {
      const { image, corrects } = penOfShape(shape);
      this.parts.onStroke(strokeOfShape(shape), image ?? "", corrects);
    }
  }

  /**
   * Where the pointer hardly moved, Plotly draws nothing; of a squiggle that is a dot.
   * @param {Gesture} gesture that has ended
   */
  awaitShape(gesture) {
    if (this.ended !== gesture) return;
    const key = drawnShapes().map(keyOf).find((one) => !this.harvested.includes(one) && !this.awaited.has(one));
    this.ended = null;
    if (key) this.awaited.set(key, gesture);
    else {
      this.late = gesture;
      if (gesture.pen.tool === "squiggle") this.take(gesture);
    }
    this.showHands();
  }

  /**
   * A gesture becomes a stroke.
   * @param {Gesture} gesture
   */
  take(gesture) {
    if (this.ended === gesture) this.ended = null;
    for (const [key, one] of this.awaited) if (one === gesture) this.awaited.delete(key);
    const { shown, pen } = gesture;
    const below = this.state()[pen.corrects ? "corrections" : "strokes"];
    const erasesNothing = pen.tool === "erase" && !below.some((stroke) => mayMeet(stroke, shown));
    if (!erasesNothing) this.parts.onStroke(shown, pen.image ?? "", pen.corrects);
    this.showHands();
  }

  showHands() {
    const gestures = [...this.awaited.values(), this.ended, this.gesture];
    this.picture.setHands(gestures.flatMap((gesture) => (gesture ? [gesture.shown] : [])));
  }

  /**
   * The topmost stroke that is seen at an image position.
   * @param {number} x
   * @param {number} y
   */
  strokeAt(x, y) {
    return this.sweep.target([x, y], this.viewport.scale);
  }

  /* ---- what the pointer does ---------------------------------------------------------------------------------- */

  /** The stroke that a second finger interrupted was none. */
  onPinch() {
    this.discarding = this.tool in DRAG_MODES;
    clearTimeout(this.pinchTimer);
    this.drop();
  }

  onPinchEnd() {
    this.pinchTimer = setTimeout(() => { this.discarding = false; }, PINCH_REST_MS);
  }

  /** What was begun is not to be. */
  drop() {
    this.gesture = null;
    this.sweep.drop();
    this.selection.drop();
    this.showHands();
  }

  /** @param {MouseEvent} event */
  sweeps(event) {
    return this.tool === "erase" && !this.corrects && (this.whole || event.shiftKey);
  }

  /** @param {PointerEvent} event */
  onPress(event) {
    this.ring.follow(event);
    this.late = null;
    if (event.button !== 0 || this.viewport.moving || targetOf(event).closest(".over-stage")) return;
    const { scale } = this.viewport;
    if (this.sweeps(event)) this.sweep.moveTo(this.viewport.toImage(event), scale);
    else if (this.tool === "select") this.selection.take(this.viewport.toImage(event), scale);
    else if (this.tool === "erase" || this.tool in DRAG_MODES) {
      this.gesture = new Gesture(this.pen, event, (one) => this.viewport.toImage(one));
      this.showHands();
    }
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    const { viewport, gesture } = this;
    this.ring.follow(event);
    if (gesture && gesture.pointerId === event.pointerId) {
      gesture.follow(event);
      this.showHands();
    } else if (this.sweep.at) this.sweep.moveTo(viewport.toImage(event), viewport.scale);
    else this.selection.moveTo(viewport.toImage(event), viewport.scale);
    const over = viewport.isOver(event);
    this.showRing(over || gesture !== null);
    const target = over && !viewport.moving && this.sweeps(event) ? this.strokeAt(...viewport.toImage(event)) : null;
    this.picture.mark(target?.id ?? null);
  }

  /** @param {PointerEvent} event */
  onRelease(event) {
    this.sweep.end();
    this.selection.settle();
    const { gesture } = this;
    if (!gesture || gesture.pointerId !== event.pointerId) return;
    this.gesture = null;
    gesture.follow(event);
    gesture.end(this.viewport.scale);
    if (gesture.pen.tool === "erase") this.take(gesture);
    else {
      this.ended = gesture;
      this.showHands();
      setTimeout(() => this.awaitShape(gesture));
    }
  }

  /**
   * Show how wide the brush is, where it is seen.
   * @param {boolean} [seen] whether the pointer is over the image
   */
  showRing(seen = this.ring.pointer !== null && this.viewport.isOver(this.ring.pointer)) {
    const erases = this.tool === "erase" && !this.whole;
    if (seen && !this.viewport.moving && (this.tool === "squiggle" || erases)) {
      this.ring.show(this.width, erases ? GREY : this.colour);
    } else this.ring.hide();
  }
}
