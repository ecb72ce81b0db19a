/* What is said to a person above the page, and what is asked. */

import { byId, element } from "./dom.mjs";

const MESSAGE_MS = 12000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Say something; without a button it goes by itself.
 * @param {string} text
 * @param {?{label: string, run: () => void}} [action] what its button says and does
 */
export function showMessage(text, action = null) {
  const message = byId("message");
  message.replaceChildren(text);
  if (action) message.append(element("button", { type: "button", onclick: action.run }, action.label));
  message.classList.add("visible");
  clearTimeout(timer);
  if (!action) timer = setTimeout(hideMessage, MESSAGE_MS);
}

/** Take the message away. */
export function hideMessage() {
  byId("message").classList.remove("visible");
}

/**
 * Ask whether something is to be done; who only presses Enter deletes nothing.
 * @param {string} text
 * @param {string} yes what the button says that agrees
 * @param {?HTMLElement} [other] something else that can be done about it, which closes the dialog `#question`
 * @param {boolean} [deletes] whether that deletes something, or cannot be undone
 * @returns {Promise<boolean>} whether the answer was yes
 */
export function ask(text, yes, other = null, deletes = true) {
  return new Promise((resolve) => {
    const dialog = byId("question", HTMLDialogElement);
    byId("question-text").replaceChildren(text, ...(other ? [other] : []));
    const agree = byId("question-yes");
    agree.textContent = yes;
    agree.classList.toggle("danger", deletes);
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
    (deletes ? byId("question-no") : agree).focus();
  });
}
