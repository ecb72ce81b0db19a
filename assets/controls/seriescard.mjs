/* One series on the page: how far it is, its pictures, its shares, and what failed. */

import { failuresOf, mixedUnits, outOfDate, rowsOf, staleSentences, told } from "../page/seriesrows.mjs";
import { element } from "../shared/dom.mjs";
import { counted, duration, whenUsed } from "../shared/text.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */
/** @import { Item, Now, SeriesRow } from "../page/seriesrows.mjs" */

/**
 * How far a series is.
 * @param {Pick<SeriesFacts, "images" | "done" | "failed" | "running" | "working" | "waiting" | "under_way"
 *   | "seconds_left">} facts
 */
export function progressText({ images, done, failed, running, working, waiting, under_way: part, seconds_left: left }) {
  const parts = [`${done} of ${images} segmented`];
  if (part) parts.push(`${Math.floor((100 * (done + failed + part)) / images)} % of all`);
  if (failed) parts.push(`${failed} failed`);
  if (!running && waiting + working) parts.push("cancelled");
  else if (left) parts.push(`about ${duration(left)} left`);
  else if (working) parts.push("the next is being segmented");
  if (running && waiting && !working) parts.push("it waits for its turn");
  return parts.join(", ");
}

/** @typedef {{names: HTMLElement, first: string, more: number}} Noted the images that a sentence is about */

/**
 * @typedef {object} SeriesFacts
 * @property {string} id
 * @property {number} images how many there are, as all below
 * @property {number} done
 * @property {number} failed
 * @property {number} waiting
 * @property {number} working
 * @property {number} under_way the sum of the parts that are done of those that are read part by part
 * @property {boolean} running
 * @property {?number} seconds_left
 * @property {number} created in seconds since 1970
 * @property {number} latest when the last one ended, in the same way
 * @property {string} classifier that it is done with
 * @property {Item[]} [items] where all is told
 * @property {LabelClass[]} [classes] where all is told
 */

/**
 * @typedef {object} SeriesActions
 * @property {(id: string, what: "stop" | "continue") => void} run
 * @property {(id: string) => void} remove
 * @property {(card: SeriesCard, number?: number) => void} open
 * @property {(id: string) => void} again
 * @property {(url: string) => void} drawOn
 */

/** @type {(label: string, className: string, onclick: () => void) => HTMLButtonElement} */
const button = (label, className, onclick) => (
  element("button", { type: "button", class: `${className} small`, onclick }, label)
);

const WORST = 5;
const NO_TABLE = "The zip has no table of all objects (objects.csv), since these images are in different units:";
const TYPE_SIZES = "Open an image from the results, say how large its pixels are, and do it again.";

/**
 * The images whose results are worth least, the worst first; all are known when there are few.
 * @param {SeriesRow[]} rows
 */
function leastTrusted(rows) {
  const known = rows.filter(({ image }) => image.trust !== null);
  return known.sort((a, b) => (a.image.trust ?? 0) - (b.image.trust ?? 0)).slice(0, Math.min(WORST, known.length - 1));
}

/**
 * List what failed, with the reasons.
 * @param {HTMLElement} list
 * @param {Item[]} items
 */
export function showFailures(list, items) {
  list.replaceChildren(...failuresOf(items).map(({ name, reason }) => (
    element("li", {}, element("b", {}, name), ` ${reason}`))));
}

export class SeriesCard {
  /**
   * @param {SeriesFacts} facts
   * @param {string} url of the series
   * @param {SeriesActions} actions
   */
  constructor({ id }, url, actions) {
    this.id = id;
    this.url = url;
    this.title = "";
    this.actions = actions;
    /** @type {Item[]} */
    this.items = [];
    /** @type {LabelClass[]} */
    this.classes = [];
    /** How many images have ended, as of when all was told last, when the last one, and with which classifier. */
    this.ended = -1;
    this.latest = 0;
    this.classifier = "";
    this.running = false;
    this.unfinished = false;
    this.head = element("b");
    this.text = element("span", { class: "note" });
    this.bar = element("progress", { max: 1, value: 0, "aria-label": "Images that are done" });
    this.stop = button("Cancel", "quiet", () => actions.run(id, this.running ? "stop" : "continue"));
    const address = { download: "", href: `${url}/results.zip` };
    this.download = element("a", { class: "button quiet small", ...address }, "Take home (zip)");
    this.results = button("Results…", "results", () => actions.open(this));
    this.again = button("Do again", "quiet", () => actions.again(id));
    this.staleText = element("span");
    this.stale = element("div", { class: "series-stale", hidden: true }, this.staleText, this.again);
    this.strip = element("div", { class: "series-strip" });
    this.mixed = element("p", { class: "problem", hidden: true });
    this.failed = element("ul", { class: "series-failed" });
    this.notes = element("ul", { class: "series-notes" });
    /** The images that a sentence is about, by the sentence. @type {Map<string, Noted>} */
    this.noted = new Map();
    this.worst = element("div", { class: "series-worst", hidden: true });
    this.table = element("table", { class: "series-shares" });
    this.root = element(
      "article", { class: "series" }, this.head, this.bar, this.text,
      element(
        "div", { class: "row" }, this.results, this.download, this.stop,
        button("Delete", "quiet", () => actions.remove(id)),
      ),
      this.stale, this.mixed,
      element("div", { class: "series-details" }, this.strip, this.worst, this.failed, this.notes, this.table),
    );
  }

