/* What the files of images say of them, beside their pixels: fetched once. */

import { sessionUrl } from "../page/context.mjs";
import { entryKey, stackQuery } from "../page/entries.mjs";
import { fetchShown } from "../shared/requests.mjs";

/** @import { ImageFacts } from "../journal/state.mjs" */
/** @import { ChannelFacts } from "./composite.mjs" */
/** @import { PixelSize } from "../page/lengths.mjs" */

/**
 * @typedef {object} About what is known of an image
 * @property {?PixelSize} pixel_size
 * @property {ChannelFacts[]} channels
 */

/** By what the images, or their stacks, are known by. @type {Map<string, Promise<?About>>} */
const known = new Map();

/**
 * What is known of an image; null if it cannot be had now.
 * @param {Pick<ImageFacts, "hash" | "stack" | "shown_with">} image
 * @returns {Promise<?About>}
 */
export function aboutImage(image) {
  const query = stackQuery(image);
  const key = query ? `${image.hash}${query}` : entryKey(image);
  const asked = known.get(key) ?? fetchShown(`${sessionUrl}images/${image.hash}/about${query.replace("&", "?")}`)
    .then((response) => (response.ok ? response.json() : null))
    .catch(() => null) // of the body too, which may end with its server
    .then((about) => {
      if (!about) known.delete(key);
      return about;
    });
  known.set(key, asked);
  return asked;
}

/**
 * What the channels of an image are called; none where there is but one, or it is not known now.
 * @param {string} hash
 * @returns {Promise<string[]>}
 */
export async function channelNames(hash) {
  const channels = (await aboutImage({ hash }))?.channels ?? [];
  return channels.length > 1 ? channels.map(({ name }) => name) : [];
}
