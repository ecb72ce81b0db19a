/* A small map of the whole image, while only a part of it is seen: a click or drag on it goes there. */

import { byId } from "../shared/dom.mjs";

/** @import { Session } from "../session/session.mjs" */

/** The longer side, in pixels of the page, and how large a part of the stage that is at most. */
const SIDE = 132;
const PART = 0.28;

export class Overview {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.canvas = byId("overview", HTMLCanvasElement);
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.go(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) this.go(event);
    });
  }

  /** Show which part is seen, if it is not all. */
  show() {
    const { viewport, picture: { image, photo } } = this.session;
    const { rows, columns, visible } = viewport;
    const [row0, row1, column0, column1] = visible;
    const whole = row1 - row0 >= rows && column1 - column0 >= columns;
    const [photographed] = photo.parts;
    this.canvas.hidden = whole || !photographed || !image;
    if (this.canvas.hidden) return;
    const density = window.devicePixelRatio || 1;
    const side = Math.min(SIDE, PART * viewport.width, PART * viewport.height);
    const scale = (side * density) / Math.max(rows, columns);
    const [width, height] = [columns, rows].map((length) => Math.max(1, Math.round(length * scale)));
    if (this.canvas.width !== width || this.canvas.height !== height) {
      Object.assign(this.canvas, { width, height });
      Object.assign(this.canvas.style, { width: `${width / density}px`, height: `${height / density}px` });
    }
    const { context } = this;
    context.imageSmoothingQuality = "high";
    context.clearRect(0, 0, width, height);
    context.drawImage(photographed.bitmap, 0, 0, width, height);
    const [x, y, wide, high] = [column0, row0, column1 - column0, row1 - row0].map((length) => length * scale);
    context.fillStyle = "rgb(16 20 24 / 45%)";
    context.beginPath();
    context.rect(0, 0, width, height);
    context.rect(x, y, wide, high);
    context.fill("evenodd");
    for (const [colour, line] of /** @type {[string, number][]} */ ([["#101418", 3], ["#ffffff", 1.5]])) {
      Object.assign(context, { strokeStyle: colour, lineWidth: line * density });
      context.strokeRect(x, y, wide, high);
    }
  }

  /** @param {PointerEvent} event over the map */
  go({ clientX, clientY }) {
    const { viewport } = this.session;
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const [x, y] = [((clientX - left) / width) * viewport.columns, ((clientY - top) / height) * viewport.rows];
    viewport.goTo(x - 0.5, y - 0.5, viewport.scale);
  }
}
