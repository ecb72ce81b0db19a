/* What the page shows of corrections. */

import { byId, element } from "../shared/dom.mjs";
import { counted } from "../shared/text.mjs";
import { hasClass } from "./classids.mjs";
import { looking } from "./context.mjs";

/** @import { State } from "../journal/state.mjs" */

/**
 * @typedef {object} Left what is left of corrections, where others were erased again
 * @property {?number} here pixels on the current image; null before they are counted: there may be some
 * @property {number} elsewhere how many other images are corrected
 */

/** @param {(learn: boolean) => void} onChange */
export function setUpCorrectionSwitch(onChange) {
  const change = () => onChange(learn.checked);
  const learn = element("input", { id: "learn-corrections", type: "checkbox", onchange: change });
  const title = "The classifier learns from corrections too, as from strokes";
  byId("corrections-switch").append(element("label", { title }, learn, "Learn from corrections"));
}

/**
 * @param {State} state
 * @param {Left} left
 * @param {boolean} corrects whether the pens paint into the result
 */
export function showCorrections({ corrections, learnsCorrections }, { here, elsewhere }, corrects) {
  const some = here !== 0 || elsewhere > 0;
  byId("corrections").hidden = !corrects && !some && !learnsCorrections;
  byId("corrections-text").textContent = some
    ? `${inWords(here, corrections)} here${elsewhere ? `, and some on ${counted(elsewhere, "other image")}` : ""}: `
      + "they stay whatever is learnt."
    : "Paint where the result is wrong. What you paint stays, whatever is learnt.";
  byId("clear-corrections", HTMLButtonElement).disabled = here === 0 || looking;
  byId("download-corrections-json", HTMLButtonElement).disabled = !some;
  const learn = byId("learn-corrections", HTMLInputElement);
  Object.assign(learn, { checked: learnsCorrections, disabled: looking });
}

/** @type {(pixels: ?number, corrections: State["corrections"]) => string} */
function inWords(pixels, corrections) {
  if (pixels === null) return counted(corrections.filter(hasClass).length, "correction");
  return pixels ? `${counted(pixels, "pixel")} corrected` : "Nothing corrected";
}
