/*
 * What part of the image is on screen. The canvas and the axes of the Plotly graph above it show the same part;
 * wheel, two fingers, Space or the middle button move it without the server.
 *
 * x and y are the image position (in pixels from the image's top left corner) at the top left of the stage, scale
 * is screen pixels an image pixel. Pixel centres are at whole numbers on the axes: position = axis value + 0.5.
 */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const MAX_SCALE = 64;
  const COMMIT_MS = 120;
  const MARGIN = 12;
  const WHEEL_STEP = 0.0016;

  class Viewport {
    /**
     * @param {HTMLElement} stage holds the canvas and the graph
     * @param {function} graph gives the Plotly graph
     * @param {object} listener moved() at each move, committed() when the axes have followed, panning(active)
     */
    constructor(stage, graph, listener) {
      Object.assign(this, { stage, graph, listener, x: 0, y: 0, scale: 1, columns: 1, rows: 1, fitted: true });
      this.measure();
      this.spaceHeld = false;
      this.panTool = false;
      this.pointers = new Map();
      const options = { capture: true, passive: false };
      stage.addEventListener("wheel", (event) => this.onWheel(event), options);
      stage.addEventListener("pointerdown", (event) => this.onPointerDown(event), options);
      for (const type of ["mousedown", "touchstart"]) {
        stage.addEventListener(type, (event) => this.keepFromGraph(event), options);
      }
      window.addEventListener("pointermove", (event) => this.onPointerMove(event), options);
      window.addEventListener("touchmove", (event) => this.keepFromGraph(event), options);
      for (const type of ["pointerup", "pointercancel"]) {
        window.addEventListener(type, (event) => this.onPointerUp(event), options);
      }
      new ResizeObserver(() => this.resized()).observe(stage);
    }

    get fitScale() {
      return Math.max(
        Math.min((this.width - 2 * MARGIN) / this.columns, (this.height - 2 * MARGIN) / this.rows, MAX_SCALE), 1e-3,
      );
    }

    /** The part of the image that is on screen: first row, last row, first column, last column (exclusive). */
    get visible() {
      const clamp = (value, high) => Math.min(Math.max(value, 0), high);
      return [
        clamp(Math.floor(this.y), this.rows), clamp(Math.ceil(this.y + this.height / this.scale), this.rows),
        clamp(Math.floor(this.x), this.columns), clamp(Math.ceil(this.x + this.width / this.scale), this.columns),
      ];
    }

    setImage(rows, columns) {
      Object.assign(this, { rows, columns });
      this.fit();
    }

    fit() {
      this.fitted = true;
      this.scale = this.fitScale;
      this.centre();
      this.moved();
    }

    /** Zoom by a factor, keeping the image where it is under a point of the stage (its middle unless given). */
    zoom(factor, left = this.width / 2, top = this.height / 2) {
      if (this.pointers.size && !this.moving) return;
      const scale = Math.min(Math.max(this.scale * factor, this.fitScale / 2), Math.max(MAX_SCALE, this.fitScale));
      this.x += left / this.scale - left / scale;
      this.y += top / this.scale - top / scale;
      this.scale = scale;
      this.fitted = false;
      if (scale <= this.fitScale) this.centre();
      this.moved();
    }

    centre() {
      this.x = (this.columns - this.width / this.scale) / 2;
      this.y = (this.rows - this.height / this.scale) / 2;
    }

    pan(dx, dy) {
      this.x -= dx / this.scale;
      this.y -= dy / this.scale;
      this.fitted = false;
      this.moved();
    }

    moved() {
      const overlap = 40 / this.scale;
      this.x = Math.min(Math.max(this.x, overlap - this.width / this.scale), this.columns - overlap);
      this.y = Math.min(Math.max(this.y, overlap - this.height / this.scale), this.rows - overlap);
      this.listener.moved();
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
      this.commitTimer = null;
      const graph = this.graph();
      if (!graph || !this.width) return;
      const left = this.x - 0.5;
      const top = this.y - 0.5;
      const layout = {
        "xaxis.range": [left, left + this.width / this.scale],
        "yaxis.range": [top + this.height / this.scale, top],
        ...this.listener.pen(this.scale),
      };
      const committed = JSON.stringify(layout);
      if (committed === this.committed) return;
      this.committed = committed;
      squiggle.relayout(layout);
      this.listener.committed();
    }

    /** The image position under a pointer, on the axes' scale. */
    toImage(event) {
      const box = this.stage.getBoundingClientRect();
      return [
        this.x + (event.clientX - box.left) / this.scale - 0.5, this.y + (event.clientY - box.top) / this.scale - 0.5,
      ];
    }

    /** Whether a pointer is over the stage. */
    isOver(event) {
      const box = this.stage.getBoundingClientRect();
      return event.clientX >= box.left && event.clientX < box.right
        && event.clientY >= box.top && event.clientY < box.bottom;
    }

    onWheel(event) {
      event.preventDefault();
      event.stopPropagation();
      if (this.pointers.size) return;
      const box = this.stage.getBoundingClientRect();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
      const speed = event.ctrlKey ? 6 : 1;
      const delta = Math.max(Math.min(event.deltaY * lines * speed, 400), -400);
      this.zoom(Math.exp(-delta * WHEEL_STEP), event.clientX - box.left, event.clientY - box.top);
    }

    get moving() {
      return this.panning || this.pinching;
    }

    onPointerDown(event) {
      if (event.target.closest(".over-stage")) return;
      if (this.commitTimer) this.commit();
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
      if (this.pointers.size > 1) {
        this.pinching = true;
        this.listener.pinched();
      } else if (this.spaceHeld || this.panTool || event.button === 1) {
        this.panning = true;
      }
      if (this.moving) {
        this.listener.panning(true);
        event.preventDefault();
        event.stopPropagation();
      }
    }

    keepFromGraph(event) {
      if (!this.moving) return;
      if (event.cancelable) event.preventDefault();
      event.stopPropagation();
    }

    onPointerMove(event) {
      const before = this.pointers.get(event.pointerId);
      if (!before || !this.moving) return;
      event.stopPropagation();
      const spread = () => {
        const [a, b] = [...this.pointers.values()];
        return { distance: Math.hypot(a[0] - b[0], a[1] - b[1]), x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 };
      };
      const now = [event.clientX, event.clientY];
      if (this.pinching && this.pointers.size >= 2) {
        const old = spread();
        this.pointers.set(event.pointerId, now);
        const current = spread();
        const box = this.stage.getBoundingClientRect();
        this.pan(current.x - old.x, current.y - old.y);
        this.zoom(current.distance / Math.max(old.distance, 1), current.x - box.left, current.y - box.top);
      } else {
        this.pointers.set(event.pointerId, now);
        if (this.panning) this.pan(now[0] - before[0], now[1] - before[1]);
      }
    }

    onPointerUp(event) {
      if (!this.pointers.delete(event.pointerId) || this.pointers.size) return;
      if (this.moving) {
        this.panning = false;
        this.pinching = false;
        this.commit();
        this.listener.panning(false);
      }
    }
  }

  squiggle.Viewport = Viewport;
})();
