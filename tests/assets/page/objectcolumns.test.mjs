/* The columns of the table of objects. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { objectColumns, objectRows } from "../../../assets/page/objectcolumns.mjs";

const NAMES = [
  "label", "class_id", "area", "equivalent_diameter_area", "perimeter", "feret_diameter_max", "eccentricity",
  "solidity", "orientation", "intensity_mean-0", "intensity_mean-1", "centroid-0", "centroid-1", "bbox-0", "bbox-1",
  "bbox-2", "bbox-3",
];

/** @param {string[]} channels */
const columnsOf = (channels) => objectColumns({
  objects: 1, rows: 1, across: 1, labels: new Uint32Array(1), image: null, channels,
  columns: new Map(NAMES.map((name) => [name, new Float64Array(1)])),
}, [], undefined);

test("columns of channels are titled with their names and keep their keys", () => {
  const means = columnsOf(["DAPI", "GFP"]).filter(({ name }) => name.startsWith("intensity_"));
  assert.deepEqual(means.map(({ title }) => title), ["Mean, DAPI", "Mean, GFP"]);
  assert.deepEqual(means.map(({ name }) => name), ["intensity_mean-0", "intensity_mean-1"]);
  assert.ok(columnsOf([]).some(({ title }) => title === "Mean 2"));
});

test("rows that are saved say which plane they are of", () => {
  const found = {
    objects: 2, rows: 1, across: 1, labels: new Uint32Array(1), image: null, channels: [],
    columns: new Map([["class_id", new Float64Array([1, 2])], ["area", new Float64Array([7, 9])]]),
  };
  const classes = [{ id: 2, name: "grain", colour: "#0072b2" }];
  const stack = "a".repeat(56) + "0".repeat(8);
  const plane = {
    hash: `${"a".repeat(56)}00000005`, name: "s.tif", rows: 1, columns: 1, channels: 1, dtype: "uint8", stack, page: 5,
  };
  /** @type {Map<string, any>} */
  const stacks = new Map([[stack, { name: "s.tif", planes: [], axes: [["t", 3], ["z", 2]] }]]);
  assert.deepEqual(objectRows(found, [1, 0], { image: plane, stacks, classes }), [
    ["image", "page", "z", "t", "class_name", "class_id", "area"],
    ["s.tif", 5, 2, 2, "grain", 2, 9], ["s.tif", 5, 2, 2, "", 1, 7],
  ]);
  const single = { ...plane, shown_with: [plane.hash] }; // a stack that was made of files
  assert.deepEqual(objectRows(found, [1], { image: single, stacks, classes }), [
    ["image", "page", "class_name", "class_id", "area"], ["s.tif", 1, "grain", 2, 9],
  ]);
});
