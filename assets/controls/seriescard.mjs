/* One series on the page: how far it is, its pictures, its shares, and what failed. */

import { element } from "../shared/dom.mjs";
import { counted, duration, whenUsed } from "../shared/text.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */

/**
 * @typedef {object} Item an image of a series
 * @property {number} number
 * @property {string} name
 * @property {string} state waiting, working, done or failed
 * @property {Record<string, number>} pixels of the classes, once it is done
 * @property {string} reason why it failed
 * @property {string[]} notes why it may not be what was meant
 * @property {?number} trust how far the result can be trusted, from 0 to 1
 */

/** @typedef {{names: HTMLElement, first: string, more: number}} Noted the images that a sentence is about */

/**
 * @typedef {object} SeriesFacts
 * @property {string} id
 * @property {number} images how many there are, as all below
 * @property {number} done
 * @property {number} failed
 * @property {number} waiting
 * @property {number} working
 * @property {boolean} running
 * @property {?number} seconds_left
 * @property {number} created in seconds since 1970
 * @property {Item[]} [items] where all is told
 * @property {LabelClass[]} [classes] where all is told
 */

/**
 * @typedef {object} SeriesActions
 * @property {(id: string, what: "stop" | "continue") => void} run
 * @property {(id: string) => void} remove
 * @property {(name: string, url: string) => void} enlarge
 * @property {(url: string) => void} drawOn
 */

/** @type {(label: string, className: string, onclick: () => void) => HTMLButtonElement} */
const button = (label, className, onclick) => (
  element("button", { type: "button", class: `${className} small`, onclick }, label)
);

const WORST = 5;

/**
 * The images whose results are worth least, the worst first; all are known when there are few.
 * @param {Item[]} items
 */
function leastTrusted(items) {
  const known = items.filter(({ state, trust }) => state === "done" && trust !== null);
  return known.sort((a, b) => (a.trust ?? 0) - (b.trust ?? 0)).slice(0, Math.min(WORST, known.length - 1));
}

export class SeriesCard {
  /**
   * @param {SeriesFacts} facts
   * @param {string} url of the series
   * @param {SeriesActions} actions
   */
  constructor({ id }, url, actions) {
    this.url = url;
    this.actions = actions;
    /** Numbers of the images that are shown. @type {Set<number>} */
    this.shown = new Set();
    /** How many images have ended, as of when all was told last. */
    this.ended = -1;
    this.running = false;
    this.unfinished = false;
    this.head = element("b");
    this.text = element("span", { class: "note" });
    this.bar = element("progress", { max: 1, value: 0, "aria-label": "Images that are done" });
    this.stop = button("Cancel", "quiet", () => actions.run(id, this.running ? "stop" : "continue"));
    const address = { download: "", href: `${url}/results.zip` };
    this.download = element("a", { class: "button small", ...address }, "Take home (zip)");
    this.strip = element("div", { class: "series-strip" });
    this.failed = element("ul", { class: "series-failed" });
    this.notes = element("ul", { class: "series-notes" });
    /** The images that a sentence is about, by the sentence. @type {Map<string, Noted>} */
    this.noted = new Map();
    this.worst = element("div", { class: "series-worst", hidden: true });
    this.table = element("table", { class: "series-shares" });
    this.root = element(
      "article", { class: "series" }, this.head, this.bar, this.text,
      element("div", { class: "row" }, this.download, this.stop, button("Delete", "quiet", () => actions.remove(id))),
      element("div", { class: "series-details" }, this.strip, this.worst, this.failed, this.notes, this.table),
    );
  }

