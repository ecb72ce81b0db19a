/* What is on screen: the image, the segmentation above it, the strokes on top. */

import { stackQuery } from "../page/entries.mjs";
import { KeptImages } from "./kept.mjs";
import { OverlayLayer, PhotoLayer, RegionLayer, StrokeLayer } from "./layers.mjs";
import { ObjectLayer } from "./objectlayer.mjs";
import { OutlineLayer } from "./outlinelayer.mjs";
import { paletteOf, rampOf } from "./palette.mjs";
import { Photo } from "./photo.mjs";
import { Tile } from "./tile.mjs";

/** @import { ImageFacts, LabelClass, Stroke } from "../journal/state.mjs" */
/** @import { Viewport } from "../drawing/viewport.mjs" */
/** @import { Sight } from "./layers.mjs" */
/** @import { Marks } from "./objectlayer.mjs" */
/** @import { Draft, Look, Seen, TileValues } from "./tile.mjs" */

/** @type {Set<number>} */
const NOTHING_HIDDEN = new Set();
const NO_DATA = 255;
const TILES_MS = 120;
const FRAME_MS = 40;

/** Of an image that is segmented part by part: as many as four screens show. */
const MOST_TILES = 256;

/**
 * What an image is kept by, as it is shown.
 * @param {ImageFacts} image
 */
const keyOf = (image) => `${image.hash}${stackQuery(image)}`;

