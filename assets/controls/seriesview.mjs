/* What a series has given, large: its images and their numbers, all objects, plots, and the overlays one by one. */

import { savePlot, showPlot } from "../page/seriesplot.mjs";
import {
  MEASURES, asCsv, mixedUnits, numbersIn, outOfDate, rowsOf, staleSentences, told, written,
} from "../page/seriesrows.mjs";
import { SeriesTable } from "../page/seriestable.mjs";
import { all, byId, element, saveFile } from "../shared/dom.mjs";
import { showFailures } from "./seriescard.mjs";
import { SeriesObjects } from "./seriesobjects.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */
/** @import { Item, Now, SeriesRow } from "../page/seriesrows.mjs" */

/**
 * @typedef {object} Shown a series
 * @property {string} id
 * @property {string} url
 * @property {string} title
 * @property {Item[]} items
 * @property {LabelClass[]} classes
 */

const STATES = {
  learnt: "out of date", corrected: "corrected since", outlined: "outlined since", measured: "measured since", "": "",
};

export class SeriesView {
  /** @param {{drawOn: (url: string) => void, again: (id: string) => void}} actions */
  constructor(actions) {
    this.actions = actions;
    this.dialog = byId("series-view", HTMLDialogElement);
    /** @type {?Shown} */
    this.series = null;
    /** @type {SeriesRow[]} */
    this.rows = [];
    /** What the session has now. @type {?Now} */
    this.now = null;
    this.name = "images";
    this.at = 0;
    this.table = new SeriesTable((row) => this.showPicture(this.rows.indexOf(row)));
    this.objects = new SeriesObjects((number) => (
      this.showPicture(this.rows.findIndex(({ item }) => item.number === number))));
    this.measure = byId("series-view-measure", HTMLSelectElement);
    this.axis = byId("series-view-axis", HTMLSelectElement);
    this.measure.append(...MEASURES.map(([name, title]) => element("option", { value: name }, title)));
    this.listen();
  }

