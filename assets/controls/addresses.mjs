/* Opening an image at an address, which may take its time: the page goes on meanwhile. */

import { sessionUrl } from "../page/context.mjs";
import { showStatus, waitFor } from "../page/status.mjs";
import { byId } from "../shared/dom.mjs";
import { hideMessage, showMessage } from "../shared/messages.mjs";
import { AWAY, sendPatiently } from "../shared/requests.mjs";

/** @import { ImageOpener } from "./images.mjs" */

const JSON_HEADERS = { "Content-Type": "application/json" };

/** The dialog in which an address is typed. */
export class AddressOpener {
  /** @param {ImageOpener} images shows what was opened */
  constructor(images) {
    this.images = images;
    /** Whether an address is being opened. */
    this.opening = false;
    this.dialog = byId("address", HTMLDialogElement);
    this.field = byId("address-text", HTMLInputElement);
    for (const id of ["open-address", "address-entry"]) {
      byId(id).addEventListener("click", () => {
        this.dialog.showModal();
        this.field.select();
      });
    }
    byId("address-no").addEventListener("click", () => this.dialog.close());
    this.field.addEventListener("input", () => this.say(""));
    byId("address-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.opening) this.open(this.field.value.trim());
    });
  }

  /**
   * Say something below the field.
   * @param {string} text
   * @param {boolean} [isProblem]
   */
  say(text, isProblem = false) {
    const place = byId("address-problem");
    place.textContent = text;
    place.classList.toggle("problem", isProblem);
    this.field.setAttribute("aria-invalid", String(isProblem));
  }

  /** @param {string} address */
  async open(address) {
    if (!address) {
      this.say("Type the address of an image.", true);
      return;
    }
    hideMessage();
    this.wait(true);
    this.say("Asking there… This may take a while: close this and go on meanwhile, if you like.");
    const { error, ...image } = await this.ask(address);
    this.wait(false);
    if (!error) {
      this.say("");
      this.field.value = "";
      this.dialog.close();
      this.images.show(image);
      return;
    }
    this.say(error, true);
    showStatus("What was there before is still here.", null);
    if (!this.dialog.open) showMessage(`“${address}” was not opened. ${error}`);
  }

  /** @param {boolean} opening */
  wait(opening) {
    this.opening = opening;
    this.field.readOnly = opening;
    byId("address-yes", HTMLButtonElement).disabled = opening;
    byId("address-yes").textContent = opening ? "Opening…" : "Open";
  }

  /**
   * @param {string} address
   * @returns {Promise<any>} the facts of the image, or `{error}`
   */
  async ask(address) {
    /** @type {any} */
    let answer = { error: AWAY };
    await waitFor(async (say) => {
      say(`Opening ${address}…`, 0);
      const options = { headers: JSON_HEADERS, body: JSON.stringify({ address }) };
      answer = await sendPatiently(`${sessionUrl}addresses`, options).catch(() => answer);
    });
    return answer;
  }
}
