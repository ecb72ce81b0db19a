/* The series: files are sent one after the other, the server works on them, and what comes out is shown as it comes. */

import { facts, sessionUrl } from "../page/context.mjs";
import { byId } from "../shared/dom.mjs";
import { ask, showMessage } from "../shared/messages.mjs";
import { isBusy, pause, reasonOf, retryAfter } from "../shared/requests.mjs";
import { inOrderOfNames, megabytes } from "../shared/text.mjs";
import { ClassifierNow } from "./classifiernow.mjs";
import { isForSeries } from "./dropped.mjs";
import { filePicker } from "./pickers.mjs";
import { SeriesCard } from "./seriescard.mjs";
import { SeriesView } from "./seriesview.mjs";

/** @import { PixelSize } from "../page/lengths.mjs" */
/** @import { Session } from "../session/session.mjs" */
/** @import { NamedFile } from "./dropped.mjs" */
/** @import { Now } from "../page/seriesrows.mjs" */
/** @import { SeriesFacts } from "./seriescard.mjs" */

/** @typedef {{name?: string, reason: string}} Refusal of a file, or of all */

const LOOK_MS = 1500;
const HIDDEN_LOOK_MS = 10 * LOOK_MS;
const ATTEMPTS = 8;
const TOLD_AT_ONCE = 5;
const ALONE = "Open it in the session, if that takes it, and “Segment the whole image” under Take home; or take the "
  + "classifier home, for “squiggle apply” in a shell.";
const NOT_READY = "Draw in two classes, or open a classifier, first.";
const AWAY = "The server does not answer. What was sent is safe; try again in a moment.";

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

export class Series {
  /**
   * @param {Session} session
   * @param {(image: import("./images.mjs").Answer) => string} take lets an image belong to the session; what to say
   */
  constructor(session, take) {
    this.session = session;
    this.take = take;
    this.url = `${sessionUrl}series`;
    /** By their ids. @type {Map<string, SeriesCard>} */
    this.cards = new Map();
    this.isShown = false;
    /** Whether there is a classifier to apply. */
    this.ready = false;
    this.sending = false;
    this.looking = false;
    /** Whether something has happened since the look of now began. */
    this.lookAgain = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    const images = this.picker({ accept: `${facts().accept},.zip` }, "Images of the series, or a zip");
    const folder = this.picker({ webkitdirectory: true }, "Folder of the series");
    /** The classifier and the corrections of the session, as results say what has made them. @type {?Now} */
    this.now = null;
    this.classifierNow = new ClassifierNow(session);
    this.typed = "[]";
    this.view = new SeriesView({ drawOn: (url) => this.drawOn(url), again: (id) => this.doAgain(id) });
    session.segmentation.whenSegmented(() => this.askForNow());
    byId("series-images").addEventListener("click", () => images.click());
    byId("series-folder").addEventListener("click", () => folder.click());
    byId("series-stop-sending").addEventListener("click", () => { this.sending = false; });
    window.addEventListener("beforeunload", (event) => { if (this.sending) event.preventDefault(); });
  }

  /**
   * @param {Record<string, any>} attributes
   * @param {string} label
   */
  picker(attributes, label) {
    return filePicker({ multiple: true, ...attributes }, label, (files) => {
      this.send(files.map((file) => ({ file, name: file.webkitRelativePath || file.name })));
    });
  }

  /** @param {Map<string, PixelSize>} sizes of pixels that were typed */
  measure(sizes) {
    const typed = JSON.stringify([...sizes]);
    if (typed !== this.typed) this.askForNow();
    this.typed = typed;
  }

  /** @param {boolean} ready whether there is a classifier to apply */
  enable(ready) {
    this.ready = ready;
    const closed = !ready || this.sending;
    byId("series-images", HTMLButtonElement).disabled = closed;
    byId("series-folder", HTMLButtonElement).disabled = closed;
    byId("series-hint").textContent = ready ? "" : NOT_READY;
  }

  /** @param {boolean} isShown whether the tab of the series is open */
  show(isShown) {
    this.isShown = isShown;
    if (!isShown) return;
    this.look();
    this.askForNow();
  }

  /** Learn what the session has now, so that it is seen which results are out of date. */
  async askForNow() {
    if (!this.isShown || ![...this.cards.values()].some(({ ended }) => ended > 0)) return;
    const now = await this.classifierNow.ask(this.session.imageHash);
    if (!now) return;
    this.now = now;
    for (const card of this.cards.values()) card.showStale(this.now);
  }

  /** @param {string} id */
  async doAgain(id) {
    await this.session.conversation.settled();
    const body = JSON.stringify({ image: this.session.imageHash });
    await this.act(`/${id}/again`, "POST", { body, headers: { "Content-Type": "application/json" } });
    this.askForNow();
  }

  /** @param {string} problem */
  say(problem) {
    byId("series-problem").textContent = problem;
  }

  /* ---- what is sent ------------------------------------------------------------------------------------------ */

  /**
   * Send what was dropped, where that can be done.
   * @param {NamedFile[]} dropped
   */
  drop(dropped) {
    if (!this.ready) this.say(NOT_READY);
    else if (this.sending) this.say("Files are being sent: drop more once they are there.");
    else this.send(dropped);
  }

  /** @param {NamedFile[]} chosen */
  async send(chosen) {
    const files = inOrderOfNames(chosen.filter(isForSeries));
    this.say(files.length || !chosen.length ? "" : "There is no image among these files.");
    if (!files.length) return;
    this.sending = true;
    this.enable(this.ready);
    byId("series-sending").hidden = false;
    const refused = await this.sendAll(files);
    this.sending = false;
    byId("series-sending").hidden = true;
    this.enable(this.ready);
    const told = refused.slice(0, TOLD_AT_ONCE).map(({ name, reason }) => (name ? `“${name}”: ${reason}` : reason));
    if (refused.length > TOLD_AT_ONCE) told.push(`And ${refused.length - TOLD_AT_ONCE} more.`);
    this.say(told.join(" "));
    this.look();
  }

