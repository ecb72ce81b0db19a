/*
 * What part of the image is on screen. The canvas and the axes of the Plotly graph above it show the same part; wheel,
 * two fingers, Space or the middle button move it without the server.
 */

import { relayout } from "../page/graph.mjs";
import { targetOf } from "../shared/dom.mjs";
import { Frame } from "./frame.mjs";

/**
 * @typedef {object} ViewportListener
 * @property {() => void} onMove at each move
 * @property {() => void} onCommit when the axes have followed
 * @property {() => void} onPinch a second finger has come down
 * @property {(active: boolean) => void} onPanning the image begins or ceases to be moved
 * @property {(delta: number, inTime: boolean) => void} onPlanes the wheel is turned to go through planes
 * @property {() => Record<string, any>} pen what the graph is to do with the pointer, as layout attributes
 */

const COMMIT_MS = 120;
const WHEEL_STEP = 0.0016;
const MAX_WHEEL = 400;
const LINE_PIXELS = 33;
const PINCH_SPEED = 6;

export class Viewport extends Frame {
  /**
   * @param {HTMLElement} stage holds the canvas and the graph
   * @param {ViewportListener} listener
   */
  constructor(stage, listener) {
    super();
    this.stage = stage;
    this.listener = listener;
    /** Where the pointers are that are down. @type {Map<number, [x: number, y: number]>} */
    this.pointers = new Map();
    this.spaceHeld = false;
    this.panTool = false;
    /** Whether the press that comes only closes what is open above the page: it draws nothing. */
    this.dismissing = false;
    this.panning = false;
    this.pinching = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.commitTimer = undefined;
    this.committed = "";
    this.measure();
    this.listen();
  }

  listen() {
    const options = { capture: true, passive: false };
    this.stage.addEventListener("wheel", (event) => this.onWheel(event), options);
    this.stage.addEventListener("pointerdown", (event) => this.onPointerDown(event), options);
    for (const type of ["mousedown", "touchstart"]) {
      this.stage.addEventListener(type, (event) => this.keepFromGraph(event), options);
    }
    window.addEventListener("pointermove", (event) => this.onPointerMove(event), options);
    window.addEventListener("touchmove", (event) => this.keepFromGraph(event), options);
    window.addEventListener("pointerup", (event) => this.onPointerUp(event), options);
    window.addEventListener("pointercancel", (event) => this.onPointerUp(event), options);
    new ResizeObserver(() => this.resized()).observe(this.stage);
  }

  /**
   * Show another image, all of it.
   * @param {number} rows
   * @param {number} columns
   */
  setImage(rows, columns) {
    Object.assign(this, { rows, columns });
    this.fit();
  }

  fit() {
    super.fit();
    this.moved();
  }

  /**
   * Zoom by a factor, keeping the image where it is under a place on the stage (its middle unless given).
   * @param {number} factor
   * @param {number} [left]
   * @param {number} [top]
   */
  zoom(factor, left = this.width / 2, top = this.height / 2) {
    if (this.pointers.size && !this.moving) return;
    super.zoom(factor, left, top);
    this.moved();
  }

  /**
   * Let an image position be in the middle.
   * @param {number} x
   * @param {number} y
   * @param {number} scale
   */
  goTo(x, y, scale) {
    super.goTo(x, y, scale);
    this.moved();
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    super.pan(dx, dy);
    this.moved();
  }

  moved() {
    this.keepInSight();
    this.listener.onMove();
    clearTimeout(this.commitTimer);
    this.commitTimer = setTimeout(() => this.commit(), COMMIT_MS);
  }

  /* Asked of the page itself, each time, the size would make it lay itself out anew. */
  measure() {
    Object.assign(this, { width: this.stage.clientWidth, height: this.stage.clientHeight });
  }

  resized() {
    this.measure();
    if (this.fitted) this.fit();
    else this.moved();
  }

