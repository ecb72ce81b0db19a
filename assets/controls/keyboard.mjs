/* The keyboard; segmentation/web/pages/layout/help.py lists the same keys for people. */

import { targetOf } from "../shared/dom.mjs";
import { toggleHelp } from "./help.mjs";

/** @import { Session } from "../session/session.mjs" */

/** @type {Record<string, string>} */
const TOOLS = { d: "squiggle", c: "closed", r: "rectangle", o: "circle", e: "erase", h: "pan" };
const KEYS_ARE_FREE = ["range", "checkbox", "radio", "color", "button"];

/** @param {Element} target */
function isTypedIn(target) {
  if (target instanceof HTMLInputElement) return !KEYS_ARE_FREE.includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
    || (target instanceof HTMLElement && target.isContentEditable);
}

/** @param {number} width */
const widthStep = (width) => (width < 10 ? 1 : width < 30 ? 2 : 5);

/** What keys do. @type {Record<string, (session: Session) => void>} */
const KEYS = {
  "[": (session) => session.setWidth(session.view.width - widthStep(session.view.width - 1)),
  "]": (session) => session.setWidth(session.view.width + widthStep(session.view.width)),
  "s": (session) => session.toggle("shown"),
  "l": (session) => session.toggle("live"),
  "+": ({ viewport }) => viewport.zoom(1.25),
  "=": ({ viewport }) => viewport.zoom(1.25),
  "-": ({ viewport }) => viewport.zoom(0.8),
  "0": ({ viewport }) => viewport.fit(),
  ",": ({ images }) => images.step(-1),
  "pageup": ({ images }) => images.step(-1),
  ".": ({ images }) => images.step(1),
  "pagedown": ({ images }) => images.step(1),
  "?": toggleHelp,
};

/**
 * @param {KeyboardEvent} event
 * @param {Session} session
 */
function withControl(event, session) {
  const key = event.key.toLowerCase();
  if (key === "y" || (key === "z" && event.shiftKey)) session.redo();
  else if (key === "z") session.undo();
  else return;
  event.preventDefault();
}

/**
 * @param {KeyboardEvent} event
 * @param {Session} session
 */
function alone(event, session) {
  const key = event.key.toLowerCase();
  if (/^[1-9]$/.test(key)) {
    const labelClass = session.state.classes[Number(key) - 1];
    if (labelClass) session.classes.choose(labelClass.id);
  } else if (Object.hasOwn(TOOLS, key)) session.chooseView({ tool: TOOLS[key] });
  else if (Object.hasOwn(KEYS, key)) KEYS[key](session);
  else if (key === "enter" && !session.view.live && !targetOf(event).closest("button, a")) session.segmentNow();
  else return;
  event.preventDefault();
}

/**
 * @param {Session} session
 * @param {boolean} held whether Space is down, so that the mouse moves the image
 */
function holdSpace({ viewport }, held) {
  viewport.spaceHeld = held;
  viewport.stage.classList.toggle("ready-to-move", held);
}

/** @param {Session} session */
export function setUpKeyboard(session) {
  document.addEventListener("keydown", (event) => {
    const target = targetOf(event);
    if (isTypedIn(target) || event.altKey) return;
    if (document.querySelector("dialog[open]")) {
      if (event.key === "?") toggleHelp();
      return;
    }
    if (event.ctrlKey || event.metaKey) withControl(event, session);
    else if (event.key === " ") {
      if (target.closest("button, [role=radio], input")) return;
      event.preventDefault();
      holdSpace(session, true);
    } else alone(event, session);
  });
  document.addEventListener("keyup", (event) => { if (event.key === " ") holdSpace(session, false); });
  window.addEventListener("blur", () => holdSpace(session, false));
}
