/* Tools in the hand: what Plotly draws is taken over as strokes, the eraser takes strokes away. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const DRAG_MODES = { squiggle: "drawopenpath", closed: "drawclosedpath", rectangle: "drawrect", circle: "drawcircle" };
  const ERASER_REACH = 4;

  const outlines = new WeakMap();

  const round = (value) => Math.round(value * 100) / 100;

  const roundPath = (path) => path.replace(/-?\d*\.?\d+(?:e[-+]?\d+)?/gi, (number) => String(round(Number(number))));

  /** The outline of a stroke as a Path2D in image coordinates. */
  squiggle.outline = (stroke) => {
    let outline = outlines.get(stroke);
    if (!outline) {
      outline = new Path2D(stroke.path);
      const { x0, y0, x1, y1 } = stroke;
      if (stroke.kind === "rectangle") outline.rect(x0, y0, x1 - x0, y1 - y0);
      if (stroke.kind === "circle") {
        outline.ellipse((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2, 0, 0, 2 * Math.PI);
      }
      outlines.set(stroke, outline);
    }
    return outline;
  };

  /* A shape carries pen and image as its name: until it is taken over, the hand may hold others. */
  const nameOfPen = ({ tool, classId, width, picture }) => [tool, classId, width, picture.image?.hash].join(" ");

  const imageOfShape = (shape) => shape.name.split(" ")[3];

  function strokeOfShape(shape) {
    const [tool, classId, width] = shape.name.split(" ");
    const stroke = { id: squiggle.newId(), class_id: Number(classId) };
    if (tool === "closed") return { ...stroke, kind: "polygon", path: roundPath(shape.path) };
    if (tool === "squiggle") return { ...stroke, kind: "path", path: roundPath(shape.path), width: Number(width) };
    const [x0, x1] = [shape.x0, shape.x1].map(round).sort((a, b) => a - b);
    const [y0, y1] = [shape.y0, shape.y1].map(round).sort((a, b) => a - b);
    return { ...stroke, kind: tool, x0, y0, x1, y1 };
  }

  class Drawing {
    /**
     * @param {object} parts viewport, picture, ring (the element that shows the width at the pointer), and
     *   the callbacks drew(stroke, image hash), erased(ids), state()
     */
    constructor(parts) {
      Object.assign(this, parts, { tool: "squiggle", classId: 1, width: 5, taken: [] });
      const { stage } = this.viewport;
      this.probe = new OffscreenCanvas(1, 1).getContext("2d");
      /* While a button is down, Plotly covers the whole window: only the window hears all moves. */
      window.addEventListener("pointermove", (event) => this.onMove(event), { capture: true });
      stage.addEventListener("pointerdown", (event) => this.onPress(event), { capture: true });
      window.addEventListener("pointerup", () => { this.erasing = false; });
    }

    get colour() {
      return this.state().classes.find((c) => c.id === this.classId)?.colour ?? "#888888";
    }

    /** What the graph's pen looks like at a scale, as layout attributes. */
    pen(scale) {
      const filled = this.tool !== "squiggle";
      return {
        "dragmode": this.viewport.panTool ? false : DRAG_MODES[this.tool] ?? false,
        "newshape.name": nameOfPen(this),
        "newshape.line.color": this.colour,
        "newshape.line.width": filled ? 1 : Math.max(this.width, 1) * scale,
        "newshape.fillcolor": filled ? this.colour : "rgba(0,0,0,0)",
        "newshape.opacity": filled ? 0.6 : 1,
      };
    }

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
      const shapes = squiggle.graph()?.layout?.shapes ?? [];
      const keys = shapes.map((shape) => JSON.stringify([shape.name, shape.path, shape.x0, shape.y0, shape.x1, shape.y1]));
      shapes.forEach((shape, index) => {
        if (this.taken.includes(keys[index])) return;
        if (!this.discarding) this.drew(strokeOfShape(shape), imageOfShape(shape));
        this.discarding = false;
      });
      /* While the next stroke is being drawn the list cannot be emptied yet, and comes again with that stroke. */
      this.taken = keys;
      if (shapes.length) squiggle.relayoutLater({ shapes: [] });
    }

    /** The stroke that a second finger interrupted was none. */
    pinched() {
      this.discarding = this.tool in DRAG_MODES;
      clearTimeout(this.forget);
    }

    pinchEnded() {
      this.forget = setTimeout(() => { this.discarding = false; }, 400);
    }

    onPress(event) {
      if (this.tool !== "erase" || event.button !== 0 || this.viewport.moving) return;
      if (event.target.closest(".over-stage")) return;
      this.erasing = true;
      this.erasedTo = this.viewport.toImage(event);
      this.eraseAt(event);
    }

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

    /** Erase what lies between the last place and this one: a fast hand jumps over thin strokes. */
    eraseAt(event) {
      const [fromX, fromY] = this.erasedTo;
      const [toX, toY] = this.viewport.toImage(event);
      this.erasedTo = [toX, toY];
      const steps = Math.ceil((Math.hypot(toX - fromX, toY - fromY) * this.viewport.scale) / ERASER_REACH) || 1;
      for (let step = 1; step <= steps; step += 1) {
        const share = step / steps;
        const stroke = this.strokeAt(fromX + share * (toX - fromX), fromY + share * (toY - fromY));
        if (stroke) this.erased([stroke.id]);
      }
    }

    mark(id) {
      if (this.picture.marked === id) return;
      this.picture.marked = id;
      this.picture.draw();
    }

    /** The topmost stroke at an image position. */
    strokeAt(x, y) {
      const reach = (2 * ERASER_REACH) / this.viewport.scale;
      const { strokes, hidden } = this.state();
      return strokes.findLast((stroke) => {
        if (hidden.has(stroke.class_id)) return false;
        const outline = squiggle.outline(stroke);
        this.probe.lineCap = "round";
        this.probe.lineWidth = reach + (stroke.kind === "path" ? Math.max(stroke.width, 1) : 0);
        if (this.probe.isPointInStroke(outline, x, y)) return true;
        return stroke.kind !== "path" && this.probe.isPointInPath(outline, x, y, "evenodd");
      });
    }

    moveRing(event) {
      if (event.pointerType === "touch" || this.tool !== "squiggle" || this.viewport.moving) return this.hideRing();
      const box = this.viewport.stage.getBoundingClientRect();
      const size = Math.max(this.width, 1) * this.viewport.scale;
      Object.assign(this.ring.style, {
        display: "block", width: `${size}px`, height: `${size}px`,
        left: `${event.clientX - box.left - size / 2}px`, top: `${event.clientY - box.top - size / 2}px`,
        borderColor: this.colour,
      });
      return undefined;
    }

    hideRing() {
      this.ring.style.display = "none";
    }
  }

  squiggle.Drawing = Drawing;
})();
