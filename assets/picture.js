/* Paints what is on screen: the image, the segmentation above it, the strokes on top. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const PREVIEW_PIXELS = 4e6;
  const DETAIL_MS = 150;
  const TILES_MS = 80;
  const FRAME_MS = 40;
  const KEPT_BYTES = 128 * 2 ** 20;

  const rgb = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

  /** How many pixels of a draft there are along a side. */
  const blocks = (length, step, first) => Math.max(Math.ceil((length - first) / step), 0);

  /** A tile of the segmentation: class ids, and a bitmap of them in the class colours. */
  class Tile {
    constructor({ rows, columns, crc, ids }, former) {
      Object.assign(this, { rows, columns, crc, ids, bitmap: former?.bitmap });
    }

    /** A tile that nothing is known of. */
    static blank(rows, columns) {
      return new Tile({ rows, columns, crc: null, ids: new Uint8Array((rows[1] - rows[0]) * (columns[1] - columns[0])) });
    }

    get size() {
      return [this.rows, this.columns].map(([start, stop]) => stop - start);
    }

    /** Whether a draft has changed it: then the server is to send it, whatever it sent before. */
    get drafted() {
      return this.crc === null;
    }

    /**
     * Take over a draft: where the pixel that speaks for its block has another class than before, all of the block has.
     * What has not changed stays as sharp as it was. Says whether anything has changed.
     */
    draft(ids, step, first) {
      const [height, width] = this.size;
      const [down, across] = this.size.map((length) => blocks(length, step, first));
      let changed = false;
      for (let r = 0; r < down; r += 1) {
        const [top, bottom] = [r * step, r === down - 1 ? height : (r + 1) * step];
        for (let c = 0; c < across; c += 1) {
          const id = ids[r * across + c];
          const left = c * step;
          if (this.ids[(top + first) * width + left + first] === id) continue;
          const right = c === across - 1 ? width : left + step;
          for (let y = top; y < bottom; y += 1) this.ids.fill(id, y * width + left, y * width + right);
          changed = true;
        }
      }
      if (changed) this.crc = null;
      return changed;
    }

    paint(palette) {
      this.palette = palette;
      const [height, width] = this.size;
      this.bitmap ??= new OffscreenCanvas(width, height);
      const pixels = new ImageData(width, height);
      const words = new Uint32Array(pixels.data.buffer);
      for (let i = 0; i < words.length; i += 1) words[i] = palette[this.ids[i]];
      this.bitmap.getContext("2d").putImageData(pixels, 0, 0);
    }
  }

  /** What is painted once and shown often: its look says what it was painted of. */
  class Layer {
    constructor() {
      Object.assign(this, { canvas: new OffscreenCanvas(1, 1), look: null, parts: [], strokes: [] });
    }

    get context() {
      return this.canvas.getContext("2d");
    }

    /** Begin anew, empty, at a size. */
    clear({ width, height }) {
      Object.assign(this.canvas, { width, height });
      return this.context;
    }
  }

  const previewStep = ({ rows, columns }) => Math.ceil(Math.sqrt((rows * columns) / PREVIEW_PIXELS));

  /** Memory that the preview and the tiles of an image take. */
  const bytesOf = ({ preview, tiles }) => (
    [...tiles.values()].reduce((sum, tile) => sum + 5 * tile.ids.length, preview ? 4 * preview.bitmap.width * preview.bitmap.height : 0)
  );

  class Picture {
    constructor(canvas, viewport, session) {
      Object.assign(this, { canvas, viewport, session, image: null, thumbnail: null, preview: null, detail: null });
      this.tiles = new Map();
      this.kept = new Map();
      this.palette = new Uint32Array(256);
      this.colours = new Map();
      this.strokes = [];
      this.opacity = 0.5;
      this.shown = true;
      this.strokesShown = true;
      this.marked = null;
      this.layers = { photo: new Layer(), overlay: new Layer(), drawn: new Layer() };
      this.changedTiles = new Set();
      this.tilesPainted = 0;
      this.tilesTimer = null;
      this.composed = null;
    }

    /** Show another image, at once if it was shown before; resolves when its preview is there. */
    async setImage(image, among = 1) {
      this.keep();
      const { preview = null, tiles = new Map() } = this.kept.get(image.hash) ?? {};
      this.kept.delete(image.hash);
      Object.assign(this, { image, preview, tiles, thumbnail: null, detail: null });
      this.tiles.forEach((tile) => { if (tile.palette !== this.palette) tile.paint(this.palette); });
      this.draw();
      if (!preview && among > 1) this.fetchThumbnail();
      if (!preview) {
        const whole = await this.fetchPart(0, image.rows, 0, image.columns, previewStep(image));
        if (this.image !== image || !whole) return;
        this.preview = whole;
        this.draw();
      }
      this.wantDetail();
    }

    /** Keep what is shown for when the image is taken in hand again, within a number of bytes for all. */
    keep() {
      if (!this.image) return;
      this.kept.set(this.image.hash, { preview: this.preview, tiles: this.tiles });
      let bytes = [...this.kept.values()].reduce((sum, one) => sum + bytesOf(one), 0);
      for (const [hash, one] of this.kept) {
        if (bytes <= KEPT_BYTES) return;
        bytes -= bytesOf(one);
        this.kept.delete(hash);
      }
    }

    /** What the strip shows already, until there is better. */
    async fetchThumbnail() {
      const image = this.image;
      const response = await fetch(`${squiggle.base}s/${this.session}/images/${image.hash}/thumbnail`).catch(() => null);
      if (!response?.ok) return;
      const bitmap = await createImageBitmap(await response.blob());
      if (this.image !== image) return;
      this.thumbnail = { step: image.columns / bitmap.width, row0: 0, row1: image.rows, column0: 0, column1: image.columns, bitmap };
      this.draw();
    }

    async fetchPart(row0, row1, column0, column1, step) {
      const part = `rows=${row0},${row1}&columns=${column0},${column1}&step=${step}`;
      const image = this.image;
      const url = `${squiggle.base}s/${this.session}/images/${image.hash}/view?${part}`;
      for (let attempt = 0; this.image === image; attempt += 1) {
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
      return null;
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
        this.layers.overlay.look = null;
      }
      this.hidden = hidden;
      this.draw();
    }

    setStrokes(strokes) {
      this.strokes = strokes;
      this.draw();
    }

    setTile(index, values) {
      const tile = new Tile(values, this.tiles.get(index));
      tile.paint(this.palette);
      this.tiles.set(index, tile);
      this.changedTiles.add(tile);
      this.drawTilesSoon();
    }

    /** Show what a draft says of tiles until they come themselves; a few at a time, since all may take longer than a frame. */
    async setDraft({ tiles, step, first }, ids, current) {
      let start = 0;
      let taken = performance.now();
      for (const { index, rows, columns } of tiles) {
        const tile = this.tiles.get(index) ?? Tile.blank(rows, columns);
        const count = tile.size.map((length) => blocks(length, step, first)).reduce((down, across) => down * across);
        if (tile.draft(ids.subarray(start, start + count), step, first)) {
          tile.paint(this.palette);
          this.tiles.set(index, tile);
          this.changedTiles.add(tile);
        }
        start += count;
        if (performance.now() - taken > FRAME_MS) {
          this.draw();
          await new Promise(requestAnimationFrame);
          if (!current()) return;
          taken = performance.now();
        }
      }
      this.draw();
    }

    clearTiles() {
      this.tiles.clear();
      this.layers.overlay.look = null;
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

    /** The first tile at once; the others come faster than anybody looks, and painting takes time from computing. */
    drawTilesSoon() {
      const wait = this.tilesPainted + TILES_MS - performance.now();
      if (wait <= 0) this.draw();
      else this.tilesTimer ??= setTimeout(() => this.draw(), wait);
    }

    draw() {
      clearTimeout(this.tilesTimer);
      this.tilesTimer = null;
      this.frame ??= requestAnimationFrame(() => {
        this.frame = null;
        this.paint();
      });
    }

    /** Bring the layers up to date, and lay them on each other where one has changed. */
    paint() {
      const { canvas, viewport, layers } = this;
      const density = window.devicePixelRatio || 1;
      const [width, height] = [Math.round(viewport.width * density), Math.round(viewport.height * density)];
      const scale = viewport.scale * density;
      const [left, top] = [-viewport.x * scale, -viewport.y * scale];
      const look = [width, height, scale, left, top, this.image?.hash].join(" ");
      const view = { look, width, height, scale, left, top };
      const changes = this.image
        ? [this.paintPhoto(view), this.paintOverlay(view), this.strokesShown && this.paintStrokes(view)]
        : [];
      const composed = [look, this.opacity, this.shown, this.strokesShown].join(" ");
      if (composed === this.composed && !changes.includes(true)) return;
      this.composed = composed;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, width, height);
      if (!this.image) return;
      context.drawImage(layers.photo.canvas, 0, 0);
      if (this.shown) {
        context.globalAlpha = this.opacity;
        context.drawImage(layers.overlay.canvas, 0, 0);
        context.globalAlpha = 1;
      }
      if (this.strokesShown) context.drawImage(layers.drawn.canvas, 0, 0);
    }

    /** Where rows and columns of the image lie on a layer, in whole pixels, so that neighbours neither overlap nor gape. */
    place(rows, columns, { scale, left, top }) {
      const [x0, x1] = columns.map((column) => Math.round(left + column * scale));
      const [y0, y1] = rows.map((row) => Math.round(top + row * scale));
      return [x0, y0, x1 - x0, y1 - y0];
    }

    /* Each of these says whether its layer has changed. */

    paintPhoto(view) {
      const { photo } = this.layers;
      const parts = [this.thumbnail, this.preview, this.detail].filter(Boolean);
      if (view.look === photo.look && parts.length === photo.parts.length && parts.every((part, index) => part === photo.parts[index])) {
        return false;
      }
      Object.assign(photo, { look: view.look, parts });
      const context = photo.clear(view);
      context.imageSmoothingQuality = "high";
      for (const part of parts) {
        context.imageSmoothingEnabled = view.scale * part.step < 1;
        context.drawImage(part.bitmap, ...this.place([part.row0, part.row1], [part.column0, part.column1], view));
      }
      return true;
    }

    /** Paint the tiles that have changed, or all. */
    paintOverlay(view) {
      const { overlay } = this.layers;
      const anew = view.look !== overlay.look;
      const changed = [...(anew ? this.tiles.values() : this.changedTiles)];
      this.changedTiles.clear();
      if (!anew && !changed.length) return false;
      overlay.look = view.look;
      this.tilesPainted = performance.now();
      const context = anew ? overlay.clear(view) : overlay.context;
      context.imageSmoothingQuality = "high";
      context.imageSmoothingEnabled = view.scale < 1;
      for (const tile of changed) {
        const place = this.place(tile.rows, tile.columns, view);
        context.clearRect(...place);
        context.drawImage(tile.bitmap, ...place);
      }
      return true;
    }

    /** What is new is painted above the rest, all only where the rest changed. */
    paintStrokes(view) {
      const { layers: { drawn }, strokes } = this;
      const { scale, left, top } = view;
      const look = JSON.stringify([view.look, this.marked, [...this.colours], [...this.hidden ?? []]]);
      const kept = drawn.strokes.length;
      const more = look === drawn.look && kept <= strokes.length && drawn.strokes.every(({ id }, index) => id === strokes[index].id);
      Object.assign(drawn, { look, strokes });
      if (more && kept === strokes.length) return false;
      const context = more ? drawn.context : drawn.clear(view);
      context.save();
      context.beginPath();
      context.rect(left, top, this.viewport.columns * scale, this.viewport.rows * scale);
      context.clip();
      context.setTransform(scale, 0, 0, scale, left + scale / 2, top + scale / 2);
      context.lineCap = "round";
      context.lineJoin = "round";
      for (const stroke of more ? strokes.slice(kept) : strokes) {
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
      return true;
    }
  }

  squiggle.Picture = Picture;
})();
