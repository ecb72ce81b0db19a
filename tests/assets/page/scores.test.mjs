import assert from "node:assert/strict";
import { test } from "node:test";

import { curvePaths, shownMean, shownScore } from "../../../assets/page/scores.mjs";

/** @param {string} points */
const places = (points) => points.split(" ").map((place) => place.split(",").map(Number));

test("a curve begins at the left, ends at the right, and better is higher", () => {
  const { line, last } = curvePaths([
    { strokes: 4, mean_iou: 0.5, standard_error: 0.1 },
    { strokes: 5, mean_iou: 0.6, standard_error: null },
    { strokes: 9, mean_iou: 0.9, standard_error: 0.02 },
  ]);
  const [first, second, third] = places(line);
  assert.ok(first[0] < second[0] && second[0] < third[0]);
  assert.ok(first[1] > second[1] && second[1] > third[1]);
  assert.deepEqual(third, last.map((value) => Number(value.toFixed(1))));
});

test("the band of the uncertainty lies within the picture", () => {
  const { band } = curvePaths([
    { strokes: 2, mean_iou: 0.1, standard_error: 0.2 },
    { strokes: 3, mean_iou: 0.99, standard_error: 0.3 },
  ]);
  for (const [x, y] of places(band)) assert.ok(x >= 0 && x <= 84 && y >= 0 && y <= 24, band);
});

test("one point is a curve too", () => {
  const { last } = curvePaths([{ strokes: 4, mean_iou: 1, standard_error: 0 }]);
  assert.ok(last.every(Number.isFinite));
});

test("a score that is not known is no number", () => {
  assert.equal(shownScore(null), "–");
  const scores = { mean_iou: 0.8349, standard_error: 0.041, classes: [], confusion: [] };
  assert.equal(shownMean(scores), "0.83 ± 0.04");
  assert.equal(shownMean({ ...scores, standard_error: null }), "0.83");
});
