/* What a session's images are for a person: entries, and places in stacks. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  entriesOf, indexOf, openingIndex, placeInWords, placeOf, stackQuery,
} from "../../../assets/page/entries.mjs";

/** @import { Stack } from "../../../assets/journal/stacks.mjs" */

const FACTS = { rows: 4, columns: 5, channels: 1, dtype: "uint8" };
const KEY = `${"d".repeat(56)}00000000`;

/** @type {Stack} */
const STACK = { name: "s.tif", planes: ["p1", "p2", "p3", "p4", "p5", "p6"], axes: [["z", 3], ["t", 2]] };

const planes = STACK.planes.map((hash, n) => ({ ...FACTS, hash, name: "s.tif", stack: KEY, page: n + 1 }));
const single = { ...FACTS, hash: "a", name: "a.png" };

test("a stack is one entry, where its first plane came", () => {
  const entries = entriesOf({ images: [...planes, single], stacks: new Map([[KEY, STACK]]) });
  assert.deepEqual(entries.map(({ key, hashes }) => [key, hashes.length]), [[KEY, 6], ["a", 1]]);
  assert.equal(entries[0].image.hash, "p2");
});

test("a stack is shown amid its depth at first, and at its first time", () => {
  assert.equal(openingIndex([["z", 5]]), 2);
  assert.equal(openingIndex([["t", 5]]), 0);
  assert.equal(openingIndex([["t", 2], ["z", 5]]), 4);
  assert.equal(openingIndex([["z", 3], ["t", 2]]), 1);
  assert.equal(openingIndex([]), 0);
});

test("places lead to planes and back", () => {
  assert.deepEqual(placeOf(STACK, 4), [1, 1]);
  STACK.planes.forEach((_, index) => assert.equal(indexOf(STACK, placeOf(STACK, index)), index));
  const stacks = new Map([[KEY, STACK]]);
  assert.equal(placeInWords(planes[4], stacks), "z 2, t 2");
  assert.equal(placeInWords(single, stacks), "");
});

test("of a stack that was made of images the server is told which", () => {
  assert.equal(stackQuery(single), "");
  assert.equal(stackQuery(planes[1]), "");
  assert.equal(stackQuery({ ...single, shown_with: ["a", "b"] }), "&with=a,b");
});