  /** @param {SeriesFacts} facts */
  update({ images, done, failed, running, working, waiting, seconds_left: left, created, items, classes }) {
    this.running = running;
    this.unfinished = waiting + working > 0;
    this.head.textContent = `${counted(images, "image")}, ${whenUsed(created)}`;
    this.bar.value = images ? (done + failed) / images : 0;
    const parts = [`${done} of ${images} segmented`];
    if (failed) parts.push(`${failed} failed`);
    if (this.unfinished && !running) parts.push("cancelled");
    else if (left) parts.push(`about ${duration(left)} left`);
    this.text.textContent = parts.join(", ");
    this.stop.hidden = !this.unfinished;
    this.stop.textContent = running ? "Cancel" : "Go on";
    this.download.hidden = !done;
    this.root.dataset.state = this.unfinished ? (running ? "running" : "cancelled") : "finished";
    if (!items || !classes) return;
    this.showItems(items, classes);
    this.ended = done + failed;
  }

  /**
   * @param {Item[]} items
   * @param {LabelClass[]} classes
   */
  showItems(items, classes) {
    if (!this.table.tHead) this.addHead(classes);
    for (const item of items) {
      if (this.shown.has(item.number)) continue;
      if (item.state === "done") this.addDone(item, classes);
      else if (item.state === "failed") this.addFailed(item);
      else continue;
      this.shown.add(item.number);
    }
    this.table.hidden = !this.table.tBodies[0].rows.length;
    this.showWorst(items);
  }

  /**
   * Offer the images whose results are worth least to be drawn on.
   * @param {Item[]} items
   */
  showWorst(items) {
    const worst = leastTrusted(items);
    this.worst.hidden = this.unfinished || !worst.length;
    this.worst.replaceChildren(
      element("p", { class: "note" }, "The least to be trusted: a stroke on one of them helps most."),
      ...worst.map(({ number, name, trust }) => element(
        "div", { class: "row" }, element("span", { title: name }, name),
        element("b", {}, (trust ?? 0).toFixed(2)),
        button("Draw on it", "quiet", () => this.actions.drawOn(`${this.url}/open/${number}`)),
      )),
    );
  }

  /** @param {LabelClass[]} classes */
  addHead(classes) {
    const head = this.table.createTHead().insertRow();
    head.append(element("th", {}, "Image"));
    for (const { name, colour } of classes) {
      const cell = element("th", { title: name }, name);
      cell.style.setProperty("--class-colour", colour);
      head.append(cell);
    }
    const trust = "How far the result can be trusted, from 0 to 1: how sure the votes are, and how like the image is";
    head.append(element("th", { title: trust }, "Trust"));
    this.table.createTBody();
  }

  /**
   * @param {Item} item
   * @param {LabelClass[]} classes
   */
  addDone({ number, name, pixels, notes, trust }, classes) {
    for (const note of notes) this.addNote(name, note);
    const url = `${this.url}/pictures/${number}`;
    this.strip.append(element(
      "button",
      { type: "button", title: name, "aria-label": `Enlarge ${name}`, onclick: () => this.actions.enlarge(name, url) },
      element("img", { src: url, loading: "lazy", alt: "" }),
    ));
    const row = this.table.tBodies[0].insertRow();
    row.append(element("th", { title: name, scope: "row" }, name));
    const all = Object.values(pixels).reduce((sum, one) => sum + one, 0);
    for (const { id } of classes) row.insertCell().textContent = `${((100 * (pixels[id] ?? 0)) / all).toFixed(2)} %`;
    row.insertCell().textContent = trust === null ? "" : trust.toFixed(2);
  }

  /**
   * @param {string} name of the image
   * @param {string} note
   */
  addNote(name, note) {
    const known = this.noted.get(note);
    if (!known) {
      const names = element("b", {}, name);
      this.noted.set(note, { names, first: name, more: 0 });
      this.notes.append(element("li", {}, names, ` ${note}`));
      return;
    }
    known.more += 1;
    known.names.textContent = `${known.first} and ${counted(known.more, "more image")}`;
  }

  /** @param {Item} item */
  addFailed({ name, reason }) {
    this.failed.append(element("li", {}, element("b", {}, name), ` ${reason}`));
  }
}
