/* The measures of objects as the server packs them, see `session/objects.py`, and how people read them. */

import { placeOf } from "./entries.mjs";
import { ofChannel } from "./featurenames.mjs";
import { unpackedColumns } from "./unpacked.mjs";

/** @import { ImageFacts, LabelClass } from "../journal/state.mjs" */
/** @import { Stack } from "../journal/stacks.mjs" */
/** @import { Column } from "./objecttable.mjs" */

/**
 * @typedef {object} Found
 * @property {number} objects how many
 * @property {number} rows of the image
 * @property {number} across its columns
 * @property {Map<string, Float64Array>} columns of the table, by their names
 * @property {Uint32Array} labels number of the object at each pixel; none if they were not asked for
 * @property {?string} image its hash
 * @property {string[]} channels names of those of the image; none where they are not known
 */

/** @type {[name: string, title: string][]} */
const MEASURES = [
  ["area", "Area"], ["equivalent_diameter_area", "Diameter"], ["perimeter", "Perimeter"],
  ["feret_diameter_max", "Feret"], ["eccentricity", "Eccentricity"], ["solidity", "Solidity"],
  ["orientation", "Orientation"],
];
const LENGTHS = ["area", "equivalent_diameter_area", "perimeter", "feret_diameter_max"];
/** @type {Record<string, string>} */
const STATISTICS = { mean: "Mean", min: "Min", max: "Max", std: "Std. dev." };
/** @type {[name: string, title: string][]} */
const PLACES = [
  ["centroid-1", "X, px"], ["centroid-0", "Y, px"], ["bbox-1", "Left, px"], ["bbox-0", "Top, px"],
  ["bbox-3", "Right, px"], ["bbox-2", "Bottom, px"],
];
const DIGITS = 4;

/**
 * @param {Response} response
 * @param {?string} image its hash
 * @param {string[]} [channels] names of those of the image
 * @returns {Promise<Found>}
 */
export async function unpackObjects(response, image, channels = []) {
  const { facts: { objects, rows, across }, columns, rest } = await unpackedColumns(response);
  return { objects, rows, across, columns, labels: rest, image, channels };
}

/** @param {number} value */
export const asText = (value) => (Number.isNaN(value) ? "" : String(Number(value.toPrecision(DIGITS))));

/**
 * The unit of length that objects are measured in beside pixels, if there is any.
 * @param {Found} found
 */
export function unitOf({ columns }) {
  return [...columns.keys()].find((name) => name.startsWith("area_in_"))?.slice("area_in_".length, -1);
}

/**
 * The columns of the table: number, class, measures, values of each channel, and places.
 * @param {Found} found
 * @param {LabelClass[]} classes
 * @param {string | undefined} unit of lengths; without one they are in pixels
 * @returns {Column[]}
 */
export function objectColumns({ columns, channels }, classes, unit) {
  const names = new Map(classes.map(({ id, name }) => [id, name]));
  const classIds = /** @type {Float64Array} */ (columns.get("class_id"));
  /** @param {string} name @param {string} title @returns {Column} */
  const column = (name, title) => {
    const values = /** @type {Float64Array} */ (columns.get(name));
    return { name, title, value: (object) => values[object], text: (object) => asText(values[object]) };
  };
  const measures = MEASURES.map(([name, title]) => {
    const inUnit = unit && [...columns.keys()].find((one) => one.startsWith(`${name}_in_`));
    const square = name === "area" ? "²" : "";
    const told = LENGTHS.includes(name) ? `${title}, ${inUnit ? `${unit}${square}` : `px${square}`}` : title;
    return column(inUnit || name, told);
  });
  const several = columns.has("intensity_mean-1");
  const values = [...columns.keys()].filter((name) => name.startsWith("intensity_")).map((name) => {
    const [, statistic, channel] = /** @type {string[]} */ (name.match(/^intensity_([a-z]+)(?:-(\d+))?$/));
    const title = STATISTICS[statistic];
    return column(name, several ? ofChannel(title, Number(channel), channels) : title);
  });
  return [
    column("label", "No."),
    { ...column("class_id", "Class"), text: (object) => names.get(classIds[object]) ?? "" },
    ...measures, ...values, ...PLACES.map(([name, title]) => column(name, title)),
  ];
}

/**
 * Objects as the rows of a table, headed, in the manner of `objects.csv`.
 * @param {Found} found
 * @param {number[]} objects which of them, in this order
 * @param {{image: ImageFacts, stacks: Map<string, Stack>, classes: LabelClass[]}} state
 * @returns {(string | number)[][]}
 */
export function objectRows({ columns }, objects, { image, stacks, classes }) {
  const { name, stack: key = "", page = 1, shown_with: made } = image;
  const stack = made ? undefined : stacks.get(key);
  const places = stack ? placeOf(stack, page - 1) : [];
  /** @type {[name: string, place: number][]} */
  const along = (stack?.axes ?? []).map(([axis], at) => [axis, places[at] + 1]);
  along.sort(([one]) => (one === "z" ? -1 : 1));
  const names = new Map(classes.map((one) => [one.id, one.name]));
  const classIds = columns.get("class_id") ?? [];
  const where = [name, stack ? page : 1, ...along.map(([, place]) => place)];
  return [
    ["image", "page", ...along.map(([axis]) => axis), "class_name", ...columns.keys()],
    ...objects.map((one) => (
      [...where, names.get(classIds[one]) ?? "", ...[...columns.values()].map((values) => values[one])]
    )),
  ];
}
