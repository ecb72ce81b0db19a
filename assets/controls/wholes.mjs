/* Whole images that are segmented in the background: how far that is, wherever one is, and that it has ended. */

import { sessionUrl } from "../page/context.mjs";
import { announce } from "../page/status.mjs";
import { byId, element } from "../shared/dom.mjs";
import { pause } from "../shared/requests.mjs";

/** @import { Session } from "../session/session.mjs" */

/**
 * @typedef {object} WholeImage an image that is segmented as a whole, or was, as the server tells of it
 * @property {string} image its hash
 * @property {string} state waiting, working, done or failed
 * @property {boolean} running whether it is worked on, and not cancelled
 * @property {number} part that is done, from 0 to 1
 * @property {string} reason why it failed, or does not go on just now
 */

/**
 * @typedef {{root: HTMLElement, lead: HTMLElement, progress: HTMLElement, close: HTMLElement, waits: boolean}} Row
 */

const LOOK_MS = 2000;
const HIDDEN_LOOK_MS = 5 * LOOK_MS;

/** @param {WholeImage} one */
const isUnderWay = ({ state, running }) => running && (state === "waiting" || state === "working");

export class Wholes {
  /**
   * @param {Session} session
   * @param {() => void} lead shows what is known of all of the image that is shown
   * @param {(image: string, part: number) => void} onPart so much of an image is done, as was seen now
   */
  constructor(session, lead, onPart) {
    this.onPart = onPart;
    this.session = session;
    this.lead = lead;
    this.list = byId("wholes");
    /** By the hashes of the images. @type {Map<string, Row>} */
    this.rows = new Map();
    /** Looks so far: of those that overlap the last one knows what is, whichever is answered last. */
    this.looks = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.resume();
  }

  /** Look at those that were begun before, once it is known that there is such a session. */
  async resume() {
    const { conversation } = this.session;
    while (!conversation.journal.length && !conversation.gone) await pause(LOOK_MS / 10_000);
    await this.look();
  }

  /** Look how far they are, as long as one is under way. */
  async look() {
    clearTimeout(this.timer);
    if (this.session.conversation.gone) return;
    const look = ++this.looks;
    /** @type {?WholeImage[]} */
    let wholes = null;
    try {
      const response = await fetch(`${sessionUrl}wholes`);
      if (response.ok) ({ wholes } = await response.json());
    } catch { /* The server is away: the next look may find it. */ }
    if (look !== this.looks) return;
    if (wholes) this.show(wholes);
    if (wholes ? wholes.some(isUnderWay) : this.rows.size) {
      this.timer = setTimeout(() => this.look(), document.hidden ? HIDDEN_LOOK_MS : LOOK_MS);
    }
  }

  /** @param {WholeImage[]} wholes */
  show(wholes) {
    for (const image of this.rows.keys()) if (!wholes.some((one) => one.image === image)) this.forget(image);
    for (const one of wholes) {
      if (isUnderWay(one)) this.showProgress(one);
      else if (this.rows.has(one.image)) this.end(one);
    }
    this.list.hidden = !this.rows.size;
  }

  /** @param {WholeImage} one that is under way */
  showProgress({ image, part, reason }) {
    const row = this.rows.get(image) ?? this.addRow(image);
    row.waits = Boolean(reason);
    row.progress.hidden = false;
    row.close.hidden = true;
    this.hear(image, part);
    this.onPart(image, part);
  }

  /**
   * So much of an image is done, as was seen elsewhere: what is told of it is the same wherever one looks.
   * @param {string} image
   * @param {number} part
   */
  hear(image, part) {
    const row = this.rows.get(image);
    if (!row || row.progress.hidden) return;
    const far = `Segmenting all of “${this.nameOf(image)}”: ${Math.floor(100 * part)} %`;
    row.lead.textContent = row.waits ? `${far}, tried again in a minute` : far;
    row.progress.setAttribute("value", String(part));
  }

  /**
   * Say how it ended; the row stays until it is closed, so that the picture does not move by itself.
   * @param {WholeImage} one that was under way
   */
  end({ image, state, part }) {
    const row = this.rows.get(image);
    if (!row || !row.close.hidden) return;
    const name = this.nameOf(image);
    row.progress.hidden = true;
    row.close.hidden = false;
    if (state !== "done" && state !== "failed") {
      row.lead.textContent = `Segmenting all of “${name}” was cancelled at ${Math.floor(100 * part)} %`;
      return;
    }
    const isDone = state === "done";
    announce(isDone ? `All of “${name}” is segmented.` : `“${name}” was not segmented: Take home says why.`);
    row.lead.textContent = isDone ? `All of “${name}” is segmented: take it home` : `“${name}” was not segmented: why`;
  }

  /** @param {string} image */
  nameOf(image) {
    return this.session.state.images.find(({ hash }) => hash === image)?.name ?? "the image";
  }

  /** @param {string} image */
  forget(image) {
    this.rows.get(image)?.root.remove();
    this.rows.delete(image);
    this.list.hidden = !this.rows.size;
  }

  /**
   * @param {string} image
   * @returns {Row}
   */
  addRow(image) {
    const lead = element("button", {
      type: "button", class: "in-bar background-text", title: "Show it under Take home",
      onclick: () => {
        this.session.images.choose(image);
        this.lead();
      },
    });
    const progress = element("progress", { max: 1, value: 0, "aria-label": "What is segmented" });
    const close = element("button", {
      type: "button", class: "quiet small", hidden: true, onclick: () => this.forget(image),
    }, "Close");
    const root = element("li", {}, lead, progress, close);
    const row = { root, lead, progress, close, waits: false };
    this.rows.set(image, row);
    this.list.append(root);
    return row;
  }
}
