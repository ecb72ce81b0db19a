/* How wide a brush is. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { suitableWidth, widthLimit, widthStep, withinLimit } from "../../../assets/drawing/width.mjs";

test("a brush goes up to a quarter of the shorter side of the image", () => {
  const sizes = [[512, 600], [4088, 4520], [3, 900], [100_000, 90_000]];
  assert.deepEqual(sizes.map(([rows, columns]) => widthLimit({ rows, columns })), [128, 1022, 1, 10_000]);
  assert.deepEqual([0, 5, 200].map((width) => withinLimit(width, 128)), [1, 5, 128]);
});

test("a width that nobody chose is the same on the screen at each zoom", () => {
  for (const scale of [0.1, 0.5, 1, 2]) assert.equal(suitableWidth("pen", scale) * scale, 8);
  assert.ok(suitableWidth("eraser", 1) > suitableWidth("pen", 1));
});

test("steps grow with the width", () => {
  assert.deepEqual([1, 9, 10, 29, 30, 299, 300, 3000].map(widthStep), [1, 1, 2, 2, 5, 5, 50, 500]);
});
