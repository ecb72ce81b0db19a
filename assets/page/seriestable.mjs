/* The table of the images of a series: shares, numbers and sizes of objects, and how sure all that is. */

import { byId, element } from "../shared/dom.mjs";
import { MEASURES, told, written } from "./seriesrows.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */
/** @import { SeriesRow, Told } from "./seriesrows.mjs" */

const UNITS = { share: " %", count: "", trust: "" };
const MEANING = {
  share: "Of the pixels with a class; below, between what it lies with a confidence of about 95 %",
  count: "Connected parts; below, between what their number lies",
  trust: "How far the result can be trusted, from 0 to 1: how sure the votes are, and how like the image is",
};

export class SeriesTable {
  /** @param {(row: SeriesRow) => void} onChoose an image was chosen */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.sortedBy = "";
    this.descending = false;
    this.table = byId("series-view-table", HTMLTableElement);
  }

  /**
   * @param {SeriesRow[]} rows
   * @param {LabelClass[]} classes
   * @param {(row: SeriesRow) => string} stateOf what else is said of an image
   */
  show(rows, classes, stateOf) {
    const columns = [
      ...classes.flatMap(({ id, name, colour }) => MEASURES.slice(0, 4).map(([measure, title]) => (
        { key: `${id} ${measure}`, id, measure, title, group: name, colour }))),
      { key: "trust", id: 0, measure: "trust", title: "Trust", group: "", colour: "" },
    ];
    const again = () => this.show(rows, classes, stateOf);
    const sorted = columns.find(({ key }) => key === this.sortedBy);
    const sign = this.descending ? -1 : 1;
    const ordered = [...rows];
    if (sorted) {
      const value = (/** @type {SeriesRow} */ row) => told(row, sorted.id, sorted.measure)?.value ?? -Infinity;
      ordered.sort((a, b) => sign * (value(a) - value(b)));
    } else if (this.descending) ordered.reverse();
    const head = element(
      "tr", {}, this.head("", "Image", "", again),
      ...columns.map(({ key, title, measure }) => this.head(key, title, measure, again)),
    );
    this.table.replaceChildren(
      element("thead", {}, groupRow(classes), head),
      element("tbody", {}, ...ordered.map((row) => this.row(row, columns, stateOf(row)))),
    );
  }

  /**
   * @param {string} key
   * @param {string} title
   * @param {string} measure
   * @param {() => void} again
   */
  head(key, title, measure, again) {
    const sorted = key === this.sortedBy;
    const arrow = this.descending ? " ↓" : " ↑";
    const button = element("button", {
      type: "button", class: "quiet small", title: MEANING[/** @type {"share"} */ (measure)] ?? `Sort by ${title}`,
      onclick: () => {
        this.descending = sorted && !this.descending;
        this.sortedBy = key;
        again();
      },
    }, `${title}${sorted ? arrow : ""}`);
    const order = sorted ? (this.descending ? "descending" : "ascending") : "none";
    return element("th", { scope: "col", "aria-sort": order }, button);
  }

  /**
   * @param {SeriesRow} row
   * @param {{id: number, measure: string}[]} columns
   * @param {string} state
   */
  row(row, columns, state) {
    const name = element("button", {
      type: "button", class: "link", title: `Show ${row.name}`, onclick: () => this.onChoose(row),
    }, row.name);
    const first = element("th", { scope: "row" }, name, ...(state ? [element("small", {}, state)] : []));
    const unit = row.image.objects?.unit ?? "px²";
    return element("tr", {}, first, ...columns.map(({ id, measure }) => cell(told(row, id, measure), measure, unit)));
  }
}

/** @param {LabelClass[]} classes */
function groupRow(classes) {
  return element("tr", { class: "series-view-groups" }, element("td"), ...classes.map(({ name, colour }) => {
    const head = element("th", { scope: "colgroup", colSpan: 4 }, name);
    head.style.setProperty("--class-colour", colour);
    return head;
  }), element("td"));
}

/**
 * @param {?Told} figure
 * @param {string} measure
 * @param {string} unit of areas
 */
function cell(figure, measure, unit) {
  if (!figure) return element("td", {}, "–");
  const { value, low, high } = figure;
  const text = `${written(value, measure)}${UNITS[/** @type {"share"} */ (measure)] ?? ` ${unit}`}`;
  if (low === null || high === null) return element("td", {}, text);
  return element("td", {}, text, element("small", {}, `${written(low, measure)} to ${written(high, measure)}`));
}
