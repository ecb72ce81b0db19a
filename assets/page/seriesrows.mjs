/* The images of a series as rows of a table: what is said of each, and how sure it is. */

import { counted, inOrderOfNames } from "../shared/text.mjs";
import { csvOf } from "./csv.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */

/**
 * @typedef {object} ObjectFacts of a class in an image
 * @property {number} count
 * @property {?number} low between what the number lies
 * @property {?number} high
 * @property {?number} mean area
 * @property {?number} median area
 */

/**
 * @typedef {object} ItemImage one of the images of a file
 * @property {number} page
 * @property {string} called what it is called, as in reports
 * @property {Record<string, number>} pixels of the classes
 * @property {Record<string, number>} margins of their shares
 * @property {?number} trust how far the result can be trusted, from 0 to 1
 * @property {?{unit: string, classes: Record<string, ObjectFacts>}} objects
 * @property {string[]} channels what the file calls them; none if it does not
 * @property {string[]} hashes by which sessions know it
 * @property {string} corrected digits of what was painted into its result; empty for nothing
 * @property {string} outlined digits of the outlines that it was worked on within; empty for none
 * @property {string} measured the size of its pixels as it was typed; empty if none was
 */

/**
 * @typedef {object} Item a file of a series
 * @property {number} number
 * @property {string} name
 * @property {string} state waiting, working, done or failed
 * @property {string} reason why it failed
 * @property {string[]} notes why it may not be what was meant
 * @property {string[]} left_out why single ones of its images failed
 * @property {string} made_by the classifier that its results come from
 * @property {string} picture digits that tell small pictures apart
 * @property {ItemImage[]} images those with results
 */

/**
 * @typedef {object} Now what a session has now
 * @property {?string} classifier as the items' `made_by` tells it; null if there is none
 * @property {Record<string, string>} corrected digits of what was painted on each image, by its hash
 * @property {Record<string, string>} outlined digits of the outlines on each image, in the same way
 * @property {Record<string, string>} measured the sizes of pixels that were typed, in the same way
 */

/** @typedef {"corrected" | "outlined" | "measured"} Since what changed since, beside the classifier */
/** @typedef {{item: Item, image: ItemImage, name: string}} SeriesRow */
/** @typedef {{value: number, low: ?number, high: ?number}} Told a figure, and between what it lies */

/** @type {Since[]} */
const SINCE = ["corrected", "outlined", "measured"];

/** What can be asked of a class in an image, or of an image. @type {[measure: string, title: string][]} */
export const MEASURES = [
  ["share", "Share"], ["count", "Objects"], ["mean", "Mean area"], ["median", "Median area"], ["trust", "Trust"],
];

/**
 * The images of a series in the natural order of their names.
 * @param {Item[]} items
 * @returns {SeriesRow[]}
 */
export function rowsOf(items) {
  return inOrderOfNames(items).flatMap((item) => item.images.map((image) => ({ item, image, name: image.called })));
}

/**
 * What failed, and why, in the natural order of names: files, and single images of files that are done.
 * @param {Item[]} items
 * @returns {{name: string, reason: string}[]}
 */
export function failuresOf(items) {
  return inOrderOfNames(items).flatMap(({ name, state, reason, left_out: leftOut }) => [
    ...(state === "failed" ? [{ name, reason }] : []),
    ...leftOut.map((why) => ({ name, reason: why })),
  ]);
}

/**
 * Why the results of a file are out of date, if they are: the classifier has learnt on, or something else is painted
 * or outlined on one of its images now, or another size of its pixels was typed.
 * @param {Item} item
 * @param {?Now} now
 * @returns {"" | "learnt" | Since}
 */
export function outOfDate({ state, made_by: by, images }, now) {
  if (state !== "done" || !now?.classifier) return "";
  if (by !== now.classifier) return "learnt";
  /** @type {(what: Since) => boolean} */
  const changed = (what) => images.some((image) => (
    image.hashes.map((one) => now[what][one] ?? "").join("") !== image[what]
  ));
  return SINCE.find(changed) ?? "";
}

/**
 * Which files are out of date, and why.
 * @param {Item[]} items
 * @param {?Now} now
 */
