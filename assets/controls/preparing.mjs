/* Large images that the server prepares for view, which may take its time: how far that is, and a button to end it. */

import { looking, sessionUrl } from "../page/context.mjs";
import { announce } from "../page/status.mjs";
import { base } from "../shared/base.mjs";
import { byId, element } from "../shared/dom.mjs";
import { showMessage } from "../shared/messages.mjs";
import { isBusy, pause, reasonOf, request, retryAfter } from "../shared/requests.mjs";

/** @import { ImageFacts } from "../journal/state.mjs" */
/** @import { Session } from "../session/session.mjs" */

/**
 * @typedef {object} Prepared an image that is prepared, as the server tells of it
 * @property {string} hash
 * @property {string} name
 * @property {number} part that is done, from 0 to 1
 * @property {string} reason why it cannot be; empty otherwise
 * @property {boolean} done
 * @property {boolean} [waits] whether it did not go on just now, and is tried again in a while
 * @property {string} [hindrance] why that is, if there is something to tell
 */

/** @typedef {{root: HTMLElement, text: HTMLElement, progress: HTMLProgressElement}} Row */

/** What lies below this session, as a path below the application's. */
const OF_SESSION = sessionUrl.slice(base.length);

const LOOK_SECONDS = 1;
const HIDDEN_LOOK_SECONDS = 10;

export class Preparing {
  /**
   * @param {Session} session
   * @param {(image: ImageFacts, turn: boolean) => void} onPrepared lets an image belong to the session, and turns to it
   */
  constructor(session, onPrepared) {
    this.session = session;
    this.onPrepared = onPrepared;
    this.list = byId("preparing");
    /** Of images that are awaited here, by their hashes: what was seen when that began. @type {Map<string, string>} */
    this.awaited = new Map();
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    this.isLooking = false;
    this.resume();
  }

  /** Await what was awaited when the page was left. */
  async resume() {
    const { conversation } = this.session;
    while (!conversation.journal.length && !conversation.gone) await pause(LOOK_SECONDS / 10);
    if (conversation.gone) return;
    let images = await this.ask();
    while (!images && !conversation.gone) {
      await pause(LOOK_SECONDS);
      images = await this.ask();
    }
    for (const one of images ?? []) if (!one.done || !this.isOpen(one.hash)) this.awaited.set(one.hash, this.seen);
    if (this.awaited.size) this.look();
  }

  /**
   * Await an image that was sent.
   * @param {{hash: string, name: string}} image
   */
  watch({ hash, name }) {
    this.awaited.set(hash, this.seen);
    this.show([{ hash, name, part: 0, reason: "", done: false }]);
    this.look();
  }

  /** What a person is at: turning to another image would disturb who has gone on since. */
  get seen() {
    const { imageHash, state } = this.session;
    return `${imageHash} ${state.strokes.length}`;
  }

  /**
   * Whether the session has an image, or had it.
   * @param {string} hash
   */
  isOpen(hash) {
    return this.session.conversation.events.some(({ image }) => image?.hash === hash);
  }

  /** @returns {Promise<Prepared[] | null>} null if the server does not answer */
  async ask() {
    try {
      const response = await fetch(`${sessionUrl}preparing`);
      return response.ok ? (await response.json()).images : null;
    } catch {
      return null;
    }
  }

  /** Ask how far it is until nothing is awaited any more. */
  async look() {
    if (this.isLooking) return;
    this.isLooking = true;
    while (this.awaited.size) {
      const images = await this.ask();
      if (images) await this.take(images.filter(({ hash }) => this.awaited.has(hash)));
      if (this.awaited.size) await pause(document.hidden ? HIDDEN_LOOK_SECONDS : LOOK_SECONDS);
    }
    this.isLooking = false;
  }

  /** @param {Prepared[]} images that are awaited, and there still */
  async take(images) {
    for (const hash of this.awaited.keys()) if (!images.some((one) => one.hash === hash)) this.end(hash);
    this.show(images);
    for (const one of images.filter(({ done, reason }) => done || reason)) {
      if (!this.awaited.has(one.hash)) continue;
      if (one.done) await this.open(one);
      else await this.giveUp(one);
    }
  }

  /** @param {Prepared} image that is done */
  async open({ hash, name }) {
    const seen = this.awaited.get(hash);
    if (looking || this.isOpen(hash)) {
      this.end(hash);
      /* It came with a session, and could not be seen until now. */
      if (this.isOpen(hash)) window.location.reload();
      return;
    }
    const { error, ...image } = await this.facts(hash) ?? {};
    if (!this.awaited.has(hash) || !(error || image.hash)) return;
    this.end(hash);
    if (error) showMessage(`“${name}” was not opened. ${error}`);
    else this.onPrepared(image, seen === this.seen);
  }

  /**
   * The facts of an image that is done, or why there are none.
   * @param {string} hash
   * @returns {Promise<any>} null after a while if it does not come just now
   */
  async facts(hash) {
    let response = null;
    try {
      response = await fetch(`${sessionUrl}preparing/${hash}`);
      if (response.ok) return await response.json();
      if (!isBusy(response)) return { error: await reasonOf(response) };
    } catch { /* The server does not answer. */ }
    await pause(retryAfter(response, LOOK_SECONDS));
    return null;
  }

  /** @param {Prepared} image that cannot be prepared */
  async giveUp({ hash, name, reason }) {
    this.end(hash);
    showMessage(`“${name}” was not opened. ${reason}`);
    if (!looking) await this.forget(hash);
  }

  /**
   * @param {string} hash
   * @param {string} name
   */
  cancel(hash, name) {
    announce(`Cancelled: “${name}” is not opened.`);
    return this.forget(hash);
  }

  /** @param {string} hash */
  async forget(hash) {
    this.end(hash);
    await request(`${OF_SESSION}preparing/${hash}`, { method: "DELETE" });
  }

  /** @param {string} hash of what is not awaited any more */
  end(hash) {
    this.awaited.delete(hash);
    this.rows.get(hash)?.root.remove();
    this.rows.delete(hash);
    this.list.hidden = !this.rows.size;
  }

  /** @param {Prepared[]} images */
  show(images) {
    for (const { hash, name, part, waits, hindrance } of images) {
      const row = this.rows.get(hash) ?? this.addRow(hash, name);
      row.progress.value = part;
      const far = `Preparing “${name}” for view: ${Math.floor(100 * part)} %`;
      row.text.textContent = hindrance ? `${far}. ${hindrance}` : waits ? `${far}, tried again in a minute` : far;
      row.text.classList.toggle("told", Boolean(hindrance));
    }
    this.list.hidden = !this.rows.size;
  }

  /**
   * @param {string} hash
   * @param {string} name
   * @returns {Row}
   */
  addRow(hash, name) {
    const text = element("span", { class: "background-text" });
    const progress = element("progress", { max: 1, value: 0, "aria-label": `Preparing ${name}` });
    const cancel = element("button", {
      type: "button", class: "quiet small", title: "End this: the image is not opened", hidden: looking,
      onclick: () => this.cancel(hash, name),
    }, "Cancel");
    const root = element("li", {}, text, progress, cancel);
    const row = { root, text, progress };
    this.rows.set(hash, row);
    this.list.append(root);
    return row;
  }
}
