/* The histogram of a measure, on which a range is drawn. */

import { byId } from "../shared/dom.mjs";
import { axisOf } from "./objectstatistics.mjs";
import { spanOf } from "./plotfigures.mjs";

/** @import { Group } from "./plotfigures.mjs" */

const HEIGHT = 104;

/** @param {HTMLElement} place */
function coloursOf(place) {
  const { color: text, borderTopColor: line } = getComputedStyle(place);
  return { text, line };
}

/** Whether the colours follow the theme. */
let follows = false;

/** @param {HTMLElement} place */
function followTheme(place) {
  if (follows) return;
  follows = true;
  new MutationObserver(() => {
    const { text, line } = coloursOf(place);
    const axes = ["xaxis", "yaxis"].flatMap((axis) => [
      [`${axis}.color`, text], [`${axis}.gridcolor`, line], [`${axis}.zerolinecolor`, line],
    ]);
    window.Plotly.relayout(place, { "font.color": text, ...Object.fromEntries(axes) });
  }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

/**
 * @param {Group[]} groups values by class, those of one class atop those of another
 * @param {string} title of the measure
 * @param {(range: ?[number, number]) => void} onRange a range was drawn, or taken away
 */
export async function showHistogram(groups, title, onRange) {
  const place = /** @type {any} */ (byId("object-histogram"));
  const { bins, edges, counts, value, ticks } = axisOf(groups.flatMap(({ values }) => values));
  const { text, line } = coloursOf(place);
  const quiet = { color: text, gridcolor: line, zerolinecolor: line, fixedrange: true };
  const spans = bins.centres.map((_, bin) => spanOf(edges, bin));
  await window.Plotly.react(place, groups.map(({ name, colour, values }) => ({
    type: "bar", name, x: bins.centres, y: counts(values), width: bins.width, marker: { color: colour },
    customdata: spans, hovertemplate: `%{y} from %{customdata}<extra></extra>`,
  })), {
    height: HEIGHT, margin: { l: 36, r: 6, t: 4, b: 32 }, bargap: 0, barmode: "stack", showlegend: false,
    paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { size: 11, color: text },
    dragmode: "select", selectdirection: "h", selections: [],
    xaxis: { ...quiet, title: { text: title, standoff: 4 }, zeroline: false, ...ticks }, yaxis: quiet,
  }, { displayModeBar: false, responsive: true });
  followTheme(place);
  place.removeAllListeners?.("plotly_selected");
  place.removeAllListeners?.("plotly_deselect");
  place.on("plotly_selected", (/** @type {any} */ event) => {
    const ends = event?.range?.x;
    if (ends) onRange([value(Math.min(...ends)), value(Math.max(...ends))]);
  });
  place.on("plotly_deselect", () => onRange(null));
}