export class Picture {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Viewport} viewport
   */
  constructor(canvas, viewport) {
    this.canvas = canvas;
    this.viewport = viewport;
    this.photo = new Photo(viewport, () => this.draw());
    this.kept = new KeptImages();
    /** @type {?ImageFacts} */
    this.image = null;
    /** By their indices. @type {Map<number, Tile>} */
    this.tiles = new Map();
    /** @type {Look} */
    this.look = { palette: new Uint32Array(256), layer: "", ramp: new Uint32Array(0) };
    /** @type {Map<number, string>} */
    this.colours = new Map();
    /** @type {LabelClass[]} */
    this.classes = [];
    /** @type {Set<number>} */
    this.hidden = new Set();
    /** Of single classes, in percent, by their ids. @type {Record<string, number>} */
    this.opacities = {};
    /** How classes are seen: filled, outlines, or both. */
    this.style = "filled";
    /** @type {Stroke[]} */
    this.strokes = [];
    this.opacity = 0.5;
    this.overlayShown = true;
    this.strokesShown = true;
    /** What is being drawn. @type {Stroke[]} */
    this.hands = [];
    /** What was painted into a result that is still to come. @type {Stroke[]} */
    this.correcting = [];
    /** What is seen in place of the stroke with its id. @type {?Stroke} */
    this.preview = null;
    /** Id of the stroke that the eraser would take. @type {?string} */
    this.marked = null;
    /** Id of the stroke that is selected. @type {?string} */
    this.selected = null;
    this.layers = {
      photo: new PhotoLayer(), overlay: new OverlayLayer(), objects: new ObjectLayer(() => this.draw()),
      region: new RegionLayer(), outlines: new OutlineLayer(),
      strokes: new StrokeLayer(), hands: new StrokeLayer(),
    };
    this.handsChanged = false;
    this.tilesPainted = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.tilesTimer = undefined;
    /** @type {number | undefined} */
    this.frame = undefined;
    this.composed = "";
  }

  /**
   * Show another image, at once if it was shown before.
   * @param {ImageFacts} image
   * @param {object} about
   * @param {boolean} about.several whether the session has more, so that there are thumbnails
   * @param {boolean} about.waits whether somebody has chosen how it is shown
   * @param {boolean} about.stays whether what is seen stays until it is there: it is a plane of the same stack
   */
  setImage(image, { several, waits, stays }) {
    if (this.image) this.kept.keep(keyOf(this.image), { preview: this.photo.preview, tiles: this.tiles });
    const { preview, tiles } = this.kept.release(keyOf(image));
    this.image = image;
    this.layers.objects.setMarks(null);
    this.correcting = [];
    this.tiles = tiles;
    for (const tile of tiles.values()) if (tile.look !== this.look) tile.paint(this.look);
    this.photo.setImage(image, preview, several && !stays, waits, stays);
  }

  /**
   * Show the same image as what it is shown together with now: it became a plane of a stack, or is none any more.
   * @param {ImageFacts} image
   * @param {boolean} waits whether somebody has chosen how it is shown
   */
  restack(image, waits) {
    if (this.image && keyOf(this.image) !== keyOf(image)) this.photo.setImage(image, null, false, waits, true);
    this.image = image;
  }

  /**
   * @param {LabelClass[]} classes
   * @param {Set<number>} hidden ids of those that are not shown
   */
  setClasses(classes, hidden) {
    this.colours = new Map(classes.map(({ id, colour }) => [id, colour]));
    Object.assign(this, { classes, hidden });
    this.setPalette();
    this.draw();
  }

  /** Show the classes in their colours, as opaque as each is to be. */
  setPalette() {
    const palette = paletteOf(this.classes, this.hidden, this.opacities);
    if (palette.some((word, id) => word !== this.look.palette[id])) this.setLook({ palette });
  }

  /**
   * @param {Partial<Look>} change of the colours of the tiles
   */
  setLook(change) {
    this.look = { ...this.look, ...change };
    for (const tile of this.tiles.values()) tile.paint(this.look);
    this.layers.overlay.look = null;
    this.draw();
  }

  /** @param {?string | number} layer that is seen instead of the classes; null for none */
  setLayer(layer) {
    const name = String(layer ?? "");
    if (name !== this.look.layer) this.setLook({ layer: name, ramp: rampOf(name) });
  }

  /** @param {Stroke[]} strokes */
  setStrokes(strokes) {
    this.strokes = strokes;
    this.draw();
  }

  /** @param {Stroke[]} correcting what was painted into a result that is still to come */
  setCorrecting(correcting) {
    if (!correcting.length && !this.correcting.length) return;
    this.correcting = correcting;
    this.draw();
  }

  /** @param {Stroke[]} hands what is being drawn */
  setHands(hands) {
    if (!hands.length && !this.hands.length) return;
    this.hands = hands;
    this.handsChanged = true;
    this.draw();
  }

  /** @param {?Stroke} stroke that is seen in place of the one with its id */
  setPreview(stroke) {
    if (this.preview === stroke) return;
    this.preview = stroke;
    this.draw();
  }

  /** @param {?string} id of the stroke that is shown as what the eraser would take */
  mark(id) {
    if (this.marked === id) return;
    this.marked = id;
    this.draw();
  }

  /** @param {?string} id of the stroke that is shown as selected */
  select(id) {
    this.selected = id;
    this.draw();
  }

  /**
   * @param {Seen} view
   */
  setView({ opacity, opacities, shown, strokes, style }) {
    this.opacity = opacity / 100;
    Object.assign(this, { opacities, style });
    this.setPalette();
    this.overlayShown = shown;
    this.strokesShown = strokes;
    this.draw();
  }

  /**
   * @param {number} index
   * @param {TileValues} values
   */
  setTile(index, values) {
    this.showTile(index, new Tile(values, this.tiles.get(index)));
    this.drawTilesSoon();
  }

  /**
   * @param {number} index
   * @param {Tile} tile
   */
  showTile(index, tile) {
    tile.paint(this.look);
    this.tiles.delete(index);
    this.tiles.set(index, tile);
    if (this.image?.levels) this.forgetTiles([...this.tiles.keys()].slice(0, -MOST_TILES));
    this.layers.overlay.changed.add(tile);
  }

  /**
   * Show what a draft says of tiles until they come themselves; a few at a time: all may take longer than a frame.
   * @param {Draft} draft
   * @param {Uint8Array} ids
   * @param {() => boolean} current whether the draft is still wanted
   */
  async setDraft({ tiles, step, first }, ids, current) {
    let start = 0;
    let begun = performance.now();
    for (const { index, rows, columns } of tiles) {
      const tile = this.tiles.get(index) ?? Tile.blank(rows, columns);
      const count = tile.draftPixels(step, first);
      if (tile.draft(ids.subarray(start, start + count), step, first)) this.showTile(index, tile);
      start += count;
      if (performance.now() - begun > FRAME_MS) {
        this.draw();
        await new Promise(requestAnimationFrame);
        if (!current()) return;
        begun = performance.now();
      }
    }
    this.draw();
  }

  /** @param {?Marks} marks of objects, null for none */
  setObjects(marks) {
    this.layers.objects.setMarks(marks);
    this.draw();
  }

  clearTiles() {
    this.tiles.clear();
    this.layers.overlay.look = null;
    this.draw();
  }

  /**
   * Show some tiles no more.
   * @param {number[]} indices
   */
  forgetTiles(indices) {
    if (!indices.length) return;
    for (const index of indices) this.tiles.delete(index);
    this.layers.overlay.look = null;
    this.draw();
  }

  /** Checksums of the tiles that the server need not send again, by their indices. */
  get knownTiles() {
    const known = [...this.tiles].filter(([, tile]) => !tile.drafted);
    return Object.fromEntries(known.map(([index, { crc }]) => [index, crc]));
  }

  /**
   * The class that the segmentation gives the pixel at an image position, or 0.
   * @param {number} x
   * @param {number} y
   */
  classAt(x, y) {
    for (const tile of this.tiles.values()) {
      const id = tile.classAt(Math.round(y), Math.round(x));
      if (id !== undefined) return id;
    }
    return 0;
  }

  /**
   * What the layer that is shown says of the pixel at an image position, in percent; undefined where there is none.
   * @param {number} x
   * @param {number} y
   */
  valueAt(x, y) {
    const { layer } = this.look;
    const shown = [...this.tiles.values()].filter((tile) => layer && tile.layer === layer);
    return shown.map((tile) => tile.valueAt(Math.round(y), Math.round(x))).find((value) => (value ?? NO_DATA) <= 100);
  }

  /** The first tile at once; the others come faster than anybody looks, and painting takes time from computing. */
  drawTilesSoon() {
    const wait = this.tilesPainted + TILES_MS - performance.now();
    if (wait <= 0) this.draw();
    else this.tilesTimer ??= setTimeout(() => this.draw(), wait);
  }

  /** Paint with the next frame. */
  draw() {
    clearTimeout(this.tilesTimer);
    this.tilesTimer = undefined;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.paint();
    });
  }

  /**
   * Where the image lies on the screen.
   * @returns {Sight}
   */
  get sight() {
    const { viewport } = this;
    const density = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(viewport.width * density), Math.round(viewport.height * density)];
    const scale = viewport.scale * density;
    const [left, top] = [-viewport.x * scale, -viewport.y * scale];
    const look = [width, height, scale, left, top, this.image?.hash].join(" ");
    return { look, width, height, scale, density, left, top };
  }

  /** Whether the borders of the classes are seen; another layer than the classes has none. */
  get outlined() {
    return this.style !== "filled" && this.look.layer === "";
  }

  /** Bring the layers up to date, and lay them on each other where one has changed. */
  paint() {
    const { sight } = this;
    const changed = this.image !== null && this.paintLayers(sight);
    const composed = [sight.look, this.opacity, this.overlayShown, this.strokesShown, this.style].join(" ");
    if (composed === this.composed && !changed) return;
    this.composed = composed;
    this.compose(sight);
  }

  /**
   * @param {Sight} sight
   * @returns {boolean} whether any has changed
   */
  paintLayers(sight) {
    const { layers: { photo, overlay, objects, region, strokes, hands }, preview } = this;
    const { rows, columns } = this.viewport;
    const all = this.correcting.length ? [...this.strokes, ...this.correcting] : this.strokes;
    const drawn = {
      strokes: preview ? all.map((stroke) => (stroke.id === preview.id ? preview : stroke)) : all,
      colours: this.colours, hidden: this.hidden, marked: this.marked, selected: this.selected, rows, columns,
    };
    const changes = [
      photo.paint(sight, this.photo.parts),
      overlay.paint(sight, this.tiles.values()),
      objects.paint(sight),
      this.strokesShown && strokes.paint(sight, drawn),
      this.handsChanged,
      this.strokesShown && region.paint(sight, drawn, this.hands),
    ];
    if (this.hands.length && (changes[3] || this.handsChanged)) {
      const base = this.strokesShown ? strokes : null;
      hands.paintAbove(sight, base, { ...drawn, strokes: this.hands, hidden: NOTHING_HIDDEN });
    }
    if (this.outlined) changes.push(this.layers.outlines.paint(sight, this.tiles.values(), changes[1], drawn));
    this.handsChanged = false;
    if (changes[1]) this.tilesPainted = performance.now();
    return changes.includes(true);
  }

  /** @param {Sight} sight */
  compose({ width, height }) {
    const { canvas, layers } = this;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.clearRect(0, 0, width, height);
    if (!this.image) return;
    context.drawImage(layers.photo.canvas, 0, 0);
    if (this.overlayShown) {
      context.globalAlpha = this.opacity;
      if (!this.outlined || this.style === "both") context.drawImage(layers.overlay.canvas, 0, 0);
      context.globalAlpha = 1;
      if (this.outlined) context.drawImage(layers.outlines.canvas, 0, 0);
    }
    if (layers.objects.marks) context.drawImage(layers.objects.canvas, 0, 0);
    if (this.strokesShown) context.drawImage(layers.region.canvas, 0, 0);
    if (this.hands.length) layers.hands.compose(context);
    else if (this.strokesShown) layers.strokes.compose(context);
  }
}
