/* A table of which only those rows are there that are seen, so that it may be as long as it likes. */

import { byId, element } from "../shared/dom.mjs";

/**
 * @typedef {object} Column
 * @property {string} name of the column
 * @property {string} title what people read
 * @property {(object: number) => string} text of an object's cell
 * @property {(object: number) => number} value what it is sorted by
 */

const ROW_PIXELS = 26;
const BEYOND = 6;

export class ObjectTable {
  /**
   * @param {(object: number) => void} onChoose a row was clicked
   * @param {string} [id] what the ids of its elements begin with
   */
  constructor(onChoose, id = "object") {
    this.onChoose = onChoose;
    /** @type {Column[]} */
    this.columns = [];
    /** Objects, as they are sorted. @type {number[]} */
    this.objects = [];
    this.chosen = -1;
    this.sortedBy = "label";
    this.descending = false;
    this.body = byId(`${id}-body`);
    this.rows = byId(`${id}-rows`);
    this.header = byId(`${id}-head`);
    this.body.addEventListener("scroll", () => {
      this.header.scrollLeft = this.body.scrollLeft;
      this.paint();
    });
    this.body.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step || !this.objects.length) return;
      event.preventDefault();
      const at = this.objects.indexOf(this.chosen) + step;
      this.onChoose(this.objects[Math.max(0, Math.min(at, this.objects.length - 1))]);
    });
    new ResizeObserver(() => this.paint()).observe(this.body);
  }

  /**
   * @param {Column[]} columns
   * @param {number[]} objects those that are shown
   */
  show(columns, objects) {
    this.columns = columns;
    this.objects = objects;
    const sorted = columns.find(({ name }) => name === this.sortedBy) ?? columns[0];
    const sign = this.descending ? -1 : 1;
    this.objects.sort((a, b) => sign * (sorted.value(a) - sorted.value(b)) || a - b);
    this.header.replaceChildren(...columns.map((column) => this.head(column)));
    this.rows.style.height = `${objects.length * ROW_PIXELS}px`;
    this.paint();
  }

  /** @param {Column} column */
  head({ name, title }) {
    const sorted = name === this.sortedBy;
    return element("button", {
      type: "button", role: "columnheader", class: "quiet small", title: `Sort by ${title.toLowerCase()}`,
      "aria-sort": sorted ? (this.descending ? "descending" : "ascending") : "none",
      onclick: () => {
        this.descending = sorted && !this.descending;
        this.sortedBy = name;
        this.show(this.columns, this.objects);
      },
    }, `${title}${sorted ? (this.descending ? " ↓" : " ↑") : ""}`);
  }

  /**
   * Mark an object, and let its row be seen.
   * @param {number} object
   */
  choose(object) {
    this.chosen = object;
    const at = this.objects.indexOf(object);
    const { scrollTop, clientHeight } = this.body;
    if (at >= 0 && (at * ROW_PIXELS < scrollTop || (at + 1) * ROW_PIXELS > scrollTop + clientHeight)) {
      this.body.scrollTop = (at + 0.5) * ROW_PIXELS - clientHeight / 2;
    }
    this.paint();
    this.rows.querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
  }

  paint() {
    const { scrollTop, clientHeight } = this.body;
    const first = Math.max(0, Math.floor(scrollTop / ROW_PIXELS) - BEYOND);
    const last = Math.min(this.objects.length, Math.ceil((scrollTop + clientHeight) / ROW_PIXELS) + BEYOND);
    this.rows.replaceChildren(...this.objects.slice(first, last).map((object, index) => element(
      "div", {
        class: `object-row${object === this.chosen ? " chosen" : ""}`, role: "row",
        "aria-selected": String(object === this.chosen),
        style: `top: ${(first + index) * ROW_PIXELS}px`, onclick: () => this.onChoose(object),
      },
      ...this.columns.map(({ text }) => element("span", { role: "cell" }, text(object))),
    )));
  }
}
