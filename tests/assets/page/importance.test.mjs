/* Which features matter: what leaving some out would cost. */

import { test } from "node:test";
import assert from "node:assert/strict";

import { costSentence } from "../../../assets/page/importance.mjs";

test("what leaving out costs and saves", () => {
  const cost = { mean_iou: 0.823, without: 0.811, change: -0.012, standard_error: 0.02, time: 0.64 };
  assert.equal(costSentence("edges", cost), "Without edges: mean IoU of held-out strokes 0.81 instead of 0.82 "
    + "(−0.01 ± 0.02); features take 36 % less time.");
  assert.match(costSentence("edges", { ...cost, change: 0.03, standard_error: null, time: 1.01 }),
    /\(\+0\.03\); features take as long\./);
});
