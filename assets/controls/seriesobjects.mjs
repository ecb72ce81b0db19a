/* The table of all objects of a series. */

import { ObjectTable } from "../page/objecttable.mjs";
import { ofChannel } from "../page/featurenames.mjs";
import { channelsOf } from "../page/seriesrows.mjs";
import { byId, element } from "../shared/dom.mjs";
import { AWAY, fetchShown, reasonOf } from "../shared/requests.mjs";
import { unpackedColumns } from "../page/unpacked.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */
/** @import { Column } from "../page/objecttable.mjs" */
/** @import { SeriesRow } from "../page/seriesrows.mjs" */

/** @type {[name: string, title: string][]} */
const MEASURES = [
  ["area", "Area"], ["equivalent_diameter_area", "Diameter"], ["perimeter", "Perimeter"],
  ["feret_diameter_max", "Feret"], ["eccentricity", "Eccentricity"], ["solidity", "Solidity"],
  ["orientation", "Orientation"],
];
const DIGITS = 4;

/** @param {number} value */
const asText = (value) => (Number.isNaN(value) ? "" : String(Number(value.toPrecision(DIGITS))));

export class SeriesObjects {
  /** @param {(item: number) => void} onChoose an object was chosen, of the file of that number */
  constructor(onChoose) {
    this.table = new ObjectTable((object) => {
      this.table.choose(object);
      onChoose(this.columns.get("item")?.[object] ?? 0);
    }, "series-object");
    this.table.sortedBy = "image";
    this.classes = byId("series-object-class", HTMLSelectElement);
    this.classes.addEventListener("change", () => this.filter());
    /** @type {Map<string, Float64Array>} */
    this.columns = new Map();
    /** @type {LabelClass[]} */
    this.known = [];
    /** @type {Map<string, string>} */
    this.names = new Map();
    /** What the channels are called. @type {string[]} */
    this.channels = [];
  }

  /**
   * @param {string} url of the series
   * @param {SeriesRow[]} rows
   * @param {LabelClass[]} classes
   */
  async show(url, rows, classes) {
    this.say("Fetching the objects of all images…");
    byId("series-object-table").hidden = true;
    try {
      const response = await fetchShown(`${url}/objects.bin`);
      /* What is refused with a sentence, such as other units from file to file, is no failure for a browser. */
      if (!response.ok || response.headers.get("Content-Type")?.includes("json")) {
        this.say(await reasonOf(response));
        return;
      }
      this.columns = (await unpackedColumns(response)).columns;
    } catch {
      this.say(AWAY);
      return;
    }
    this.known = classes;
    this.channels = channelsOf(rows);
    this.names = new Map(rows.map(({ item, image, name }) => [`${item.number} ${image.page}`, name]));
    const chosen = this.classes.value;
    this.classes.replaceChildren(
      element("option", { value: "" }, "all classes"),
      ...classes.map(({ id, name }) => element("option", { value: String(id) }, name)),
    );
    this.classes.value = classes.some(({ id }) => String(id) === chosen) ? chosen : "";
    this.filter();
  }

  /** @param {string} sentence */
  say(sentence) {
    byId("series-object-text").textContent = sentence;
  }

  filter() {
    const ids = this.columns.get("class_id") ?? new Float64Array();
    const wanted = Number(this.classes.value);
    const kept = [...ids.keys()].filter((object) => !wanted || ids[object] === wanted);
    byId("series-object-table").hidden = !kept.length;
    const name = this.known.find(({ id }) => id === wanted)?.name;
    this.say(kept.length ? `${kept.length.toLocaleString("en")} objects.`
      : `No pixel is ${name ? `“${name}”` : "of any class"}, and so there are no objects.`);
    if (kept.length) this.table.show(this.tableColumns, kept);
  }

  /** The columns that are shown: in a unit, where the images have one. @returns {Column[]} */
  get tableColumns() {
    const { columns } = this;
    const names = [...columns.keys()];
    const unit = names.find((name) => name.startsWith("area_in_"))?.slice("area_in_".length, -1);
    const classNames = new Map(this.known.map(({ id, name }) => [id, name]));
    /** @param {string} name */
    const valuesOf = (name) => /** @type {Float64Array} */ (columns.get(name));
    const [items, pages, ids] = ["item", "page", "class_id"].map(valuesOf);
    const order = new Map([...this.names.keys()].map((key, index) => [key, index]));
    const keyOf = (/** @type {number} */ object) => `${items[object]} ${pages[object]}`;
    /** @param {string} name @param {string} title @returns {Column} */
    const column = (name, title) => {
      const values = valuesOf(name);
      return { name, title, value: (object) => values[object], text: (object) => asText(values[object]) };
    };
    const measures = MEASURES.filter(([name]) => columns.has(name)).map(([name, title]) => {
      const inUnit = unit && names.find((one) => one.startsWith(`${name}_in_`));
      const isLength = ["area", "equivalent_diameter_area", "perimeter", "feret_diameter_max"].includes(name);
      const square = name === "area" ? "²" : "";
      return column(inUnit || name, isLength ? `${title}, ${inUnit ? unit : "px"}${square}` : title);
    });
    const means = names.filter((name) => name.startsWith("intensity_mean"));
    return [
      {
        name: "image", title: "Image", value: (object) => order.get(keyOf(object)) ?? -1,
        text: (object) => this.names.get(keyOf(object)) ?? "",
      },
      column("label", "No."),
      {
        name: "class_id", title: "Class", value: (object) => ids[object],
        text: (object) => classNames.get(ids[object]) ?? "",
      },
      ...measures,
      ...means.map((name, at) => column(name, means.length > 1 ? ofChannel("Mean", at, this.channels) : "Mean")),
    ];
  }
}
