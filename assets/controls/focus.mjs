/* The focus: what was clicked gives it back, so that keys act on the image; what Tab has reached keeps it. */

import { byId, targetOf } from "../shared/dom.mjs";

/** @import { Session } from "../session/session.mjs" */

const PRESSED = "button, summary, a, select, [role=radio], [role=tab], "
  + "input:is([type=checkbox], [type=radio], [type=color], [type=file])";
/* Among radio buttons and tabs the arrow keys move on. */
const GIVE_BACK = "button:not([role=radio], [role=tab]), summary, input:is([type=checkbox], [type=radio], [type=file])";

let byKeyboard = false;

function giveBack() {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

/**
 * Whether Space presses what has the focus: somebody has moved the focus there with the keyboard.
 * @param {Element} focused
 */
export function isToBePressed(focused) {
  return byKeyboard && focused.closest(PRESSED) !== null;
}

/** Whether something is open above the page that a press beside it closes: a menu, the browser's choice of colours. */
function isSomethingOpen() {
  return document.querySelector("[popover]:popover-open") !== null
    || document.activeElement?.matches("input[type=color]") === true;
}

/** @param {Session} session */
export function setUpFocus({ viewport }) {
  document.addEventListener("keydown", ({ key }) => { if (key === "Tab") byKeyboard = true; }, { capture: true });
  document.addEventListener("pointerdown", (event) => {
    byKeyboard = false;
    viewport.dismissing = isSomethingOpen();
    if (byId("stage").contains(targetOf(event))) giveBack();
  }, { capture: true });
  document.addEventListener("change", ({ target }) => {
    const colour = target instanceof HTMLInputElement && target.type === "color";
    if (colour || (!byKeyboard && target instanceof HTMLSelectElement)) target.blur();
  });
  document.addEventListener("click", () => {
    const focused = document.activeElement;
    if (!byKeyboard && focused?.matches(GIVE_BACK) && !focused.closest("dialog, [popover]")) giveBack();
  });
}
