/* The session in the head of the page: its name, and the menu of what can be done with it as a whole. */

import { base } from "../shared/base.mjs";
import { all, byId, element } from "../shared/dom.mjs";
import { duplicateSession, exportSession, goTo, newSession } from "../shared/sessions.mjs";

/** @import { Session } from "../session/session.mjs" */

/** @param {Session} session */
function setUpName(session) {
  const field = element("input", {
    id: "session-name", type: "text", maxLength: 100, placeholder: "Untitled session",
    "aria-label": "Name of the session", title: "Name this session", spellcheck: "false", autocomplete: "off",
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") field.value = field.dataset.kept ?? "";
      if (event.key === "Escape" || event.key === "Enter") field.blur();
      event.stopPropagation();
    },
    onchange: () => session.rename(field.value.trim()),
  });
  byId("session-title").append(field);
}

/**
 * Move the focus along the entries of a menu.
 * @param {HTMLElement} menu
 * @param {KeyboardEvent} event
 */
function moveInMenu(menu, event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    const items = all("[role=menuitem]", menu);
    const focused = items.findIndex((item) => item === document.activeElement);
    items[(focused + step + items.length) % items.length].focus();
    event.preventDefault();
  }
  event.stopPropagation();
}

/** @param {Record<string, () => void>} entries what the entries do, by their ids */
function setUpMenu(entries) {
  const menu = byId("session-menu");
  const button = byId("session-menu-button", HTMLButtonElement);
  menu.popover = "auto";
  button.popoverTargetElement = menu;
  menu.addEventListener("toggle", ({ newState }) => {
    button.setAttribute("aria-expanded", String(newState === "open"));
    if (newState === "open") all("[role=menuitem]", menu)[0].focus();
  });
  menu.addEventListener("beforetoggle", () => {
    const box = button.getBoundingClientRect();
    Object.assign(menu.style, { top: `${box.bottom + 4}px`, right: `${window.innerWidth - box.right}px` });
  });
  menu.addEventListener("keydown", (event) => moveInMenu(menu, event));
  for (const [id, run] of Object.entries(entries)) {
    byId(id).addEventListener("click", () => {
      menu.hidePopover();
      run();
    });
  }
}

/** Set up the dialog with the session's link; gives the function that opens it. */
function setUpLink() {
  const dialog = byId("link", HTMLDialogElement);
  const field = element("input", { type: "text", readOnly: true, "aria-label": "Link", onfocus: () => field.select() });
  byId("link-field").append(field);
  const copy = byId("link-copy");
  copy.addEventListener("click", async () => {
    field.select();
    /* Browsers keep the clipboard from pages without TLS; the older way works there too. */
    const copied = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
    copy.textContent = copied || document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
  });
  byId("link-close").addEventListener("click", () => dialog.close());
  return () => {
    [field.value] = window.location.href.split(/[?#]/);
    copy.textContent = "Copy";
    dialog.showModal();
    field.select();
  };
}

/** @param {Session} session */
async function duplicate(session) {
  const made = await duplicateSession(session.id);
  if (made) goTo(made.session);
}

/** @param {Session} session */
export function setUpTitle(session) {
  setUpName(session);
  /** @type {(work: () => void) => () => Promise<void>} */
  const onceAllIsSent = (work) => async () => {
    await session.conversation.settled();
    work();
  };
  setUpMenu({
    "all-sessions": () => window.location.assign(`${base}sessions`),
    "new-session": newSession,
    "duplicate-session": onceAllIsSent(() => duplicate(session)),
    "export-session": onceAllIsSent(() => exportSession(session.id)),
    "copy-link": setUpLink(),
  });
}
