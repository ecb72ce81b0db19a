/* How images come into a session and leave it, as the fold has it. */

import { openStack } from "./stacks.mjs";

/** @import { Folding } from "./folding.mjs" */
/** @import { ImageFacts, SessionEvent } from "./state.mjs" */

const MAX_NAMES = 20;

/**
 * @param {Folding} folding
 * @param {ImageFacts} image
 */
export function openImage(folding, image) {
  if (image.pages) {
    folding.image = openStack(folding, /** @type {any} */ (image));
    return;
  }
  let known = folding.images.get(image.hash) ?? image;
  const { names = [known.name] } = known;
  if (!names.includes(image.name) && names.length < MAX_NAMES) known = { ...known, names: [...names, image.name] };
  folding.images.set(image.hash, known);
  folding.image = known;
  folding.replaced.delete(image.hash);
}

/**
 * The image that came last.
 * @param {Folding} folding
 */
const lastImage = (folding) => [...folding.images.values()].at(-1) ?? null;

/**
 * A plane takes its whole stack along.
 * @param {Folding} folding
 * @param {string} hash
 * @returns {boolean} whether it was there, and not alone
 */
export function removeImage(folding, hash) {
  const { images, stacks, strokes, corrections } = folding;
  const stack = images.get(hash)?.stack ?? "";
  const leaving = (stacks.get(stack)?.planes ?? [hash]).filter((one) => images.has(one) || one === hash);
  if (!images.has(hash) || images.size === leaving.length) return false;
  stacks.delete(stack);
  for (const one of leaving) {
    images.delete(one);
    strokes.delete(one);
    corrections.delete(one);
  }
  if (leaving.includes(folding.image?.hash ?? "")) folding.image = lastImage(folding);
  return true;
}

/**
 * The sample leaves with what was drawn on it, and with the names that suit nothing else.
 * @param {Folding} folding
 * @param {SessionEvent} event
 */
export function leaveSample(folding, { image }) {
  if (!removeImage(folding, image)) return;
  for (const [id, old] of folding.classes) {
    if (folding.given.has(id)) folding.classes.set(id, { ...old, name: `Class ${id}` });
  }
  folding.given.clear();
}

/**
 * The sample left for an image of one's own, unless something was drawn on it: so in journals of before.
 * @param {Folding} folding
 */
export function dropReplaced(folding) {
  for (const hash of [...folding.images.keys()].filter((one) => folding.replaced.has(one))) {
    if (folding.images.size > 1 && !folding.strokes.get(hash)?.size) folding.images.delete(hash);
  }
  if (folding.image && !folding.images.has(folding.image.hash)) folding.image = lastImage(folding);
}
