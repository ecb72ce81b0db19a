/* Colours of classes and of layers as a canvas has them. */

import { coloursOf } from "../page/colourmaps.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */

/** @param {string} colour as #rrggbb */
const rgb = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

/**
 * For each class id the four bytes of a pixel, as one word; nothing for classes that are hidden or do not exist.
 * @param {LabelClass[]} classes
 * @param {Set<number>} hidden
 * @param {Record<string, number>} [opacities] in percent, by class id, where that is not 100
 */
export function paletteOf(classes, hidden, opacities = {}) {
  const palette = new Uint32Array(256);
  const bytes = new Uint8Array(palette.buffer);
  for (const { id, colour } of classes) {
    if (!hidden.has(id)) bytes.set([...rgb(colour), Math.round(2.55 * (opacities[id] ?? 100))], 4 * id);
  }
  return palette;
}

/**
 * For each percentage of a layer the four bytes of a pixel, as one word; nothing where there is no data.
 * @param {string} layer
 */
export function rampOf(layer) {
  const stops = coloursOf(layer).map(rgb);
  const ramp = new Uint32Array(256);
  const bytes = new Uint8Array(ramp.buffer);
  for (let percent = 0; percent <= 100; percent += 1) {
    const at = (percent / 100) * (stops.length - 1);
    const below = Math.min(Math.floor(at), stops.length - 2);
    const mixed = stops[below].map((value, channel) => value + (stops[below + 1][channel] - value) * (at - below));
    bytes.set([...mixed.map(Math.round), 255], 4 * percent);
  }
  return ramp;
}
