/* What a session's images are for a person: single ones, and stacks, whose planes are one entry together. */

/** @import { ImageFacts, State } from "../journal/state.mjs" */
/** @import { Stack } from "../journal/stacks.mjs" */

/**
 * @typedef {object} Entry
 * @property {string} key what the image, or the stack, is known by
 * @property {string} name
 * @property {ImageFacts} image it, or the plane that is shown at first
 * @property {string[]} hashes of the image, or of all planes
 */

/**
 * What an image is shown, and looked at, together with: itself, or its stack.
 * @param {Pick<ImageFacts, "hash" | "stack">} image
 */
export const entryKey = ({ hash, stack }) => stack ?? hash;

/**
 * How the server is asked for an image so that it is shown as all planes of the stack are that was made of it; empty of
 * an image of its own, and of a plane of a file, which the server knows for one.
 * @param {Pick<ImageFacts, "hash" | "shown_with">} image
 */
export const stackQuery = ({ shown_with: planes }) => (planes ? `&with=${planes.join(",")}` : "");

/**
 * The index of the plane that a stack opens with: amid its depth, where most is seen, at its first time.
 * @param {[name: string, length: number][]} axes the fastest first
 */
export function openingIndex(axes) {
  return axes.reduceRight((index, [name, length]) => index * length + (name === "z" ? length >> 1 : 0), 0);
}

/**
 * The entries of a session in the order in which they came.
 * @param {Pick<State, "images" | "stacks">} state
 * @returns {Entry[]}
 */
export function entriesOf({ images, stacks }) {
  const byHash = new Map(images.map((image) => [image.hash, image]));
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  for (const image of images) {
    const key = entryKey(image);
    if (entries.has(key)) continue;
    const { name, planes, axes } = stacks.get(key) ?? { name: image.name, planes: [image.hash], axes: [] };
    const hashes = planes.filter((hash) => byHash.has(hash));
    entries.set(key, { key, name, image: byHash.get(planes[openingIndex(axes)]) ?? image, hashes });
  }
  return [...entries.values()];
}

/**
 * Where a plane lies along each axis of its stack, from 0.
 * @param {Stack} stack
 * @param {number} index of the plane, from 0
 * @returns {number[]}
 */
export function placeOf({ axes }, index) {
  let left = index;
  return axes.map(([, length]) => {
    const place = left % length;
    left = Math.floor(left / length);
    return place;
  });
}

/**
 * The index of the plane at a place.
 * @param {Stack} stack
 * @param {number[]} place along each axis, from 0
 */
export function indexOf({ axes }, place) {
  return axes.reduceRight((index, [, length], at) => index * length + place[at], 0);
}

/**
 * Where a plane lies, in words such as "z 3, t 1"; empty of a single image.
 * @param {ImageFacts} image
 * @param {Map<string, Stack>} stacks
 */
export function placeInWords({ stack: key = "", page = 1 }, stacks) {
  const stack = stacks.get(key);
  if (!stack) return "";
  const place = placeOf(stack, page - 1);
  return stack.axes.map(([name], at) => `${name} ${place[at] + 1}`).join(", ");
}
