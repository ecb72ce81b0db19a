import assert from "node:assert/strict";
import { test } from "node:test";

import { binned } from "../../../assets/page/objecthistogram.mjs";

test("every value lies in one bin, the largest in the last", () => {
  const { centres, counts, width } = binned([0, 1, 2, 39.9, 40]);
  assert.equal(counts.length, 40);
  assert.equal(counts.reduce((sum, count) => sum + count), 5);
  assert.deepEqual([counts[0], counts[1], counts[39], width], [1, 1, 2, 1]);
  assert.equal(centres[0], 0.5);
});

test("equal values have one bin", () => {
  assert.deepEqual(binned([7, 7, 7]).counts, [3]);
});
