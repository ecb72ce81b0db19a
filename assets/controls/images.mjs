/* Opening image files, one after the other. */

import { facts, sessionUrl } from "../page/context.mjs";
import { showStatus, waitFor } from "../page/status.mjs";
import { byId } from "../shared/dom.mjs";
import { hideMessage, showMessage } from "../shared/messages.mjs";
import { isBusy, pause, reasonOf, retryAfter } from "../shared/requests.mjs";
import { importSession } from "../shared/sessions.mjs";
import { counted, inOrderOfNames, megabytes } from "../shared/text.mjs";
import { filePicker } from "./pickers.mjs";

/** @import { ImageFacts } from "../journal/state.mjs" */
/** @import { Session } from "../session/session.mjs" */

/** @typedef {ImageFacts & {error?: string, notes?: string[]}} Answer an image's facts, or why it was not opened */

/**
 * @typedef {object} Outcome of sending several images
 * @property {ImageFacts[]} opened
 * @property {{name: string, error: string}[]} failed
 * @property {Set<string>} notes what is to be said of those that were opened
 * @property {File[]} unsent left over when the server ceased to answer
 */

const NOT_SENT = "could not be sent: the server does not answer. Try again in a moment.";
const ATTEMPTS = 6;
const TOLD_AT_ONCE = 3;

/**
 * Send an image file; a busy server is asked again after a while.
 * @param {File} file
 * @returns {Promise<Answer | {error: string, notes?: undefined}>}
 */
async function send(file) {
  const limit = facts().maxUploadBytes;
  if (file.size > limit) {
    return { error: `It has ${megabytes(file.size)}; this server takes at most ${megabytes(limit)}.` };
  }
  const url = `${sessionUrl}images?name=${encodeURIComponent(file.name)}`;
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(url, { method: "POST", body: file });
    if (response.ok) return response.json();
    if (!isBusy(response) || attempt === ATTEMPTS) return { error: await reasonOf(response) };
    await pause(retryAfter(response, 1));
  }
}

/**
 * @param {Outcome["failed"]} failed
 * @param {number} total
 */
function sayWhatFailed(failed, total) {
  const [first] = failed;
  if (total === 1) {
    showMessage(`“${first.name}” was not opened. ${first.error}`);
    return;
  }
  const told = failed.slice(0, TOLD_AT_ONCE).map(({ name, error }) => `“${name}”: ${error}`).join(" ");
  const more = failed.length > TOLD_AT_ONCE ? ` And ${failed.length - TOLD_AT_ONCE} more.` : "";
  showMessage(`${failed.length} of ${total} files were not opened. ${told}${more}`);
}

/** @param {File[]} unsent */
function sayWhatIsUnsent([first, ...rest]) {
  showMessage(`“${first.name}”${rest.length ? ` and ${rest.length} more` : ""} ${NOT_SENT}`);
  showStatus("What was there before is still here.", null);
}

/** Opens image files in a session. */
export class ImageOpener {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** Resolves when all files are sent that were chosen before. @type {Promise<void>} */
    this.opening = Promise.resolve();
    const attributes = { id: "image-file", multiple: true, accept: facts().accept };
    const picker = filePicker(attributes, "Image files", (files) => this.open(files));
    byId("open-image").addEventListener("click", () => picker.click());
  }

  /**
   * Open image files, one after the other in the order of their names; the first is shown. The file of a session
   * becomes a session of its own.
   * @param {File[]} files
   */
  open(files) {
    const session = files.find((file) => file.name.endsWith(facts().sessionSuffix));
    if (session) {
      importSession(session, showStatus);
      return;
    }
    const inOrder = inOrderOfNames(files);
    if (inOrder.length) this.opening = this.opening.then(() => this.openAll(inOrder));
  }

  /** @param {File[]} files */
  async openAll(files) {
    hideMessage();
    const { opened, failed, notes, unsent } = await this.sendAll(files);
    if (unsent.length) {
      sayWhatIsUnsent(unsent);
      return;
    }
    this.sayWhatOpened(opened, files.length);
    if (failed.length) sayWhatFailed(failed, files.length);
    else if (notes.size) showMessage([...notes].join(" "));
  }

  /**
   * @param {File[]} files
   * @returns {Promise<Outcome>}
   */
  async sendAll(files) {
    /** @type {Outcome} */
    const outcome = { opened: [], failed: [], notes: new Set(), unsent: [] };
    await waitFor(async (say) => {
      for (const [index, file] of files.entries()) {
        const which = files.length > 1 ? `image ${index + 1} of ${files.length}: ` : "";
        say(`Opening ${which}${file.name}…`, index / files.length);
        try {
          const { error, notes = [], ...image } = await send(file);
          if (error) outcome.failed.push({ name: file.name, error });
          else this.add(/** @type {ImageFacts} */ (image), notes, outcome);
        } catch {
          outcome.unsent = files.slice(index);
          return;
        }
      }
    });
    return outcome;
  }

  /**
   * @param {ImageFacts} image
   * @param {string[]} notes
   * @param {Outcome} outcome
   */
  add(image, notes, outcome) {
    const left = this.session.images.add(image, !outcome.opened.length);
    if (left) outcome.notes.add(left);
    outcome.opened.push(image);
    for (const note of notes) outcome.notes.add(note);
  }

  /**
   * @param {ImageFacts[]} opened
   * @param {number} total
   */
  sayWhatOpened(opened, total) {
    if (!opened.length) showStatus("The image before is still here.", null);
    else if (total > 1) {
      showStatus(`Opened ${opened.length} images: the strip below the image moves between them.`, null);
    } else {
      const drawn = this.session.state.strokes.length;
      const next = drawn
        ? `You have drawn on it before: ${counted(drawn, "stroke")}.`
        : "Draw a squiggle in each of two classes.";
      showStatus(`Opened ${opened[0].name}. ${next}`, null);
    }
  }
}
