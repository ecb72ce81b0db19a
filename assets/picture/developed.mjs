/* Parts of an image whose channels are here, so that they can be shown anew, in another look, without the server. */

import { sessionUrl } from "../page/context.mjs";
import { stackQuery } from "../page/entries.mjs";
import { fetchShown, retryAfter } from "../shared/requests.mjs";
import { compose } from "./composite.mjs";

/** @import { ImageFacts } from "../journal/state.mjs" */
/** @import { ChannelFacts, Levels, Look } from "./composite.mjs" */
/** @import { Part } from "./photo.mjs" */

/** @typedef {{facts: ChannelFacts[], look: Look}} Development of an image: its channels, and how they are shown */

/** @typedef {Error & {again?: number}} Refusal and after how many seconds to ask again */

/** Levels of the channels of a part, by their indices, and where there is no data. */
export class Negative {
  /**
   * @param {number[]} bounds first row, last row, first column, last column (exclusive)
   * @param {number} step
   */
  constructor([row0, row1, column0, column1], step) {
    Object.assign(this, { row0, row1, column0, column1, step });
    this.width = Math.ceil((column1 - column0) / step);
    this.height = Math.ceil((row1 - row0) / step);
    /** @type {Map<number, Levels>} */
    this.levels = new Map();
    /** @type {?Uint8Array} */
    this.noData = null;
    /** After how many seconds what it lacks may come; 0: it lacks nothing. */
    this.again = 0;
    this.query = `rows=${row0},${row1}&columns=${column0},${column1}&step=${step}`;
    this.place = { step, row0, row1, column0, column1 };
  }

  /** Bytes that it takes. */
  get bytes() {
    return [...this.levels.values()].reduce((sum, levels) => sum + levels.byteLength, 0);
  }

  /**
   * Fetch the channels that are on and not here yet; throws where the server does not answer.
   * @param {ImageFacts} image
   * @param {Development} development
   * @param {() => boolean} wanted for how long a busy server is asked again
   * @param {AbortSignal} signal ends it
   */
  async fetch(image, { facts, look }, wanted, signal) {
    const missing = [...look.keys()].filter((index) => look[index].on && !this.levels.has(index));
    if (!missing.length) return;
    const query = `${this.query}&channels=${missing.join(",")}${stackQuery(image)}${image.levels ? "&sampled=1" : ""}`;
    const url = `${sessionUrl}images/${image.hash}/levels?${query}`;
    const response = await fetchShown(url, wanted, signal);
    const again = retryAfter(response, 0);
    if (!response.ok) throw Object.assign(new Error(`${response.status}`), { again });
    this.again = again;
    const data = await response.arrayBuffer();
    const pixels = this.width * this.height;
    let at = 0;
    for (const index of missing) {
      const bytes = (pixels * facts[index].bits) / 8;
      const plane = data.slice(at, at + bytes);
      this.levels.set(index, bytes === pixels ? new Uint8Array(plane) : new Uint16Array(plane));
      at += bytes;
    }
    if (data.byteLength > at) this.noData = new Uint8Array(data, at, pixels);
  }

  /**
   * The part in a look; null if a channel that is on is not here.
   * @param {Development} development
   * @returns {?Part}
   */
  develop({ facts, look }) {
    const on = [...look.keys()].filter((index) => look[index].on);
    const channels = on.map((index) => ({ levels: this.levels.get(index), facts: facts[index], look: look[index] }));
    if (channels.some(({ levels }) => !levels)) return null;
    const shown = compose(/** @type {any} */ (channels), this.width * this.height, this.noData);
    const bitmap = new OffscreenCanvas(this.width, this.height);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (bitmap.getContext("2d"));
    context.putImageData(new ImageData(shown, this.width, this.height), 0, 0);
    return { ...this.place, bitmap, negative: this, again: this.again };
  }
}
