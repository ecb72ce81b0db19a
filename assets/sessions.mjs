/* The root of the start page: the sessions that this browser knows, as the server lists them. */

import { base } from "./shared/base.mjs";
import { byId, element, icon } from "./shared/dom.mjs";
import { ask } from "./shared/messages.mjs";
import { askAgain, request } from "./shared/requests.mjs";
import { duplicateSession, exportSession, importSession, newSession } from "./shared/sessions.mjs";
import { setUpShell } from "./shared/shell.mjs";
import { counted, whenUsed } from "./shared/text.mjs";

/**
 * @typedef {object} SessionFacts a session as the server lists it
 * @property {string} id
 * @property {string} name
 * @property {boolean} looking whether its link only lets look
 * @property {number} images how many it has
 * @property {number} strokes how many are drawn in it
 * @property {number} used when it was used last, in seconds since 1970
 * @property {?string} thumbnail hash of the image that stands for it
 */

const ICONS = {
  rename: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  duplicate: "M9 9h11v11H9zM5 15V4h11",
  export: "M12 4v11M8 11l4 4 4-4M5 20h14",
  leave: "M14 4H5v16h9M10 12h10M17 8l4 4-4 4",
  delete: "M5 7h14M10 4h4M7 7l1 13h8l1-13M10.5 10.5v6M13.5 10.5v6",
};

/** @param {SessionFacts} session */
const titleOf = (session) => session.name || "Untitled session";

/** @param {string} text */
function showProgress(text) {
  byId("start-progress").textContent = text;
}

/** @param {SessionFacts[]} sessions */
function show(sessions) {
  byId("sessions").replaceChildren(...sessions.map(row));
  byId("no-sessions").hidden = sessions.length > 0;
}

async function refresh() {
  const sessions = await request("sessions/list");
  if (sessions) show(sessions);
}

/**
 * Let the name of a session be typed in place of its title.
 * @param {SessionFacts} session
 * @param {HTMLElement} title
 */
function rename(session, title) {
  const field = element("input", {
    type: "text", class: "session-field", maxLength: 100, "aria-label": "Name of the session", value: session.name,
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") field.value = session.name;
      if (event.key === "Enter" || event.key === "Escape") field.blur();
    },
    onblur: async () => {
      const name = field.value.trim();
      field.replaceWith(title);
      if (name === session.name) return;
      const body = JSON.stringify({ name });
      const headers = { "Content-Type": "application/json" };
      if (await request(`s/${session.id}/name`, { method: "PUT", body, headers })) await refresh();
    },
  });
  title.replaceWith(field);
  field.select();
}

/** @param {SessionFacts} session */
async function duplicate(session) {
  if (await duplicateSession(session.id)) await refresh();
}

/** @param {SessionFacts} session */
async function leave(session) {
  const question = `Leave “${titleOf(session)}”? It goes from this browser’s list only: nothing is deleted, and `
    + "whoever has its link can open it. Keep the link if you want to come back.";
  if (!(await ask(question, "Leave"))) return;
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ session: session.id });
  if (await request("sessions/leave", { method: "POST", body, headers })) await refresh();
}

/** @param {SessionFacts} session */
async function remove(session) {
  const content = `${counted(session.images, "image")}, all strokes and classifiers`;
  const question = `Delete “${titleOf(session)}”? Its ${content} go, for everybody who has its link. `
    + "This cannot be undone; an exported file can be imported again.";
  if (!(await ask(question, "Delete"))) return;
  if (await request(`s/${session.id}`, { method: "DELETE" })) await refresh();
}

/** @param {SessionFacts} session */
function row(session) {
  const title = element("span", { class: "session-name" }, titleOf(session));
  const facts = [
    ...(session.looking ? ["only to look"] : []), counted(session.images, "image"),
    counted(session.strokes, "stroke"), `used ${whenUsed(session.used)}`,
  ];
  const href = `${base}s/${session.id}`;
  const picture = session.thumbnail
    ? askAgain(element("img", { src: `${href}/images/${session.thumbnail}/thumbnail`, alt: "", loading: "lazy" }))
    : element("span", { class: "no-picture" });
  /** @type {(name: keyof typeof ICONS, label: string, run: () => void) => HTMLElement} */
  const action = (name, label, run) => element(
    "button",
    { type: "button", class: "tool", title: label, "aria-label": `${label}: ${titleOf(session)}`, onclick: run },
    icon(ICONS[name]),
  );
  return element(
    "li", { class: "session", "data-id": session.id },
    element("a", { href, "aria-label": `Open ${titleOf(session)}` }, picture),
    element(
      "div", { class: "session-facts" },
      element("a", { href, tabIndex: -1 }, title),
      element("p", { class: "note" }, facts.join(" · ")),
    ),
    element(
      "div", { class: "session-actions" },
      ...(session.looking ? [] : [
        action("rename", "Rename", () => rename(session, title)),
        action("duplicate", "Duplicate", () => duplicate(session)),
      ]),
      action("export", "Export as a file", () => exportSession(session.id)),
      action("leave", "Leave: take it from this list", () => leave(session)),
      ...(session.looking ? [] : [action("delete", "Delete for everybody", () => remove(session))]),
    ),
  );
}

/** @param {string} suffix of the files of sessions */
function setUpImport(suffix) {
  const picker = element("input", { type: "file", accept: suffix, hidden: true, "aria-label": "Session file" });
  /** @param {File | undefined} file */
  const open = (file) => { if (file) importSession(file, showProgress); };
  picker.addEventListener("change", () => {
    const file = picker.files?.[0];
    picker.value = "";
    open(file);
  });
  document.body.append(picker);
  byId("import-session").addEventListener("click", () => picker.click());
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    open(event.dataTransfer?.files[0]);
  });
}

const { sessions = "[]", suffix = "" } = document.body.dataset;
setUpShell();
byId("new-session").addEventListener("click", newSession);
setUpImport(suffix);
show(JSON.parse(sessions));
/* Back from a session: the list is not what it was. */
window.addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
