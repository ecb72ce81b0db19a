/* The histogram of a measure, on which a range is drawn. */

import { byId } from "../shared/dom.mjs";
import { binsOf, countIn } from "./objectstatistics.mjs";

const HEIGHT = 120;

/** @param {HTMLElement} place */
function coloursOf(place) {
  const { color: text, borderTopColor: line, outlineColor: accent } = getComputedStyle(place);
  return { text, line, accent };
}

/** Whether the colours follow the theme. */
let follows = false;

/** @param {HTMLElement} place */
function followTheme(place) {
  if (follows) return;
  follows = true;
  new MutationObserver(() => {
    const { text, line, accent } = coloursOf(place);
    const axes = ["xaxis", "yaxis"].flatMap((axis) => [
      [`${axis}.color`, text], [`${axis}.gridcolor`, line], [`${axis}.zerolinecolor`, line],
    ]);
    window.Plotly.update(place, { "marker.color": accent }, { "font.color": text, ...Object.fromEntries(axes) });
  }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

/**
 * @param {number[]} values
 * @param {string} title of the measure
 * @param {(range: ?[number, number]) => void} onRange a range was drawn, or taken away
 */
export async function showHistogram(values, title, onRange) {
  const place = /** @type {any} */ (byId("object-histogram"));
  const bins = binsOf(values);
  const { text, line, accent } = coloursOf(place);
  const quiet = { color: text, gridcolor: line, zerolinecolor: line, fixedrange: true };
  await window.Plotly.react(place, [{
    type: "bar", x: bins.centres, y: countIn(values, bins), width: bins.width, marker: { color: accent },
    hovertemplate: "%{y}<extra></extra>",
  }], {
    height: HEIGHT, margin: { l: 36, r: 6, t: 4, b: 32 }, bargap: 0, showlegend: false,
    paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { size: 11, color: text },
    dragmode: "select", selectdirection: "h", selections: [],
    xaxis: { ...quiet, title: { text: title, standoff: 4 } }, yaxis: quiet,
  }, { displayModeBar: false, responsive: true });
  followTheme(place);
  place.removeAllListeners?.("plotly_selected");
  place.removeAllListeners?.("plotly_deselect");
  place.on("plotly_selected", (/** @type {any} */ event) => {
    const ends = event?.range?.x;
    if (ends) onRange([Math.min(...ends), Math.max(...ends)]);
  });
  place.on("plotly_deselect", () => onRange(null));
}
