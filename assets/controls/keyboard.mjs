/* The keyboard; segmentation/web/pages/layout/help.py lists the same keys for people. */

import { targetOf } from "../shared/dom.mjs";
import { isToBePressed } from "./focus.mjs";
import { toggleHelp } from "./help.mjs";
import { chooseTool } from "./tools.mjs";

/** @import { Session } from "../session/session.mjs" */

/** @type {Record<string, string>} */
const TOOLS = {
  d: "squiggle", c: "closed", r: "rectangle", o: "circle", i: "region", e: "erase", v: "select", h: "pan",
};
const KEYS_ARE_FREE = ["range", "checkbox", "radio", "color", "button"];

/** @param {Element} target */
function isTypedIn(target) {
  if (target instanceof HTMLInputElement) return !KEYS_ARE_FREE.includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
    || (target instanceof HTMLElement && target.isContentEditable);
}

/** What keys do. @type {Record<string, (session: Session) => void>} */
const KEYS = {
  "[": ({ brush }) => brush.step(-1),
  "]": ({ brush }) => brush.step(1),
  "delete": ({ drawing }) => drawing.selection.remove(),
  "backspace": ({ drawing }) => drawing.selection.remove(),
  "escape": ({ drawing }) => drawing.selection.select(null),
  "f2": ({ classes, view }) => classes.list.editName(view.classId),
  "s": (session) => session.toggle("shown"),
  "l": (session) => session.toggle("live"),
  "n": ({ nextStroke }) => nextStroke.go(),
  "p": ({ corrections }) => corrections.toggle(),
  "f": (session) => { if (session.view.corrects) session.chooseView({ tool: "fill" }); },
  "+": ({ viewport }) => viewport.zoom(1.25),
  "=": ({ viewport }) => viewport.zoom(1.25),
  "-": ({ viewport }) => viewport.zoom(0.8),
  "0": ({ viewport }) => viewport.fit(),
  ",": ({ images }) => images.step(-1),
  "pageup": ({ images }) => images.step(-1),
  ".": ({ images }) => images.step(1),
  "pagedown": ({ images }) => images.step(1),
  "arrowup": ({ planes }) => planes.step("z", 1),
  "arrowdown": ({ planes }) => planes.step("z", -1),
  "arrowright": ({ planes }) => planes.step("t", 1),
  "arrowleft": ({ planes }) => planes.step("t", -1),
  "k": ({ planes }) => planes.play(),
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
  /* Sliders and lists have their own use for arrows. */
  if (key.startsWith("arrow") && targetOf(event).closest("input, select, [role=radiogroup], [role=tablist]")) return;
  if (/^[1-9]$/.test(key)) {
    const labelClass = session.state.classes[Number(key) - 1];
    if (labelClass) session.classes.choose(labelClass.id);
  } else if (Object.hasOwn(TOOLS, key)) chooseTool(session, TOOLS[key]);
  else if (Object.hasOwn(KEYS, key)) KEYS[key](session);
  else if (key === "x") holdBare(session, true);
  else if (key === "enter" && !session.view.live && !targetOf(event).closest("button, a")) session.segmentNow();
  else return;
  /* Escape also closes what the browser has opened. */
  if (key !== "escape") event.preventDefault();
}

/**
 * @param {Session} session
 * @param {boolean} held whether Space is down, so that the mouse moves the image
 */
function holdSpace({ viewport }, held) {
  viewport.spaceHeld = held;
  viewport.stage.classList.toggle("ready-to-move", held);
}

/**
 * See the bare image as long as X is down.
 * @param {Session} session
 * @param {boolean} held
 */
function holdBare({ picture, view }, held) {
  picture.setView(held ? { ...view, shown: false, strokes: false, opacity: view.opacity } : view);
}

/** @param {Element} target */
function isTextTyped(target) {
  return isTypedIn(target) && !(target instanceof HTMLSelectElement)
    && !(target instanceof HTMLInputElement && target.type === "number");
}

/**
 * Space belongs to the image, whatever was clicked before; only text, and what Tab has reached, has its own use for it.
 * @param {KeyboardEvent} event
 * @param {Session} session
 */
function onSpaceDown(event, session) {
  const target = targetOf(event);
  if (event.key !== " " || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]") || isToBePressed(target)) return;
  holdSpace(session, true);
  if (isTextTyped(target)) return;
  event.preventDefault();
  event.stopPropagation();
}

/**
 * @param {KeyboardEvent} event
 * @param {Session} session
 */
function onSpaceUp(event, session) {
  if (event.key !== " ") return;
  if (session.viewport.spaceHeld && !isTextTyped(targetOf(event))) event.preventDefault();
  holdSpace(session, false);
}

/** @param {Session} session */
export function setUpKeyboard(session) {
  document.addEventListener("keydown", (event) => onSpaceDown(event, session), { capture: true });
  document.addEventListener("keyup", (event) => onSpaceUp(event, session), { capture: true });
  document.addEventListener("keydown", (event) => {
    if (isTypedIn(targetOf(event)) || event.altKey) return;
    if (document.querySelector("dialog[open]")) {
      if (event.key === "?") toggleHelp();
      return;
    }
    if (event.ctrlKey || event.metaKey) withControl(event, session);
    else alone(event, session);
  });
  document.addEventListener("keyup", ({ key }) => { if (key.toLowerCase() === "x") holdBare(session, false); });
  window.addEventListener("blur", () => {
    holdSpace(session, false);
    holdBare(session, false);
  });
}
