import assert from "node:assert/strict";
import { test } from "node:test";

import { axisOf, binsOf, boxOf, countIn, quantile } from "../../../assets/page/objectstatistics.mjs";

test("every value lies in one bin, the largest in the last", () => {
  const values = [0, 1, 2, 39.9, 40];
  const bins = binsOf(values);
  const counts = countIn(values, bins);
  assert.equal(counts.length, 40);
  assert.equal(counts.reduce((sum, count) => sum + count), 5);
  assert.deepEqual([counts[0], counts[1], counts[39], bins.width], [1, 1, 2, 1]);
  assert.equal(bins.centres[0], 0.5);
});

test("equal values have one bin", () => {
  assert.deepEqual(countIn([7, 7, 7], binsOf([7, 7, 7])), [3]);
});

test("quantiles are those of numpy.quantile", () => {
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
  assert.equal(quantile([10, 9, 2], 0.5), 9);
  assert.deepEqual([0, 0.1, 0.25, 0.75, 1].map((share) => quantile([1, 2, 4, 8], share)), [1, 1.3, 1.75, 5, 8]);
});

test("a box has its whiskers at the last values within 1.5 times the middle half", () => {
  assert.deepEqual(boxOf([1, 2, 3, 4, 5, 6, 7, 30]), {
    count: 8, mean: 7.25, least: 1, low: 1, lower: 2.75, median: 4.5, upper: 6.25, high: 7, most: 30, beyond: [30],
  });
  assert.deepEqual(boxOf([3]).beyond, []);
});

test("where most values would share the first bin, the axis is that of their logarithms", () => {
  const areas = [...Array.from({ length: 90 }, (_, at) => 1 + (at % 30)), 500, 100_000];
  const { bins, edges, counts, value, ticks } = axisOf(areas);
  const found = counts(areas);
  assert.equal(found.reduce((sum, count) => sum + count), areas.length);
  assert.ok(Math.max(...found) < areas.length / 4, "they lie in many bins");
  assert.equal(edges.length, bins.centres.length + 1);
  assert.deepEqual([edges[0], edges[40]].map(Math.round), [1, 100_000]);
  assert.ok(Math.abs(value(2) - 100) < 1e-9);
  assert.deepEqual(ticks.ticktext, ["1", "10", "100", "1K", "10K", "100K"]);
});

test("values that fill their range, or that have no logarithm, keep a plain axis", () => {
  for (const values of [[1, 2, 3, 40], [0, 0, 0, 1, 1000], [-1, 0, 0, 900], [5, 5, 5], []]) {
    const { value, counts, ticks } = axisOf(values);
    assert.deepEqual([value(3), ticks], [3, {}]);
    assert.equal(counts(values).reduce((sum, count) => sum + count, 0), values.length);
  }
});
