/* The pixels of an image as the server sends them: coarse and whole first, then as sharp as the screen can show. */

import { sessionUrl } from "../page/context.mjs";
import { pause } from "../shared/requests.mjs";

/** @import { ImageFacts } from "../journal/state.mjs" */
/** @import { Viewport } from "../drawing/viewport.mjs" */

/**
 * @typedef {object} Part some of the image's pixels
 * @property {number} step every how manieth row and column it has
 * @property {number} row0
 * @property {number} row1 exclusive
 * @property {number} column0
 * @property {number} column1 exclusive
 * @property {ImageBitmap} bitmap
 */

const PREVIEW_PIXELS = 4e6;
const DETAIL_MS = 150;
const RETRY_SECONDS = 0.3;
const MAX_RETRY_SECONDS = 5;

/** @param {ImageFacts} image */
const previewStep = ({ rows, columns }) => Math.ceil(Math.sqrt((rows * columns) / PREVIEW_PIXELS));

export class Photo {
  /**
   * @param {Viewport} viewport
   * @param {() => void} onChange there is more to show
   */
  constructor(viewport, onChange) {
    this.viewport = viewport;
    this.onChange = onChange;
    /** @type {?ImageFacts} */
    this.image = null;
    /** What the strip shows already. @type {?Part} */
    this.thumbnail = null;
    /** The whole image, on as many pixels as are fetched at once. @type {?Part} */
    this.preview = null;
    /** What is on screen, where the preview is too coarse for it. @type {?Part} */
    this.detail = null;
    /** Resolves when the whole image is there. @type {Promise<void>} */
    this.shown = Promise.resolve();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.detailTimer = undefined;
  }

  /** What there is to show, the sharpest last. */
  get parts() {
    return [this.thumbnail, this.preview, this.detail].filter((part) => part !== null);
  }

  /**
   * Show another image.
   * @param {ImageFacts} image
   * @param {?Part} preview if there is one already
   * @param {boolean} hasThumbnail whether the strip shows it
   */
  setImage(image, preview, hasThumbnail) {
    this.shown = this.fetchAll(image, preview, hasThumbnail);
  }

  /**
   * @param {ImageFacts} image
   * @param {?Part} preview
   * @param {boolean} hasThumbnail
   */
  async fetchAll(image, preview, hasThumbnail) {
    Object.assign(this, { image, preview, thumbnail: null, detail: null });
    this.onChange();
    if (!preview) {
      if (hasThumbnail) this.fetchThumbnail(image);
      const whole = await this.fetchPart(image, [0, image.rows, 0, image.columns], previewStep(image));
      if (this.image !== image || !whole) return;
      this.preview = whole;
      this.onChange();
    }
    this.wantDetail();
  }

  /**
   * What the strip shows already, until there is better.
   * @param {ImageFacts} image
   */
  async fetchThumbnail(image) {
    const response = await fetch(`${sessionUrl}images/${image.hash}/thumbnail`).catch(() => null);
    if (!response?.ok) return;
    const bitmap = await createImageBitmap(await response.blob());
    if (this.image !== image) return;
    const step = image.columns / bitmap.width;
    this.thumbnail = { step, row0: 0, row1: image.rows, column0: 0, column1: image.columns, bitmap };
    this.onChange();
  }

  /**
   * Fetch a part; a server that is away is asked again for as long as the image is shown.
   * @param {ImageFacts} image
   * @param {number[]} bounds first row, last row, first column, last column (exclusive)
   * @param {number} step
   * @returns {Promise<?Part>}
   */
  async fetchPart(image, [row0, row1, column0, column1], step) {
    const query = `rows=${row0},${row1}&columns=${column0},${column1}&step=${step}`;
    const url = `${sessionUrl}images/${image.hash}/view?${query}`;
    for (let attempt = 0; this.image === image; attempt += 1) {
      try {
        const response = await fetch(url);
        if (response.ok) {
          return { step, row0, row1, column0, column1, bitmap: await createImageBitmap(await response.blob()) };
        }
        if (response.status < 500) return null;
      } catch {
        /* The server is away: it is asked again below. */
      }
      await pause(Math.min(RETRY_SECONDS * 2 ** attempt, MAX_RETRY_SECONDS));
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
    const { image, preview, viewport } = this;
    const density = window.devicePixelRatio || 1;
    const step = Math.max(1, Math.floor(1 / (viewport.scale * density)));
    if (!image || !preview || step >= preview.step) return;
    const detail = await this.fetchPart(image, viewport.visible, step);
    if (!detail || this.image !== image) return;
    this.detail = detail;
    this.onChange();
  }
}
