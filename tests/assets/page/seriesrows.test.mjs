import assert from "node:assert/strict";
import { test } from "node:test";

import { curves } from "../../../assets/page/seriesplot.mjs";
import {
  asCsv, channelsOf, failuresOf, mixedUnits, numbersIn, outOfDate, rowsOf, staleSentences, told, unitsOf, written,
} from "../../../assets/page/seriesrows.mjs";

const CLASSES = [{ id: 1, name: "=void", colour: "#e69f00" }, { id: 2, name: "grain", colour: "#0072b2" }];

const NONE = { count: 0, low: 0, high: 0, mean: null, median: null };

/** An image with a quarter of class 1. */
const image = (page = 1, unit = "px", channels = /** @type {string[]} */ ([])) => ({
  page, called: "", channels, hashes: [], corrected: "", outlined: "", measured: "", trust: 0.5,
  pixels: { 1: 25, 2: 75 }, margins: { 1: 0.25, 2: 0.25 },
  objects: { unit, classes: { 1: { count: 3, low: 1, high: 6, mean: 12.5, median: 9 }, 2: NONE } },
});

/**
 * A file of some images.
 * @param {string} name
 * @param {...any} images
 */
const item = (name, ...images) => ({
  number: 1, name, state: "done", reason: "", notes: [], left_out: [], made_by: "a", picture: "p",
  images: images.map((one) => ({ ...one, called: one.called || name })),
});

test("images stand in the natural order of their files, those of a stack one after the other", () => {
  const both = ["a9.tif, plane z 1", "a9.tif, plane z 2"].map((called, index) => ({ ...image(index + 1), called }));
  const rows = rowsOf([item("a10.tif", image()), item("a9.tif", ...both)]);
  assert.deepEqual(rows.map(({ name }) => name), ["a9.tif, plane z 1", "a9.tif, plane z 2", "a10.tif"]);
});

test("figures come with the ends of their intervals, which a share does not leave", () => {
  const [row] = rowsOf([item("a.tif", image())]);
  assert.deepEqual(told(row, 1, "share"), { value: 25, low: 0, high: 50 });
  assert.equal(told(row, 2, "share")?.high, 100);
  assert.deepEqual(told(row, 1, "count"), { value: 3, low: 1, high: 6 });
  assert.deepEqual(told(row, 1, "median"), { value: 9, low: null, high: null });
  assert.equal(told(row, 2, "mean"), null);
  assert.equal(told(row, 0, "trust")?.value, 0.5);
});

test("numbers are written the same in every country", () => {
  assert.equal(written(1234567, "count"), "1,234,567");
  assert.equal(written(12.3456, "share"), "12.35");
  assert.equal(written(1234.5, "mean"), "1,235");
});

test("the axis of time is the last number in the names that differs", () => {
  assert.deepEqual(numbersIn(["day1_t10_x2.tif", "day1_t9_x2.tif"]), [10, 9]);
  assert.equal(numbersIn(["a.tif", "b.tif"]), null);
  assert.equal(numbersIn(["a1.tif", "b1.tif"]), null);
});

test("different units are refused with the names of the images", () => {
  const rows = rowsOf([item("a.tif", image(1, "µm²")), item("b.tif", image(1, "mm²"))]);
  assert.equal(unitsOf(rows).size, 2);
  assert.match(mixedUnits(rows), /µm² \(a\.tif\); mm² \(b\.tif\)/);
  assert.equal(mixedUnits(rows.slice(1)), "");
  const empty = { ...image(1, "mm²"), objects: { unit: "mm²", classes: { 1: NONE, 2: NONE } } };
  assert.equal(mixedUnits(rowsOf([item("a.tif", image(1, "µm²")), item("b.tif", empty)])), "", "it has no objects");
});