  /** Whether nothing has happened since all was told last. @param {SeriesFacts} facts */
  isUpToDate({ done, failed, latest, classifier }) {
    return this.ended === done + failed && this.latest === latest && this.classifier === classifier;
  }

  /** @param {SeriesFacts} facts */
  update(facts) {
    const { images, done, failed, running, working, waiting, under_way: under, created, items, classes } = facts;
    this.running = running;
    this.unfinished = waiting + working > 0;
    this.title = `${counted(images, "image")}, ${whenUsed(created)}`;
    this.head.textContent = this.title;
    this.bar.value = images ? (done + failed + under) / images : 0;
    this.text.textContent = progressText(facts);
    this.stop.hidden = !this.unfinished;
    this.stop.textContent = running ? "Cancel" : "Go on";
    this.download.hidden = this.results.hidden = !done;
    this.root.dataset.state = this.unfinished ? (running ? "running" : "cancelled") : "finished";
    if (!items || !classes) return;
    [this.items, this.classes, this.ended] = [items, classes, done + failed];
    [this.latest, this.classifier] = [facts.latest, facts.classifier];
    this.root.dataset.told = String(this.ended);
    this.showItems(rowsOf(items));
  }

  /**
   * Say which images are out of date, and why.
   * @param {?Now} now what the session has
   */
  showStale(now) {
    this.staleText.textContent = staleSentences(this.items, now);
    this.stale.hidden = !this.staleText.textContent;
    this.stale.title = this.items.filter((item) => outOfDate(item, now)).map(({ name }) => name).join(", ");
  }

  /** @param {SeriesRow[]} rows */
  showItems(rows) {
    this.noted.clear();
    this.notes.replaceChildren();
    for (const { item } of rows.filter(({ item: one }, at) => rows[at - 1]?.item !== one)) {
      for (const note of item.notes) this.addNote(item.name, note);
    }
    const shown = new Map([...this.strip.children].map((one) => [one.getAttribute("data-picture"), one]));
    this.strip.replaceChildren(...rows.filter(({ image }) => image.page === 1).map(({ item }) => {
      const picture = `${item.number} ${item.picture}`;
      return shown.get(picture) ?? this.thumbnail(item, picture);
    }));
    showFailures(this.failed, this.items);
    const mixed = mixedUnits(rows);
    this.mixed.textContent = mixed && `${NO_TABLE} ${mixed}. ${TYPE_SIZES}`;
    this.mixed.hidden = !mixed;
    this.table.replaceChildren(this.tableHead(), element("tbody", {}, ...rows.map((row) => this.tableRow(row))));
    this.table.hidden = !rows.length;
    this.showWorst(rows);
  }

  /**
   * @param {Item} item
   * @param {string} shown which picture it is
   */
  thumbnail({ number, name, picture }, shown) {
    return element(
      "button",
      {
        type: "button", title: name, "aria-label": `Enlarge ${name}`, "data-picture": shown,
        onclick: () => this.actions.open(this, number),
      },
      element("img", { src: `${this.url}/pictures/${number}?of=${picture}`, loading: "lazy", alt: "" }),
    );
  }

  /**
   * Offer the images whose results are worth least to be drawn on.
   * @param {SeriesRow[]} rows
   */
  showWorst(rows) {
    const worst = leastTrusted([...rows]);
    this.worst.hidden = this.unfinished || !worst.length;
    this.worst.replaceChildren(
      element("p", { class: "note" }, "The least to be trusted: a stroke on one of them helps most."),
      ...worst.map(({ item, name, image }) => element(
        "div", { class: "row" }, element("span", { title: name }, name),
        element("b", {}, (image.trust ?? 0).toFixed(2)),
        button("Draw on it", "quiet", () => this.actions.drawOn(`${this.url}/open/${item.number}`)),
      )),
    );
  }

  tableHead() {
    const head = element("tr", {}, element("th", {}, "Shares in %"));
    for (const { name, colour } of this.classes) {
      const cell = element("th", { title: name }, name);
      cell.style.setProperty("--class-colour", colour);
      head.append(cell);
    }
    const trust = "How far the result can be trusted, from 0 to 1: how sure the votes are, and how like the image is";
    head.append(element("th", { title: trust }, "Trust"));
    return element("thead", {}, head);
  }

  /** @param {SeriesRow} row */
  tableRow(row) {
    const shares = this.classes.map(({ id }) => element("td", {}, told(row, id, "share")?.value.toFixed(2) ?? ""));
    const trust = row.image.trust === null ? "" : row.image.trust.toFixed(2);
    return element(
      "tr", {}, element("th", { title: row.name, scope: "row" }, row.name), ...shares, element("td", {}, trust),
    );
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
}
