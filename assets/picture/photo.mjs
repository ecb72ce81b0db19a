/* The pixels of an image as the server sends them: coarse and whole first, then as sharp as the screen can show. */

import { sessionUrl } from "../page/context.mjs";
import { stackQuery } from "../page/entries.mjs";
import { sayingSo } from "../page/status.mjs";
import { fetchShown, pause, retryAfter } from "../shared/requests.mjs";
import { Negative } from "./developed.mjs";

/** @import { ImageFacts } from "../journal/state.mjs" */
/** @import { Viewport } from "../drawing/viewport.mjs" */
/** @import { Development, Refusal } from "./developed.mjs" */

/**
 * @typedef {object} Part some of the image's pixels
 * @property {number} step every how manieth row and column it has
 * @property {number} row0
 * @property {number} row1 exclusive
 * @property {number} column0
 * @property {number} column1 exclusive
 * @property {ImageBitmap | OffscreenCanvas} bitmap
 * @property {Negative} [negative] its channels, where they are here
 * @property {number} [again] after how many seconds what it lacks may come
 */

const PREVIEW_PIXELS = 2 ** 22;
/** Of the channels: they are composed anew at each change of how they are shown. */
const LOOK_PIXELS = 2 ** 20;
const DETAIL_MS = 150;
const RETRY_SECONDS = 0.3;
const MAX_RETRY_SECONDS = 5;
/** How often is asked again for what a part lacks. */
const AGAIN_ATTEMPTS = 5;

/**
 * @param {ImageFacts} image
 * @param {number} most pixels
 */
