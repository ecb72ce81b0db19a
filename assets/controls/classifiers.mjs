/* Opening the file of a classifier. */

import { facts, sessionUrl } from "../page/context.mjs";
import { showStatus } from "../page/status.mjs";
import { hideMessage, showMessage } from "../shared/messages.mjs";
import { reasonOf } from "../shared/requests.mjs";
import { megabytes } from "../shared/text.mjs";
import { filePicker } from "./pickers.mjs";

/** @import { Session } from "../session/session.mjs" */

/** Opens the files of classifiers in a session. */
export class ClassifierOpener {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.picker = filePicker({ id: "classifier-file", accept: ".squiggle" }, "Classifier file", ([file]) => {
      if (file) this.open(file);
    });
  }

  /** Let a file be chosen. */
  choose() {
    this.picker.click();
  }

  /** @param {File} file */
  async open(file) {
    hideMessage();
    const limit = facts().maxClassifierBytes;
    if (file.size > limit) {
      const size = megabytes(file.size);
      showMessage(`“${file.name}” has ${size}; this server takes classifiers of at most ${megabytes(limit)}.`);
      return;
    }
    showStatus(`Opening ${file.name}…`, 0);
    try {
      const url = `${sessionUrl}classifiers?name=${encodeURIComponent(file.name)}`;
      const response = await fetch(url, { method: "POST", body: file });
      const answer = response.ok ? await response.json() : { error: await reasonOf(response) };
      if (answer.error) {
        showMessage(`“${file.name}” was not opened. ${answer.error}`);
        showStatus("Nothing has changed.", null);
        return;
      }
      this.session.append({ type: "classifier.open", ...answer, keep: true });
      const { pixels, strokes } = answer.classifier;
      const fixed = pixels || strokes ? "" : " It came without training pixels: your strokes cannot correct it.";
      const replaced = "its classes, strokes and settings have replaced those of this session. Undo brings them back.";
      showMessage(`“${file.name}” is open: ${replaced}${fixed}`);
    } catch {
      showMessage(`“${file.name}” could not be sent: the server does not answer. Try again in a moment.`);
      showStatus("Nothing has changed.", null);
    }
  }
}
