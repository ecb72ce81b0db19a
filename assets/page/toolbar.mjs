/* What the tools and switches show. */

import { all, byId } from "../shared/dom.mjs";

/** @import { StateWithImage } from "../journal/state.mjs" */
/** @import { View } from "../session/view.mjs" */

const touch = window.matchMedia("(pointer: coarse)");

/**
 * Show what can be undone, redone and cleared, and to those who have drawn nothing yet, how to begin.
 * @param {StateWithImage} state
 */
export function showHistory(state) {
  byId("undo", HTMLButtonElement).disabled = !state.undo;
  byId("redo", HTMLButtonElement).disabled = !state.redo;
  byId("clear", HTMLButtonElement).disabled = !state.strokes.length;
  byId("hint").hidden = state.strokes.length > 0 || state.opened !== null
    || [...state.strokesElsewhere.values()].some((strokes) => strokes.length);
  const [first, second] = state.classes;
  if (first) {
    const key = touch.matches ? "" : " (key 2)";
    byId("hint").textContent = second
      ? `Draw a squiggle on “${first.name}”, then take “${second.name}” in hand${key} and draw one there.`
      : "Add a second class, then draw a squiggle in each.";
  }
}

/**
 * Show which tool is chosen, how wide it is, and what is seen.
 * @param {View} view
 */
export function showView(view) {
  for (const button of all("#toolbar [data-tool]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tool === view.tool));
  }
  byId("opacity-value").textContent = `${view.opacity} %`;
  byId("stroke-width-value").textContent = `${view.width} px`;
  byId("segment-now").hidden = view.live;
}