test("curves have a point for each image and whiskers where an interval is known", () => {
  const rows = rowsOf([item("a.tif", image()), item("b.tif", image())]);
  const [first] = curves(rows, CLASSES, "share", [1, 2]);
  assert.deepEqual([first.y, first.error_y?.array, first.error_y?.arrayminus], [[25, 25], [25, 25], [25, 25]]);
  assert.equal(curves(rows, CLASSES, "median", [1, 2])[0].error_y, undefined);
  assert.equal(curves(rows, CLASSES, "trust", [1, 2]).length, 1);
});

test("saved data can be opened in a spreadsheet and does nothing there", () => {
  const text = asCsv(rowsOf([item('a "b".tif', image())]), CLASSES, "count");
  assert.deepEqual(text.split("\n").slice(0, 2), ["image,class_name,value,low,high", '"a ""b"".tif",\'=void,3,1,6']);
});

test("trust is saved once an image, and what is not known as nothing", () => {
  const rows = rowsOf([item("\u2212a.tif", image()), item("b.tif", { ...image(), trust: null })]);
  assert.deepEqual(asCsv(rows, CLASSES, "trust").split("\n").slice(1), ["'\u2212a.tif,,0.5,,", "b.tif,,,,", ""]);
});

test("what failed is listed with its reason: files, and single images of a stack", () => {
  const stack = { ...item("a10.tif", image(1)), left_out: ["Image 2 is damaged."] };
  const letter = { ...item("a9.tif"), state: "failed", reason: "It is no image." };
  assert.deepEqual(failuresOf([stack, letter, item("b.tif", image())]), [
    { name: "a9.tif", reason: "It is no image." }, { name: "a10.tif", reason: "Image 2 is damaged." },
  ]);
});

test("channels have the names that all images give them, or none", () => {
  const names = ["DAPI", "GFP"];
  const two = [item("a.tif", image(1, "px", names)), item("b.tif", image(1, "px", names))];
  assert.deepEqual(channelsOf(rowsOf(two)), names);
  assert.deepEqual(channelsOf(rowsOf([...two, item("c.tif", image(1, "px", ["GFP", "DAPI"]))])), []);
  assert.deepEqual(channelsOf([]), []);
});

test("what another classifier has made is out of date, and what something else is painted on now", () => {
  const painted = { ...image(), hashes: ["h", "former"], corrected: "12" };
  const files = [item("a.tif", painted), { ...item("b.tif", image()), made_by: "b" }];
  const now = { classifier: "a", corrected: { h: "1", former: "2", other: "3" }, outlined: {}, measured: {} };
  assert.deepEqual(files.map((one) => outOfDate(one, now)), ["", "learnt"]);
  assert.equal(outOfDate(files[0], { ...now, corrected: { h: "1", former: "9" } }), "corrected");
  assert.equal(outOfDate(files[0], { ...now, corrected: {} }), "corrected");
  assert.equal(outOfDate({ ...files[0], state: "waiting" }, { ...now, corrected: {} }), "");
  assert.equal(outOfDate(files[1], null), "");
  assert.equal(outOfDate(files[1], { ...now, classifier: null }), "");
  assert.equal(
    staleSentences(files, { ...now, corrected: {} }),
    "The classifier has learnt on: 1 image is out of date (“b.tif”). 1 image was corrected since (“a.tif”).",
  );
  assert.equal(staleSentences(files.slice(0, 1), now), "");
  const outlined = { ...now, outlined: { h: "7" } };
  assert.equal(outOfDate(files[0], outlined), "outlined");
  assert.equal(staleSentences(files.slice(0, 1), outlined), "1 image was outlined anew since (“a.tif”).");
  assert.equal(outOfDate(item("a.tif", { ...painted, outlined: "7" }), outlined), "");
  const measured = { ...now, measured: { h: "0.5 µm" } };
  assert.equal(outOfDate(files[0], measured), "measured");
  assert.equal(
    staleSentences(files.slice(0, 1), measured), "1 image has pixels of another size by now (“a.tif”).",
  );
  assert.equal(outOfDate(item("a.tif", { ...painted, measured: "0.5 µm" }), measured), "");
});
