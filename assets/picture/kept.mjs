/* What was shown of images, kept for when they are shown again, within a number of bytes for all. */

/** @import { Part } from "./photo.mjs" */
/** @import { Tile } from "./tile.mjs" */

/** @typedef {{preview: ?Part, tiles: Map<number, Tile>}} Shown what is shown of an image */

const KEPT_BYTES = 128 * 2 ** 20;

/** @param {Shown} shown */
function bytesOf({ preview, tiles }) {
  const ofPreview = preview ? 4 * preview.bitmap.width * preview.bitmap.height + (preview.negative?.bytes ?? 0) : 0;
  return [...tiles.values()].reduce((sum, tile) => sum + tile.bytes, ofPreview);
}

export class KeptImages {
  /** @param {number} [maxBytes] */
  constructor(maxBytes = KEPT_BYTES) {
    this.maxBytes = maxBytes;
    /** By the hashes of their images, the longest kept first. @type {Map<string, Shown>} */
    this.images = new Map();
  }

  /**
   * Keep what is shown of an image; what was kept longest goes if that is too much.
   * @param {string} hash
   * @param {Shown} shown
   */
  keep(hash, shown) {
    this.images.set(hash, shown);
    let bytes = [...this.images.values()].reduce((sum, one) => sum + bytesOf(one), 0);
    for (const [oldest, one] of this.images) {
      if (bytes <= this.maxBytes) return;
      bytes -= bytesOf(one);
      this.images.delete(oldest);
    }
  }

  /**
   * Give back what was kept of an image, or nothing shown.
   * @param {string} hash
   * @returns {Shown}
   */
  release(hash) {
    const shown = this.images.get(hash) ?? { preview: null, tiles: new Map() };
    this.images.delete(hash);
    return shown;
  }
}