  /** Let the graph's axes follow, so that what is drawn lands where it is seen. */
  commit() {
    clearTimeout(this.commitTimer);
    this.commitTimer = undefined;
    if (!this.width) return;
    const layout = { ...this.axisRanges, ...this.listener.pen() };
    const committed = JSON.stringify(layout);
    if (committed === this.committed) return;
    this.committed = committed;
    relayout(layout);
    this.listener.onCommit();
  }

  /**
   * The image position under a pointer, on the axes' scale.
   * @param {MouseEvent} event
   */
  toImage(event) {
    const box = this.stage.getBoundingClientRect();
    return this.imageAt(event.clientX - box.left, event.clientY - box.top);
  }

  /**
   * Whether a pointer is over the stage.
   * @param {MouseEvent} event
   */
  isOver(event) {
    const box = this.stage.getBoundingClientRect();
    return event.clientX >= box.left && event.clientX < box.right
      && event.clientY >= box.top && event.clientY < box.bottom;
  }

  /** Whether the image is being moved, so that nothing is drawn. */
  get moving() {
    return this.panning || this.pinching;
  }

  /** @param {WheelEvent} event */
  onWheel(event) {
    event.preventDefault();
    event.stopPropagation();
    if (this.pointers.size) return;
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PIXELS : 1;
    if (event.altKey) {
      this.listener.onPlanes((event.deltaY || event.deltaX) * lines, event.shiftKey);
      return;
    }
    const box = this.stage.getBoundingClientRect();
    const speed = event.ctrlKey ? PINCH_SPEED : 1;
    const delta = Math.max(Math.min(event.deltaY * lines * speed, MAX_WHEEL), -MAX_WHEEL);
    this.zoom(Math.exp(-delta * WHEEL_STEP), event.clientX - box.left, event.clientY - box.top);
  }

  /** @param {PointerEvent} event */
  onPointerDown(event) {
    if (targetOf(event).closest(".over-stage")) return;
    if (this.commitTimer) this.commit();
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.pointers.size > 1) {
      this.pinching = true;
      this.listener.onPinch();
    } else if (this.spaceHeld || this.panTool || this.dismissing || event.button === 1) {
      this.panning = true;
    }
    if (this.moving) {
      this.listener.onPanning(true);
      event.preventDefault();
      event.stopPropagation();
    }
  }

  /** @param {Event} event */
  keepFromGraph(event) {
    if (!this.moving) return;
    if (event.cancelable) event.preventDefault();
    event.stopPropagation();
  }

  /** @param {PointerEvent} event */
  onPointerMove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before || !this.moving) return;
    event.stopPropagation();
    /** @type {[x: number, y: number]} */
    const now = [event.clientX, event.clientY];
    if (this.pinching && this.pointers.size >= 2) this.pinch(event.pointerId, now);
    else {
      this.pointers.set(event.pointerId, now);
      if (this.panning) this.pan(now[0] - before[0], now[1] - before[1]);
    }
  }

  /**
   * One of two fingers has moved.
   * @param {number} pointer
   * @param {[x: number, y: number]} to
   */
  pinch(pointer, to) {
    const spread = () => {
      const [[ax, ay], [bx, by]] = this.pointers.values();
      return { distance: Math.hypot(ax - bx, ay - by), x: (ax + bx) / 2, y: (ay + by) / 2 };
    };
    const before = spread();
    this.pointers.set(pointer, to);
    const now = spread();
    const box = this.stage.getBoundingClientRect();
    this.pan(now.x - before.x, now.y - before.y);
    this.zoom(now.distance / Math.max(before.distance, 1), now.x - box.left, now.y - box.top);
  }

  /** @param {PointerEvent} event */
  onPointerUp(event) {
    if (!this.pointers.delete(event.pointerId) || this.pointers.size) return;
    if (this.moving) {
      this.panning = false;
      this.pinching = false;
      this.commit();
      this.listener.onPanning(false);
    }
  }
}