  /**
   * Make a series of files, in their order.
   * @param {NamedFile[]} files
   * @returns {Promise<Refusal[]>}
   */
  async sendAll(files) {
    /** @type {Refusal[]} */
    const refused = [];
    try {
      await this.session.conversation.settled();
      const body = JSON.stringify({ image: this.session.imageHash });
      const { series, error } = await this.ask("", { body, headers: { "Content-Type": "application/json" } });
      if (error) return [{ reason: error }];
      for (const [index, { file, name }] of files.entries()) {
        if (!this.sending) break;
        byId("series-sending-text").textContent = `Sending ${index + 1} of ${files.length}: ${name}`;
        refused.push(...await this.sendFile(series, file, name));
        this.look();
      }
    } catch (error) {
      refused.push({ reason: messageOf(error) });
    }
    return refused;
  }

  /**
   * @param {string} series
   * @param {File} file
   * @param {string} name
   * @returns {Promise<Refusal[]>}
   */
  async sendFile(series, file, name) {
    const limit = facts().maxUploadBytes;
    if (file.size > limit) {
      return [{ name, reason: `It has more than the ${megabytes(limit)} that this server takes at once. ${ALONE}` }];
    }
    const answer = await this.ask(`/${series}/files?name=${encodeURIComponent(name)}`, { body: file });
    return answer.error ? [{ name, reason: answer.error }] : answer.refused;
  }

  /**
   * Ask the server; one that is busy or away is asked again after a while.
   * @param {string} path below the series'
   * @param {RequestInit} [options]
   * @returns {Promise<any>} its answer, or {error}
   */
  async ask(path, options) {
    for (let attempt = 1; ; attempt += 1) {
      /** @type {?Response} */
      let response = null;
      try {
        response = await fetch(`${this.url}${path}`, { method: "POST", ...options });
      } catch {
        /* The server is away: it is asked again below. */
      }
      if (response?.ok) return response.json();
      if (response && !isBusy(response)) return { error: await reasonOf(response) };
      if (attempt === ATTEMPTS) throw new Error(AWAY);
      await pause(retryAfter(response, attempt));
    }
  }

  /* ---- what is shown ----------------------------------------------------------------------------------------- */

  async look() {
    clearTimeout(this.timer);
    this.lookAgain = true;
    if (this.looking || !(this.isShown || this.sending)) return;
    this.looking = true;
    this.lookAgain = false;
    try {
      const response = await fetch(this.url);
      if (response.ok) await this.update((await response.json()).series);
    } catch {
      /* The server is away: the next look may find it. */
    }
    this.looking = false;
    if (this.lookAgain) {
      this.look();
      return;
    }
    const moving = this.sending || [...this.cards.values()].some((card) => card.unfinished && card.running);
    if (moving) this.timer = setTimeout(() => this.look(), document.hidden ? HIDDEN_LOOK_MS : LOOK_MS);
  }

  /** @param {SeriesFacts[]} series the newest first */
  async update(series) {
    const ids = new Set(series.map(({ id }) => id));
    for (const [id, card] of this.cards) {
      if (!ids.has(id)) {
        card.root.remove();
        this.cards.delete(id);
      }
    }
    for (const one of series.toReversed()) {
      const card = this.card(one);
      card.update(one);
      if (!card.isUpToDate(one)) {
        const response = await fetch(`${this.url}/${one.id}`);
        if (!response.ok) continue;
        card.update(await response.json());
        card.showStale(this.now);
        if (this.view.shows(one.id)) this.view.update(card, this.now);
      }
    }
    if (this.now === null) this.askForNow();
  }

  /**
   * The card of a series, new if need be.
   * @param {SeriesFacts} series
   */
  card(series) {
    const { id } = series;
    const known = this.cards.get(id);
    if (known) return known;
    const card = new SeriesCard(series, `${this.url}/${id}`, {
      run: (one, what) => this.act(`/${one}/${what}`),
      remove: (one) => this.remove(one),
      open: (one, number) => this.open(one, number),
      again: (one) => this.doAgain(one),
      drawOn: (url) => this.drawOn(url),
    });
    this.cards.set(id, card);
    byId("series-list").prepend(card.root);
    return card;
  }

  /**
   * @param {string} path
   * @param {string} [method]
   * @param {RequestInit} [options]
   */
  async act(path, method = "POST", options = {}) {
    this.say("");
    try {
      const { error } = await this.ask(path, { method, ...options });
      if (error) this.say(error);
    } catch (error) {
      this.say(messageOf(error));
    }
    this.look();
  }

  /** @param {string} id */
  async remove(id) {
    const question = "Delete this series with its images and results? This cannot be undone.";
    if (await ask(question, "Delete")) this.act(`/${id}`, "DELETE");
  }

  /**
   * Show a series large.
   * @param {SeriesCard} card
   * @param {number} [number] of the file whose picture is to be seen
   */
  async open(card, number) {
    this.view.open(card, this.now, number);
    await this.askForNow();
    if (this.view.shows(card.id)) this.view.update(card, this.now);
  }

  /**
   * Let an image of a series be one of the session, and show it.
   * @param {string} url that opens it
   */
  async drawOn(url) {
    try {
      const { error, ...image } = await this.ask(url.slice(this.url.length), { method: "POST" });
      if (error) this.say(error);
      else showMessage(this.take(image));
    } catch (error) {
      this.say(messageOf(error));
    }
  }
}