export function staleSentences(items, now) {
  /** @type {(why: string) => string[]} */
  const names = (why) => items.filter((item) => outOfDate(item, now) === why).map(({ name }) => name);
  const [learnt, corrected, outlined, measured] = ["learnt", ...SINCE].map(names);
  const are = learnt.length === 1 ? "is" : "are";
  const were = (/** @type {string[]} */ images) => (images.length === 1 ? "was" : "were");
  const have = measured.length === 1 ? "has" : "have";
  const numberOf = (/** @type {string[]} */ images) => counted(images.length, "image");
  return [
    learnt.length && `The classifier has learnt on: ${numberOf(learnt)} ${are} out of date ${shortly(learnt)}.`,
    corrected.length && `${numberOf(corrected)} ${were(corrected)} corrected since ${shortly(corrected)}.`,
    outlined.length && `${numberOf(outlined)} ${were(outlined)} outlined anew since ${shortly(outlined)}.`,
    measured.length && `${numberOf(measured)} ${have} pixels of another size by now ${shortly(measured)}.`,
  ].filter(Boolean).join(" ");
}

/** @param {string[]} names of images */
function shortly(names) {
  const listed = names.slice(0, 3).map((name) => `“${name}”`).join(", ");
  return `(${listed}${names.length > 3 ? ` and ${names.length - 3} more` : ""})`;
}

/**
 * What the channels are called in all images; none where these differ.
 * @param {SeriesRow[]} rows
 * @returns {string[]}
 */
export function channelsOf(rows) {
  const [first, ...others] = rows.map(({ image }) => image.channels);
  return first && others.every((names) => names.join("\n") === first.join("\n")) ? first : [];
}

/**
 * A figure of an image; null where it is not known.
 * @param {SeriesRow} row
 * @param {number} classId
 * @param {string} measure
 * @returns {?Told}
 */
export function told({ image }, classId, measure) {
  if (measure === "trust") return image.trust === null ? null : { value: image.trust, low: null, high: null };
  if (measure === "share") {
    const whole = Object.values(image.pixels).reduce((sum, one) => sum + one, 0);
    const share = whole ? (image.pixels[classId] ?? 0) / whole : 0;
    const margin = image.margins[classId];
    const ends = margin === undefined ? [null, null] : [Math.max(0, share - margin), Math.min(1, share + margin)];
    return { value: 100 * share, low: ends[0] && 100 * ends[0], high: ends[1] && 100 * ends[1] };
  }
  const facts = image.objects?.classes[classId];
  if (!facts) return null;
  if (measure === "count") return { value: facts.count, low: facts.low, high: facts.high };
  const size = measure === "mean" ? facts.mean : facts.median;
  return size === null ? null : { value: size, low: null, high: null };
}

/**
 * A figure as people read it.
 * @param {number} value
 * @param {string} measure
 */
export function written(value, measure) {
  if (measure === "count") return value.toLocaleString("en");
  if (measure === "share" || measure === "trust") return value.toFixed(2);
  return value >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(4)));
}

/**
 * The units of areas, each with the names of its images; those without objects have none.
 * @param {SeriesRow[]} rows
 */
export function unitsOf(rows) {
  /** @type {Map<string, string[]>} */
  const units = new Map();
  for (const { image: { objects }, name } of rows) {
    const some = objects && Object.values(objects.classes).some(({ count }) => count);
    if (some) units.set(objects.unit, [...(units.get(objects.unit) ?? []), name]);
  }
  return units;
}

/**
 * Which images are in which unit, if they are in several; else empty.
 * @param {SeriesRow[]} rows
 */
export function mixedUnits(rows) {
  const units = unitsOf(rows);
  if (units.size < 2) return "";
  return [...units].map(([unit, names]) => {
    const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
    return `${unit} (${names.slice(0, 3).join(", ")}${more})`;
  }).join("; ");
}

/**
 * The last number in each name that is not the same in all of them; null where they have none.
 * @param {string[]} names
 * @returns {?number[]}
 */
export function numbersIn(names) {
  const found = names.map((name) => (name.replace(/\.[^.]*$/, "").match(/\d+(\.\d+)?/g) ?? []).map(Number));
  const length = Math.min(...found.map((numbers) => numbers.length));
  for (let back = 1; back <= length; back += 1) {
    const numbers = found.map((some) => some[some.length - back]);
    if (new Set(numbers).size > 1) return numbers;
  }
  return null;
}

/**
 * A table of some rows and a measure as comma-separated text; trust is that of an image, and of no class.
 * @param {SeriesRow[]} rows
 * @param {LabelClass[]} classes
 * @param {string} measure
 */
export function asCsv(rows, classes, measure) {
  const asked = measure === "trust" ? [{ id: 0, name: "" }] : classes;
  const lines = rows.flatMap((row) => asked.map(({ id, name }) => {
    const { value, low, high } = told(row, id, measure) ?? { value: null, low: null, high: null };
    return [row.name, name, value, low, high];
  }));
  return csvOf([["image", "class_name", "value", "low", "high"], ...lines]);
}
