/* The session in the head of the page: its name, and the menu of what can be done with it as a whole. */

import { looking } from "../page/context.mjs";
import { base } from "../shared/base.mjs";
import { all, byId, element } from "../shared/dom.mjs";
import { request } from "../shared/requests.mjs";
import { duplicateSession, exportSession, goTo, newSession } from "../shared/sessions.mjs";

/** @import { Session } from "../session/session.mjs" */

const SURE = "Yes, take back";

/** In the address of a page that is to show its links, since the one that led there has just been taken back. */
const SHOW_LINKS = "#links";

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
    const items = all("[role=menuitem]", menu).filter((item) => item.getClientRects().length);
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
  all("[role=menuitem]", menu)[0].autofocus = true;
  menu.addEventListener("toggle", ({ newState }) => {
    button.setAttribute("aria-expanded", String(newState === "open"));
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

/**
 * Set up the field and the button of a link; gives the function that shows it.
 * @param {{place: string, button: string, label: string}} ids of the field's place and the button, and the field's name
 */
function setUpLink({ place, button, label }) {
  /* Of a link that is longer than the field its beginning is seen, whereto the browser does not scroll by itself. */
  const select = () => {
    field.select();
    requestAnimationFrame(() => { field.scrollLeft = 0; });
  };
  const field = element("input", { type: "text", readOnly: true, "aria-label": label, onfocus: select });
  byId(place).append(field);
  const copy = byId(button);
  copy.addEventListener("click", async () => {
    field.focus();
    select();
    /* Browsers keep the clipboard from pages without TLS; the older way works there too. */
    const copied = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
    copy.textContent = copied || document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
  });
  return (/** @type {string} */ link) => {
    field.value = link;
    copy.textContent = "Copy";
  };
}

/**
 * Set up the dialog with the session's links; gives the function that opens it.
 * @param {Session} session
 */
function setUpLinks(session) {
  const dialog = byId("link", HTMLDialogElement);
  const toWork = setUpLink({ place: "link-field", button: "link-copy", label: "Link to work here" });
  const toLook = setUpLink({ place: "looking-field", button: "looking-copy", label: "Link that only lets look" });
  const back = byId("looking-back", HTMLButtonElement);
  const workingBack = byId("link-back", HTMLButtonElement);
  const path = `s/${session.id}/looking`;
  const [here] = window.location.href.split(/[?#]/);
  /** Show the link that only lets look, a new one if there is none; gives whether there is one now. */
  const showLooking = async () => {
    const answer = looking ? { looking: session.id, mine: false } : await request(path, { method: "POST" });
    if (!answer) return false;
    toLook(here.replace(session.id, answer.looking));
    for (const button of [back, workingBack]) button.hidden = !answer.mine;
    return true;
  };
  byId("link-close").addEventListener("click", () => dialog.close());
  back.addEventListener("click", async () => {
    if (await request(path, { method: "DELETE" }) && await showLooking()) back.textContent = "Taken back";
  });
  workingBack.addEventListener("click", async () => {
    /* Whoever works here with this link stands before a closed door then: once is not enough. */
    if (workingBack.textContent !== SURE) {
      workingBack.textContent = SURE;
      return;
    }
    await session.conversation.settled();
    const taken = await request(`s/${session.id}/link`, { method: "DELETE" });
    if (taken) window.location.replace(`${here.replace(session.id, taken.session)}${SHOW_LINKS}`);
  });
  byId("log", HTMLAnchorElement).href = `${base}s/${session.id}/download/log.csv`;
  const open = async () => {
    for (const button of [back, workingBack]) button.textContent = "Take back";
    toWork(here);
    if (await showLooking()) dialog.showModal();
  };
  if (window.location.hash === SHOW_LINKS) {
    window.history.replaceState(null, "", here);
    open();
  }
  return open;
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
    "copy-link": setUpLinks(session),
  });
}
