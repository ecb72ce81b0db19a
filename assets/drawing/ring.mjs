/* The ring at the pointer, which shows how wide the brush is. */

/** @import { Viewport } from "./viewport.mjs" */

const SMALLEST = 3;

export class Ring {
  /**
   * @param {HTMLElement} element
   * @param {Viewport} viewport
   */
  constructor(element, viewport) {
    this.element = element;
    this.viewport = viewport;
    /** Where the pointer was last; null where it is none that hovers. @type {?PointerEvent} */
    this.pointer = null;
    document.documentElement.addEventListener("pointerleave", () => {
      this.pointer = null;
      this.hide();
    });
  }

  /** @param {PointerEvent} event */
  follow(event) {
    this.pointer = event.pointerType === "touch" ? null : event;
  }

  /**
   * Show a brush at the pointer.
   * @param {number} width in image pixels
   * @param {string} colour
   */
  show(width, colour) {
    if (!this.pointer) {
      this.hide();
      return;
    }
    const { clientX, clientY } = this.pointer;
    const box = this.viewport.stage.getBoundingClientRect();
    const size = Math.max(width * this.viewport.scale, SMALLEST);
    Object.assign(this.element.style, {
      display: "block", width: `${size}px`, height: `${size}px`,
      left: `${clientX - box.left - size / 2}px`, top: `${clientY - box.top - size / 2}px`, borderColor: colour,
    });
  }

  hide() {
    this.element.style.display = "none";
  }
}
