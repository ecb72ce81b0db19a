/* What the files of images say of them, beside their pixels: fetched once. */

import { sessionUrl } from "../page/context.mjs";

/** @import { ChannelFacts } from "./composite.mjs" */
/** @import { PixelSize } from "../page/lengths.mjs" */

/**
 * @typedef {object} About what is known of an image
 * @property {?PixelSize} pixel_size
 * @property {ChannelFacts[]} channels
 */

/** By the hashes of their images. @type {Map<string, Promise<?About>>} */
const known = new Map();

/**
 * What is known of an image; null if it cannot be had now.
 * @param {string} hash
 * @returns {Promise<?About>}
 */
export function aboutImage(hash) {
  const asked = known.get(hash) ?? fetch(`${sessionUrl}images/${hash}/about`)
    .then((response) => (response.ok ? response.json() : null), () => null)
    .then((about) => {
      if (!about) known.delete(hash);
      return about;
    });
  known.set(hash, asked);
  return asked;
}