const previewStep = ({ rows, columns }, most) => Math.ceil(Math.sqrt((rows * columns) / most));

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
    /** How its channels are shown; null: as the server shows them. @type {?Development} */
    this.development = null;
    /** Resolves when the whole image is there. @type {Promise<void>} */
    this.shown = Promise.resolve();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.detailTimer = undefined;
    /** Ends what is asked for of the image, once another one is shown. */
    this.asking = new AbortController();
    /** Ends what is asked for of a part of it, once another part is on screen. */
    this.sharpening = new AbortController();
  }

  /** What there is to show, the sharpest last. */
  get parts() {
    return [this.preview ?? this.thumbnail, this.detail].filter((part) => part !== null);
  }

  /**
   * Show another image.
   * @param {ImageFacts} image
   * @param {?Part} preview if there is one already
   * @param {boolean} hasThumbnail whether the strip shows it
   * @param {boolean} waits whether it is to be shown as somebody has chosen, which comes with `develop`
   * @param {boolean} stays whether what is seen stays until it is there
   */
  setImage(image, preview, hasThumbnail, waits, stays) {
    this.asking.abort();
    this.sharpening.abort();
    this.asking = new AbortController();
    this.development = null;
    const thumbnail = stays ? this.preview ?? this.thumbnail : null;
    if (waits) {
      Object.assign(this, { image, preview, thumbnail, detail: null });
      if (!preview && hasThumbnail) this.fetchThumbnail(image);
      this.onChange();
      return;
    }
    this.thumbnail = thumbnail;
    this.shown = this.fetchAll(image, preview?.negative ? null : preview, hasThumbnail);
  }

  /**
   * Show the image in another look; only the last of several counts.
   * @param {?Development} development null: as the server shows it
   */
  async develop(development) {
    const { image } = this;
    if (!image || (!development && !this.development && this.preview)) return;
    this.development = development;
    if (!development) {
      this.shown = this.fetchAll(image, null, false);
      return;
    }
    const now = () => this.image === image && this.development === development;
    const bounds = [0, image.rows, 0, image.columns];
    const whole = this.preview?.negative ?? new Negative(bounds, previewStep(image, LOOK_PIXELS));
    const parts = [whole, ...(this.detail?.negative ? [this.detail.negative] : [])];
    try {
      await Promise.all(parts.map((part) => part.fetch(image, development, now, this.asking.signal)));
    } catch (error) {
      await pause(Math.max(RETRY_SECONDS, /** @type {Refusal} */ (error).again ?? 0));
      if (now()) await this.develop({ ...development });
      return;
    }
    if (!now()) return;
    const [preview, detail = null] = parts.map((part) => part.develop(development));
    Object.assign(this, { preview, detail });
    this.onChange();
    this.complete("preview", this.asking.signal);
    this.wantDetail();
  }

  /**
   * @param {ImageFacts} image
   * @param {?Part} preview
   * @param {boolean} hasThumbnail
   */
  async fetchAll(image, preview, hasThumbnail) {
    Object.assign(this, { image, preview, detail: null });
    this.onChange();
    if (!preview) {
      if (hasThumbnail) this.fetchThumbnail(image);
      const { signal } = this.asking;
      const bounds = [0, image.rows, 0, image.columns];
      const step = previewStep(image, PREVIEW_PIXELS);
      const whole = await sayingSo(this.fetchPart(image, bounds, step, signal, true), `Loading ${image.name}…`);
      if (this.image !== image || signal.aborted) return;
      Object.assign(this, { preview: whole, thumbnail: null });
      this.onChange();
    }
    this.complete("preview", this.asking.signal);
    this.wantDetail();
  }

  /**
   * What the strip shows already, until there is better.
   * @param {ImageFacts} image
   */
  async fetchThumbnail(image) {
    const url = `${sessionUrl}images/${image.hash}/thumbnail`;
    const wanted = () => this.image === image && !this.preview;
    let bitmap;
    try {
      const response = await fetchShown(url, wanted, this.asking.signal);
      if (!response.ok) return;
      bitmap = await createImageBitmap(await response.blob());
    } catch {
      return; // another image is shown by now, or the server is away: what is better comes when it is back
    }
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
   * @param {AbortSignal} signal ends it
   * @param {boolean} [anew] whether no part of the image is shown yet beside which it is to look alike
   * @returns {Promise<?Part>}
   */
  async fetchPart(image, [row0, row1, column0, column1], step, signal, anew = false) {
    const { development } = this;
    const wanted = () => this.image === image && !signal.aborted;
    if (development) {
      const negative = new Negative([row0, row1, column0, column1], step);
      const fetched = negative.fetch(image, development, wanted, signal);
      return fetched.then(() => negative.develop(this.development ?? development), () => null);
    }
    const place = `rows=${row0},${row1}&columns=${column0},${column1}&step=${step}`;
    const query = `${place}${stackQuery(image)}${image.levels ? `&sampled=1${anew ? "&anew=1" : ""}` : ""}`;
    const url = `${sessionUrl}images/${image.hash}/view?${query}`;
    for (let attempt = 0; wanted(); attempt += 1) {
      try {
        const response = await fetchShown(url, wanted, signal);
        const again = retryAfter(response, 0);
        if (response.ok) {
          const bitmap = await createImageBitmap(await response.blob());
          return { step, row0, row1, column0, column1, bitmap, again };
        }
        if (response.status < 500) return null;
        await pause(again);
      } catch {
        /* The server is away: it is asked again below. */
      }
      await pause(Math.min(RETRY_SECONDS * 2 ** attempt, MAX_RETRY_SECONDS));
    }
    return null;
  }

  /**
   * Ask again, some times, for what a part lacks that the server could not read just now.
   * @param {"preview" | "detail"} which
   * @param {AbortSignal} signal ends it
   */
  async complete(which, signal) {
    const { image } = this;
    let part = this[which];
    for (let attempt = 0; image && part?.again && attempt < AGAIN_ATTEMPTS; attempt += 1) {
      await pause(part.again * 2 ** attempt);
      const { development } = this;
      const wanted = () => this[which] === part && this.development === development && !signal.aborted;
      if (!wanted()) return;
      const { row0, row1, column0, column1, step } = part;
      const more = await this.fetchPart(image, [row0, row1, column0, column1], step, signal);
      if (!more || !wanted()) return;
      this[which] = more;
      part = more;
      this.onChange();
    }
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
    this.sharpening.abort();
    this.sharpening = new AbortController();
    const { signal } = this.sharpening;
    const detail = await this.fetchPart(image, viewport.visible, step, signal);
    if (!detail || this.image !== image || signal.aborted) return;
    this.detail = detail;
    this.onChange();
    this.complete("detail", signal);
  }
}
