/* What the tools and switches show. */

import { all, byId, element } from "../shared/dom.mjs";
import { setControl } from "./dash.mjs";

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
      ? `Draw a squiggle on “${first.name}”, then choose “${second.name}”${key} and draw one there.`
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
  byId("correct").setAttribute("aria-pressed", String(view.corrects));
  byId("correcting").hidden = !view.corrects;
  byId("tool-fill").hidden = !view.corrects;
  byId("whole-strokes").hidden = view.tool !== "erase" || view.corrects;
  byId("whole", HTMLInputElement).checked = view.whole;
  byId("segment-now").hidden = view.live;
  byId("classes").classList.toggle("weighing", view.weighing);
  byId("weigh-classes").setAttribute("aria-pressed", String(view.weighing));
}

/** What the slider of the width shows. */
let shownWidth = "";

/**
 * Show how wide the brush, or the selected stroke, is.
 * @param {string} what it is the width of
 * @param {number} width in image pixels
 * @param {number} limit the largest width
 * @param {boolean} changeable whether it has a width
 */
export function showWidth(what, width, limit, changeable) {
  const shown = JSON.stringify([what, width, limit, changeable]);
  if (shown === shownWidth) return;
  shownWidth = shown;
  byId("stroke-width-label").textContent = what;
  byId("stroke-width-value").textContent = changeable ? `${width} px` : "–";
  setControl("stroke-width", width, { max: limit, disabled: !changeable });
}

/**
 * Set up the switch of the eraser.
 * @param {(whole: boolean) => void} onChange
 */
export function setUpEraserSwitch(onChange) {
  const whole = element("input", { id: "whole", type: "checkbox", onchange: () => onChange(whole.checked) });
  const title = "The eraser takes whole strokes (or hold Shift)";
  byId("whole-strokes").append(element("label", { title }, whole, "Whole"));
}
