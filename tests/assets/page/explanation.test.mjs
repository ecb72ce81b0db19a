/* The bars of an explanation. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { barLengths } from "../../../assets/page/explanation.mjs";

test("the largest share fills its row, whichever way it speaks", () => {
  assert.deepEqual(barLengths([0.01, -0.02, 0.005]), [0.5, 1, 0.25]);
  assert.deepEqual(barLengths([0, 0]), [0, 0]);
  assert.deepEqual(barLengths([]), []);
});
