/* The columns of the table of objects. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { objectColumns } from "../../../assets/page/objectcolumns.mjs";

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
