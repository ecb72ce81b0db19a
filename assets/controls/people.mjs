/* One's own name, in the head of the page: others in the session see it. */

import { isNamedByServer, MAX_NAME, me, nameMe } from "../page/me.mjs";
import { byId, element } from "../shared/dom.mjs";

/** @import { Session } from "../session/session.mjs" */

/** @param {Session} session */
export function setUpPeople(session) {
  const field = element("input", {
    id: "my-name", type: "text", maxLength: MAX_NAME, placeholder: "Your name", "aria-label": "Your name",
    spellcheck: "false", autocomplete: "off", readOnly: isNamedByServer(),
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") field.value = me().name;
      if (event.key === "Escape" || event.key === "Enter") {
        /* The button has the focus then: it must not hear the key too. */
        event.preventDefault();
        form.hidePopover();
      }
      event.stopPropagation();
    },
  });
  const note = isNamedByServer()
    ? "This server knows your name. Others in this session see it."
    : "Others in this session see it, beside what you draw.";
  const form = element("div", { id: "my-name-form" }, field, element("p", { class: "note" }, note));
  form.popover = "auto";
  byId("people").append(form);
  const button = byId("me", HTMLButtonElement);
  button.popoverTargetElement = form;
  form.addEventListener("beforetoggle", ({ newState }) => {
    const box = button.getBoundingClientRect();
    Object.assign(form.style, { top: `${box.bottom + 4}px`, right: `${window.innerWidth - box.right}px` });
    if (newState === "open") field.value = me().name;
    /* Not at "toggle", which comes some time after the form is away: a page that is left before would forget. */
    else if (!isNamedByServer() && field.value.trim() !== me().name) {
      nameMe(field.value);
      session.people.show();
      session.conversation.sync();
    }
  });
  form.addEventListener("toggle", ({ newState }) => {
    if (newState === "open") field.select();
  });
  session.people.show();
}
