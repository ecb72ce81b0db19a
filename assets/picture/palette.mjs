/* Colours of classes as a canvas has them. */

/** @import { LabelClass } from "../journal/state.mjs" */

/** @param {string} colour as #rrggbb */
const rgb = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

/**
 * For each class id the four bytes of a pixel, as one word; nothing for classes that are hidden or do not exist.
 * @param {LabelClass[]} classes
 * @param {Set<number>} hidden
 */
export function paletteOf(classes, hidden) {
  const palette = new Uint32Array(256);
  const bytes = new Uint8Array(palette.buffer);
  for (const { id, colour } of classes) if (!hidden.has(id)) bytes.set([...rgb(colour), 255], 4 * id);
  return palette;
}
