import assert from "node:assert/strict";
import { test } from "node:test";

import { keepBorders } from "../../../assets/picture/outlinelayer.mjs";

/** @param {string} rows digits, 0 for nothing @param {number} reach */
function bordersOf(rows, reach) {
  const lines = rows.split(" ");
  const words = Uint32Array.from(lines.join(""), Number);
  keepBorders(words, lines[0].length, reach);
  return Array.from({ length: lines.length }, (_, y) => (
    [...words.slice(y * lines[0].length, (y + 1) * lines[0].length)].join("")
  )).join(" ");
}

test("what lies beside another colour is kept, to both sides", () => {
  assert.equal(bordersOf("1111122222 1111122222", 1), "0000120000 0000120000");
  assert.equal(bordersOf("1111122222 1111122222", 2), "0001122000 0001122000");
  assert.equal(bordersOf("11111 11111 11311 11111 11111", 1), "00000 00100 01310 00100 00000");
});

test("the end of the picture is no border, nothing is one", () => {
  assert.equal(bordersOf("111 111 111", 1), "000 000 000");
  assert.equal(bordersOf("1100 1100 0000", 1), "0100 1100 0000");
});
