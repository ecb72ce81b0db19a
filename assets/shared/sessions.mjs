/* What can be done with sessions as a whole: made, copied, exported, imported. */

import { base } from "./base.mjs";
import { element } from "./dom.mjs";
import { jsonLines } from "./lines.mjs";
import { showMessage } from "./messages.mjs";
import { AWAY, reasonOf, request } from "./requests.mjs";

/**
 * Open a session.
 * @param {string} session its id
 */
export function goTo(session) {
  window.location.assign(`${base}s/${session}`);
}

/** Make a session, and open it. */
export async function newSession() {
  const made = await request("sessions", { method: "POST" });
  if (made) goTo(made.session);
}

/**
 * Make a copy of a session.
 * @param {string} session its id
 * @returns {Promise<?{session: string}>} the copy's id; null after the person was told why there is none
 */
export function duplicateSession(session) {
  return request(`s/${session}/duplicate`, { method: "POST" });
}

/**
 * Download a session as a file.
 * @param {string} session its id
 */
export function exportSession(session) {
  element("a", { href: `${base}s/${session}/file`, download: "" }).click();
}

/**
 * Make a session of a file, and open it.
 * @param {File} file
 * @param {(text: string, done: ?number) => void} progress told a text and the share that is done, null at the end
 */
export async function importSession(file, progress) {
  /** @param {string} reason */
  const failed = (reason) => {
    progress("", null);
    showMessage(`“${file.name}” was not imported. ${reason}`);
  };
  progress(`Importing ${file.name}…`, 0);
  try {
    const response = await fetch(`${base}sessions/import`, { method: "POST", body: file });
    if (!response.ok || !response.body) {
      failed(await reasonOf(response));
      return;
    }
    for await (const { error, session, done, of: total } of jsonLines(response.body)) {
      if (error) failed(error);
      else if (session) goTo(session);
      else progress(`Importing ${file.name}: image ${done + 1} of ${total}`, done / total);
    }
  } catch {
    failed(AWAY);
  }
}
