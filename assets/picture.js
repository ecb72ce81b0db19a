/* Paints what is on screen: the image, the segmentation above it, the strokes on top. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const PREVIEW_PIXELS = 4e6;
  const DETAIL_MS = 150;

  const rgb = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

  /** A tile of the segmentation: class ids, and a bitmap of them in the class colours. */
  class Tile {
    constructor({ rows, columns, crc, ids }) {
      Object.assign(this, { rows, columns, crc, ids, bitmap: null });
    }

    paint(palette) {
      const [height, width] = [this.rows[1] - this.rows[0], this.columns[1] - this.columns[0]];
      this.bitmap ??= new OffscreenCanvas(width, height);
      const pixels = new ImageData(width, height);
      const words = new Uint32Array(pixels.data.buffer);
      for (let i = 0; i < words.length; i += 1) words[i] = palette[this.ids[i]];
      this.bitmap.getContext("2d").putImageData(pixels, 0, 0);
    }
  }

  class Picture {
    constructor(canvas, viewport, session) {
      Object.assign(this, { canvas, viewport, session, image: null, preview: null, detail: null });
      this.tiles = new Map();
      this.palette = new Uint32Array(256);
      this.colours = new Map();
      this.strokes = [];
      this.opacity = 0.5;
      this.shown = true;
      this.strokesShown = true;
      this.marked = null;
    }

    /** Show another image; resolves when its preview is there. */
    async setImage(image) {
      this.image = image;
      this.preview = null;
      this.detail = null;
      this.tiles.clear();
      this.draw();
      const step = Math.ceil(Math.sqrt((image.rows * image.columns) / PREVIEW_PIXELS));
      const preview = await this.fetchPart(0, image.rows, 0, image.columns, step);
      if (this.image !== image || !preview) return;
      this.preview = preview;
      this.draw();
      this.wantDetail();
    }

    async fetchPart(row0, row1, column0, column1, step) {
      const part = `rows=${row0},${row1}&columns=${column0},${column1}&step=${step}`;
      const url = `${squiggle.base}s/${this.session}/images/${this.image.hash}/view?${part}`;
      for (let attempt = 0; ; attempt += 1) {
        try {
          const response = await fetch(url);
          if (response.ok) {
            return { step, row0, row1, column0, column1, bitmap: await createImageBitmap(await response.blob()) };
          }
          if (response.status < 500) return null;
        } catch {
          /* The server is away: the picture is asked for again below. */
        }
        await new Promise((resolve) => setTimeout(resolve, Math.min(300 * 2 ** attempt, 5000)));
      }
    }

    /** Once the view rests: the pixels that the preview is too coarse for. */
    wantDetail() {
      clearTimeout(this.detailTimer);
      if (!this.preview || this.preview.step === 1) return;
      this.detailTimer = setTimeout(() => this.fetchDetail(), DETAIL_MS);
    }

    async fetchDetail() {
      const density = window.devicePixelRatio || 1;
      const step = Math.max(1, Math.floor(1 / (this.viewport.scale * density)));
      if (step >= this.preview.step) return;
      const image = this.image;
      const [row0, row1, column0, column1] = this.viewport.visible;
      const detail = await this.fetchPart(row0, row1, column0, column1, step);
      if (detail && this.image === image) {
        this.detail = detail;
        this.draw();
      }
    }

    setClasses(classes, hidden) {
      this.colours = new Map(classes.map((c) => [c.id, c.colour]));
      const palette = new Uint32Array(256);
      const bytes = new Uint8Array(palette.buffer);
      for (const { id, colour } of classes) if (!hidden.has(id)) bytes.set([...rgb(colour), 255], 4 * id);
      if (palette.some((word, id) => word !== this.palette[id])) {
        this.palette = palette;
        this.tiles.forEach((tile) => tile.paint(palette));
      }
      this.hidden = hidden;
      this.draw();
    }

    setStrokes(strokes) {
      this.strokes = strokes;
      this.draw();
    }

    setTile(index, values) {
      const tile = new Tile(values);
      tile.paint(this.palette);
      this.tiles.set(index, tile);
      this.draw();
    }

    clearTiles() {
      this.tiles.clear();
      this.draw();
    }

    /** The class that the segmentation gives the pixel at an image position, or 0. */
    classAt(x, y) {
      const [column, row] = [Math.round(x), Math.round(y)];
      for (const { rows, columns, ids } of this.tiles.values()) {
        if (row >= rows[0] && row < rows[1] && column >= columns[0] && column < columns[1]) {
          return ids[(row - rows[0]) * (columns[1] - columns[0]) + column - columns[0]];
        }
      }
      return 0;
    }

    draw() {
      this.frame ??= requestAnimationFrame(() => {
        this.frame = null;
        this.paint();
      });
    }

    paint() {
      const { canvas, viewport } = this;
      const density = window.devicePixelRatio || 1;
      const [width, height] = [Math.round(viewport.width * density), Math.round(viewport.height * density)];
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      const context = canvas.getContext("2d");
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, width, height);
      if (!this.image) return;
      const scale = viewport.scale * density;
      const [left, top] = [-viewport.x * scale, -viewport.y * scale];
      /* Whole screen pixels, so that neighbouring tiles neither overlap nor gape. */
      const place = (bitmap, rows, columns) => {
        const [x0, x1] = columns.map((column) => Math.round(left + column * scale));
        const [y0, y1] = rows.map((row) => Math.round(top + row * scale));
        if (x1 > 0 && y1 > 0 && x0 < width && y0 < height) context.drawImage(bitmap, x0, y0, x1 - x0, y1 - y0);
      };
      context.imageSmoothingQuality = "high";
      for (const part of [this.preview, this.detail]) {
        if (!part) continue;
        context.imageSmoothingEnabled = scale * part.step < 1;
        place(part.bitmap, [part.row0, part.row1], [part.column0, part.column1]);
      }
      if (this.shown) {
        context.globalAlpha = this.opacity;
        context.imageSmoothingEnabled = scale < 1;
        for (const tile of this.tiles.values()) place(tile.bitmap, tile.rows, tile.columns);
        context.globalAlpha = 1;
      }
      if (this.strokesShown) this.paintStrokes(context, scale, left, top);
    }

    paintStrokes(context, scale, left, top) {
      context.save();
      context.beginPath();
      context.rect(left, top, this.viewport.columns * scale, this.viewport.rows * scale);
      context.clip();
      context.setTransform(scale, 0, 0, scale, left + scale / 2, top + scale / 2);
      context.lineCap = "round";
      context.lineJoin = "round";
      for (const stroke of this.strokes) {
        if (this.hidden?.has(stroke.class_id)) continue;
        context.globalAlpha = stroke.id === this.marked ? 0.35 : 1;
        const outline = squiggle.outline(stroke);
        context.strokeStyle = this.colours.get(stroke.class_id);
        context.fillStyle = context.strokeStyle;
        if (stroke.kind === "path") {
          context.lineWidth = Math.max(stroke.width, 1);
          context.stroke(outline);
        } else {
          context.fill(outline, "evenodd");
        }
      }
      context.restore();
    }
  }

  squiggle.Picture = Picture;
})();
