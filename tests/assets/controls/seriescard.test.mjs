/* How far a series is, in words. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { progressText } from "../../../assets/controls/seriescard.mjs";

const facts = {
  images: 9, done: 0, failed: 0, running: true, working: 0, waiting: 9, under_way: 0, seconds_left: null,
};

test("who has to wait is told so", () => {
  assert.equal(progressText(facts), "0 of 9 segmented, it waits for its turn");
  const begun = { ...facts, done: 3, waiting: 6, seconds_left: 40 };
  assert.equal(progressText(begun), "3 of 9 segmented, about 40 s left, it waits for its turn");
  assert.equal(progressText({ ...facts, waiting: 8, working: 1 }), "0 of 9 segmented, the next is being segmented");
  assert.equal(progressText({ ...facts, running: false }), "0 of 9 segmented, cancelled");
  assert.equal(progressText({ ...facts, waiting: 0, done: 9 }), "9 of 9 segmented");
});
