/*
 * Stacks in a session: how their planes are called, and what a journal says of them. The server has the same in
 * segmentation/web/session/stacks.py.
 */

import { openingIndex } from "../page/entries.mjs";

/** @import { ImageFacts, SessionEvent } from "./state.mjs" */
/** @import { PixelSize } from "../page/lengths.mjs" */

/**
 * @typedef {object} Stack
 * @property {string} name
 * @property {string[]} planes their hashes, page by page
 * @property {[name: string, length: number][]} axes the fastest first
 */

/** @typedef {{images: Map<string, ImageFacts>, stacks: Map<string, Stack>}} Stacked */

const PAGE_DIGITS = 8;
/** So many planes say how all planes of a stack are shown. */
const SAMPLED_PLANES = 5;

/** The planes of stacks that were opened. @type {WeakMap<object, ImageFacts[]>} */
const known = new WeakMap();

/**
 * The facts of the planes of a stack that an event opens.
 * @param {ImageFacts & {pages: number}} stack
 */
function planesOf(stack) {
  const { hash, name, rows, columns, channels, dtype, pages, channel_names: names } = stack;
  let planes = known.get(stack);
  if (!planes) {
    planes = Array.from({ length: pages }, (_, n) => ({
      name, rows, columns, channels, dtype, stack: hash, page: n + 1, ...(names && { channel_names: names }),
      hash: hash.slice(0, -PAGE_DIGITS) + (n + 1).toString(16).padStart(PAGE_DIGITS, "0"),
    }));
    known.set(stack, planes);
  }
  return planes;
}

/**
 * Add the planes of a stack to the images of a session.
 * @param {Stacked} folding
 * @param {ImageFacts & {pages: number, axes: [string, number][]}} stack
 * @returns {ImageFacts} the plane that is shown at first
 */
export function openStack({ images, stacks }, stack) {
  let hashes = stacks.get(stack.hash)?.planes ?? [];
  /* One that is open stays as it is. */
  if (hashes.length !== stack.pages || !hashes.every((hash) => images.has(hash))) {
    const planes = planesOf(stack);
    for (const plane of planes) if (!images.has(plane.hash)) images.set(plane.hash, plane);
    hashes = planes.map(({ hash }) => hash);
    if (!stacks.has(stack.hash)) stacks.set(stack.hash, { name: stack.name, planes: hashes, axes: stack.axes });
  }
  return /** @type {ImageFacts} */ (images.get(hashes[openingIndex(stack.axes)]));
}

/**
 * Whether images can be the planes of one stack, which none can that is read part by part.
 * @param {ImageFacts[]} planes
 */
export function areAlike(planes) {
  const kinds = new Set(planes.map(({ rows, columns, channels, dtype }) => `${rows} ${columns} ${channels} ${dtype}`));
  return planes.length > 1 && kinds.size === 1 && planes.every(({ stack, levels }) => !stack && !levels);
}

/**
 * Let images of a session be the planes of a stack, if they can be.
 * @param {Stacked} folding
 * @param {SessionEvent} event
 */
export function makeStack({ images, stacks }, { id, name, images: hashes, axis }) {
  /** @type {ImageFacts[]} */
  const planes = hashes.map((/** @type {string} */ one) => images.get(one)).filter(Boolean);
  if (!areAlike(planes)) return;
  const last = planes.length - 1;
  const seen = Array.from({ length: SAMPLED_PLANES }, (_, part) => (
    planes[Math.floor((part * last) / (SAMPLED_PLANES - 1))].hash
  ));
  const told = { stack: id, shown_with: [...new Set(seen)] };
  planes.forEach((plane, n) => images.set(plane.hash, { ...plane, ...told, page: n + 1 }));
  stacks.set(id, { name, planes: planes.map(({ hash }) => hash), axes: [[axis, planes.length]] });
}

/**
 * The sizes of pixels that somebody typed, for an image or for the stack that it is one of.
 * @param {Map<string, ImageFacts>} images
 * @param {Map<string, ?PixelSize>} measured
 */
export function measuredSizes(images, measured) {
  /** @type {Map<string, PixelSize>} */
  const sizes = new Map();
  for (const { hash, stack = "" } of measured.size ? images.values() : []) {
    const size = measured.get(measured.has(stack) ? stack : hash);
    if (size) sizes.set(hash, size);
  }
  return sizes;
}
