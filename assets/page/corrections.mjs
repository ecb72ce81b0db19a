/* What the page shows of corrections. */

import { byId, element } from "../shared/dom.mjs";
import { counted } from "../shared/text.mjs";
import { looking } from "./context.mjs";

/** @import { State } from "../journal/state.mjs" */

/** @param {(learn: boolean) => void} onChange */
export function setUpCorrectionSwitch(onChange) {
  const change = () => onChange(learn.checked);
  const learn = element("input", { id: "learn-corrections", type: "checkbox", onchange: change });
  const title = "The classifier learns from corrections too, as from strokes";
  byId("corrections-switch").append(element("label", { title }, learn, "Learn from corrections"));
}

/**
 * @param {State} state
 * @param {boolean} corrects whether the pens paint into the result
 */
export function showCorrections({ corrections, correctionsElsewhere, learnsCorrections }, corrects) {
  const elsewhere = [...correctionsElsewhere.values()].flat().length;
  const here = corrections.length;
  byId("corrections").hidden = !corrects && !here && !elsewhere && !learnsCorrections;
  byId("corrections-text").textContent = here || elsewhere
    ? `${counted(here, "correction")} here${elsewhere ? `, ${elsewhere} on other images` : ""}: `
      + `${here + elsewhere === 1 ? "it stays" : "they stay"} whatever is learnt.`
    : "Paint where the result is wrong. What you paint stays, whatever is learnt.";
  byId("clear-corrections", HTMLButtonElement).disabled = !here || looking;
  const learn = byId("learn-corrections", HTMLInputElement);
  Object.assign(learn, { checked: learnsCorrections, disabled: looking });
}