  listen() {
    for (const tab of all("[data-view]", this.dialog)) {
      tab.addEventListener("click", () => this.choose(tab.dataset.view ?? ""));
    }
    byId("close-enlarged").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
    this.dialog.addEventListener("keydown", (event) => {
      event.stopPropagation();
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step || event.target instanceof HTMLSelectElement) return;
      if (event.target instanceof Element && event.target.closest("[role=tablist]")) this.step(step);
      else if (this.name === "pictures") this.showPicture(this.at + step);
    });
    byId("series-view-previous").addEventListener("click", () => this.showPicture(this.at - 1));
    byId("series-view-next").addEventListener("click", () => this.showPicture(this.at + 1));
    byId("series-view-correct").addEventListener("click", () => {
      this.dialog.close();
      this.actions.drawOn(`${this.series?.url}/open/${this.rows[this.at].item.number}`);
    });
    byId("series-view-again").addEventListener("click", () => this.actions.again(this.series?.id ?? ""));
    for (const select of [this.measure, this.axis]) select.addEventListener("change", () => this.plot());
    byId("series-view-save").addEventListener("click", () => savePlot(`series-${this.measure.value}`));
    byId("series-view-data").addEventListener("click", () => this.saveData());
  }

  /** Whether a series is seen. @param {string} id */
  shows(id) {
    return this.dialog.open && this.series?.id === id;
  }

  /**
   * @param {Shown} series
   * @param {?Now} now
   * @param {number} [number] of the file whose picture is to be seen
   */
  open(series, now, number) {
    this.name = number === undefined ? "images" : "pictures";
    this.take(series, now);
    if (number !== undefined) this.at = Math.max(0, this.rows.findIndex(({ item }) => item.number === number));
    if (!this.dialog.open) this.dialog.showModal();
    this.choose(this.name);
  }

  /**
   * Take what is new, while it is seen.
   * @param {Shown} series
   * @param {?Now} now
   */
  update(series, now) {
    this.take(series, now);
    if (this.name !== "objects") this.choose(this.name);
  }

  /**
   * @param {Shown} series
   * @param {?Now} now
   */
  take(series, now) {
    this.series = series;
    this.now = now;
    this.rows = rowsOf(series.items);
    this.at = Math.min(this.at, Math.max(0, this.rows.length - 1));
    byId("enlarged-name").textContent = series.title;
    for (const link of all("a[data-result]", this.dialog)) {
      link.setAttribute("href", `${series.url}/${link.dataset.result}`);
      link.hidden = !this.rows.length || (link.dataset.result === "objects.csv" && mixedUnits(this.rows) !== "");
    }
    showFailures(byId("series-view-failed"), series.items);
    const stale = staleSentences(series.items, this.now);
    byId("series-view-stale").hidden = !stale;
    byId("series-view-stale-text").textContent = stale;
  }

  /** What else is said of an image. @param {SeriesRow} row */
  stateOf({ item }) {
    if (item.state === "waiting" || item.state === "working") return "being done again";
    return STATES[outOfDate(item, this.now)];
  }

  /** @param {string} name of the view */
  choose(name) {
    this.name = name;
    for (const tab of all("[data-view]", this.dialog)) {
      const chosen = tab.dataset.view === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      byId(`series-view-${tab.dataset.view}`).hidden = !chosen;
    }
    const { series, rows } = this;
    if (!series) return;
    if (name === "images") this.table.show(rows, series.classes, (row) => this.stateOf(row));
    else if (name === "objects") this.objects.show(series.url, rows, series.classes);
    else if (name === "plots") this.plot();
    else this.showPicture(this.at);
  }

  /** Go from tab to tab. @param {number} step */
  step(step) {
    const tabs = all("[data-view]", this.dialog);
    const at = tabs.findIndex((tab) => tab.dataset.view === this.name);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    this.choose(next.dataset.view ?? "");
    next.focus();
  }

  async plot() {
    const { series, rows, measure, axis } = this;
    if (!series) return;
    const numbered = numbersIn(rows.map(({ name }) => name)) !== null;
    axis.disabled = !numbered;
    if (!numbered) axis.value = "name";
    byId("series-view-problem").textContent = (
      await showPlot(rows, series.classes, measure.value, axis.value === "number")
    );
  }

  saveData() {
    const text = asCsv(this.rows, this.series?.classes ?? [], this.measure.value);
    saveFile(new Blob([text], { type: "text/csv" }), `series-${this.measure.value}.csv`);
  }

  /** @param {number} at which of the images */
  showPicture(at) {
    const { series, rows } = this;
    if (!series || !rows.length) return;
    const moved = this.name !== "pictures";
    this.at = Math.max(0, Math.min(rows.length - 1, at));
    if (moved) {
      this.choose("pictures");
      return;
    }
    const row = rows[this.at];
    const picture = byId("enlarged-picture", HTMLImageElement);
    picture.src = `${series.url}/pictures/${row.item.number}?of=${row.item.picture}`;
    picture.alt = `${row.name} with its classes`;
    byId("series-view-place").textContent = `${this.at + 1} of ${rows.length}`;
    byId("series-view-previous", HTMLButtonElement).disabled = this.at === 0;
    byId("series-view-next", HTMLButtonElement).disabled = this.at === rows.length - 1;
    const state = this.stateOf(row);
    byId("series-view-picture-name").textContent = row.name;
    byId("series-view-picture-state").textContent = state;
    byId("series-view-facts").replaceChildren(...series.classes.map((labelClass) => fact(row, labelClass)));
  }
}

/**
 * What is said of a class below the picture.
 * @param {SeriesRow} row
 * @param {LabelClass} labelClass
 */
function fact(row, { id, name, colour }) {
  const [share, count] = ["share", "count"].map((measure) => {
    const figure = told(row, id, measure);
    if (!figure) return "";
    const { value, low, high } = figure;
    const ends = low === null || high === null ? "" : ` (${written(low, measure)} to ${written(high, measure)})`;
    return `${written(value, measure)}${measure === "share" ? " %" : ` object${value === 1 ? "" : "s"}`}${ends}`;
  });
  const shown = element("li", {}, element("b", {}, name), ` ${[share, count].filter(Boolean).join(", ")}`);
  shown.style.setProperty("--class-colour", colour);
  return shown;
}
