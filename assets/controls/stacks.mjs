/* Segmenting all planes of the stack that is shown, as one TIFF. */

import { sessionUrl } from "../page/context.mjs";
import { announce } from "../page/status.mjs";
import { byId, element, saveFile } from "../shared/dom.mjs";
import { jsonLines } from "../shared/lines.mjs";
import { showMessage } from "../shared/messages.mjs";
import { AWAY, reasonOf } from "../shared/requests.mjs";

/** @import { Stack } from "../journal/stacks.mjs" */
/** @import { Session } from "../session/session.mjs" */

/**
 * The bytes that base64 stands for.
 * @param {string} text
 */
const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** Segments stacks, one at a time. */
export class StackSegmenter {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.button = byId("segment-planes", HTMLButtonElement);
    /** What is under way: aborts it. @type {?AbortController} */
    this.running = null;
    this.button.addEventListener("click", () => (this.running ? this.cancel() : this.run()));
  }

  /** @param {boolean} result whether there is something to segment with */
  enable(result) {
    this.button.disabled = !result && !this.running;
  }

  cancel() {
    this.running?.abort();
    this.running = null;
    announce("Segmenting the stack was cancelled.");
    this.showIdle();
  }

  async run() {
    const { session } = this;
    const running = new AbortController();
    this.running = running;
    this.say(0, 0);
    try {
      await session.conversation.settled();
      const { stack } = session.planes;
      const problem = stack && await this.fetchAll(stack, running.signal);
      if (problem) showMessage(problem);
    } catch {
      if (this.running === running) showMessage(AWAY);
    }
    if (this.running !== running) return;
    this.running = null;
    this.showIdle();
  }

  /**
   * @param {Stack} stack
   * @param {AbortSignal} signal
   * @returns {Promise<string>} what is to be said
   */
  async fetchAll(stack, signal) {
    const response = await fetch(`${sessionUrl}download/planes?image=${this.session.imageHash}`, { signal });
    if (!response.ok || !response.body) return reasonOf(response);
    /** @type {Uint8Array<ArrayBuffer>[]} */
    const parts = [];
    for await (const { done, of: total, part, notes, error } of jsonLines(response.body)) {
      if (error) return error;
      if (part) parts.push(bytesOf(part));
      else if (notes) return this.save(stack, parts, notes);
      else this.say(done, total);
    }
    return AWAY;
  }

  /**
   * @param {Stack} stack
   * @param {Uint8Array<ArrayBuffer>[]} parts
   * @param {string[]} notes
   */
  save({ name, planes }, parts, notes) {
    const file = `${name.replace(/\.[^.]*$/, "")}-segmentation.tif`;
    saveFile(new Blob(parts, { type: "image/tiff" }), file);
    announce(`All ${planes.length} planes are in your downloads: “${file}”.`);
    return notes.length ? `${notes.join(" ")} Their pages hold 0.` : "";
  }

  /**
   * @param {number} done
   * @param {number} total
   */
  say(done, total) {
    const { button } = this;
    button.textContent = total ? `Cancel (${done} of ${total})` : "Cancel";
    button.style.setProperty("--done", String(total ? done / total : 0));
    button.classList.add("running");
  }

  showIdle() {
    this.button.replaceChildren("Segment all", element("span", { class: "if-room" }, " planes"));
    this.button.classList.remove("running");
  }
}
