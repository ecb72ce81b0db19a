/* The choice of what is shown of the segmentation, and what its colours mean. */

import { coloursOf } from "./colourmaps.mjs";
import { withChannelNames } from "./featurenames.mjs";
import { byId, element } from "../shared/dom.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */

/** What the name of a layer that shows a feature begins with. */
export const FEATURE = "feature:";

/** The choices that are shown. */
let shown = "";

/**
 * @param {LabelClass[]} classes
 * @param {string | number | null} layer that is shown; null for the classes themselves
 * @param {string[]} [channels] names of those of the image; none where they are not known
 */
export function showLayers(classes, layer, channels = []) {
  const select = byId("layer", HTMLSelectElement);
  const choices = [
    ["classes", "Classes"], ["uncertainty", "Uncertainty"],
    ...classes.map(({ id, name }) => [String(id), `Probability of ${name}`]),
  ];
  const feature = typeof layer === "string" && layer.startsWith(FEATURE);
  if (feature) choices.push([layer, `Feature: ${withChannelNames(layer.slice(FEATURE.length), channels)}`]);
  if (JSON.stringify(choices) !== shown) {
    shown = JSON.stringify(choices);
    select.replaceChildren(...choices.map(([value, text]) => element("option", { value }, text)));
  }
  select.value = String(layer ?? "classes");
  byId("overlay-style").hidden = layer !== null;
  byId("legend").hidden = layer === null;
  if (layer === null) return;
  const ends = { uncertainty: ["Sure", "Unsure"] }[String(layer)];
  const [least, most] = ends ?? (feature ? ["Low", "High"] : ["0 %", "100 %"]);
  byId("legend-least").textContent = least;
  byId("legend-most").textContent = most;
  byId("legend-colours").style.background = `linear-gradient(to right, ${coloursOf(String(layer)).join(", ")})`;
}
