/* The histogram of a measure, on which a range is drawn. */

import { byId } from "../shared/dom.mjs";

const BINS = 40;
const HEIGHT = 120;

/**
 * How many values lie in each of some bins of equal width.
 * @param {number[]} values
 * @returns {{centres: number[], counts: number[], width: number}}
 */
export function binned(values) {
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const width = (high - low) / BINS || 1;
  const counts = new Array(high > low ? BINS : 1).fill(0);
  for (const value of values) counts[Math.min(counts.length - 1, Math.floor((value - low) / width))] += 1;
  return { centres: counts.map((_, bin) => low + (bin + 0.5) * width), counts, width };
}

/**
 * @param {number[]} values
 * @param {string} title of the measure
 * @param {(range: ?[number, number]) => void} onRange a range was drawn, or taken away
 */
export async function showHistogram(values, title, onRange) {
  const place = /** @type {any} */ (byId("object-histogram"));
  const { centres, counts, width } = binned(values);
  const { color: text, borderTopColor: line, outlineColor: accent } = getComputedStyle(place);
  const quiet = { color: text, gridcolor: line, zerolinecolor: line, fixedrange: true };
  await window.Plotly.react(place, [{
    type: "bar", x: centres, y: counts, width, marker: { color: accent }, hovertemplate: "%{y}<extra></extra>",
  }], {
    height: HEIGHT, margin: { l: 36, r: 6, t: 4, b: 32 }, bargap: 0, showlegend: false,
    paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { size: 11, color: text },
    dragmode: "select", selectdirection: "h", selections: [],
    xaxis: { ...quiet, title: { text: title, standoff: 4 } }, yaxis: quiet,
  }, { displayModeBar: false, responsive: true });
  place.removeAllListeners?.("plotly_selected");
  place.removeAllListeners?.("plotly_deselect");
  place.on("plotly_selected", (/** @type {any} */ event) => {
    const ends = event?.range?.x;
    if (ends) onRange([Math.min(...ends), Math.max(...ends)]);
  });
  place.on("plotly_deselect", () => onRange(null));
}
