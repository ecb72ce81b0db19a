/* The arithmetic of what is seen. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Frame, MAX_SCALE } from "../../../assets/drawing/frame.mjs";

/** @param {{width?: number, height?: number, columns?: number, rows?: number}} size */
function fitted({ width = 1024, height = 524, columns = 500, rows = 500 } = {}) {
  const frame = Object.assign(new Frame(), { width, height, columns, rows });
  frame.fit();
  return frame;
}

/** @type {(actual: number[], expected: number[]) => void} */
function assertClose(actual, expected) {
  actual.forEach((value, index) => assert.ok(Math.abs(value - expected[index]) < 1e-9, `${actual} is not ${expected}`));
}

test("a fitted image lies in the middle, with a margin", () => {
  const frame = fitted();
  assert.equal(frame.scale, 1);
  assert.deepEqual([frame.x, frame.y, frame.imageLeft], [-262, -12, 262]);
  assert.deepEqual(frame.visible, [0, 500, 0, 500]);
});

test("the middle of the first pixel is at 0, 0 of the axes", () => {
  const frame = fitted();
  assertClose(frame.imageAt(262.5, 12.5), [0, 0]);
  const { "xaxis.range": [left, right], "yaxis.range": [bottom, top] } = frame.axisRanges;
  assertClose([left, right, bottom, top], [-262.5, 761.5, 511.5, -12.5]);
});

test("zooming keeps what is under the pointer", () => {
  const frame = fitted();
  const before = frame.imageAt(700, 100);
  frame.zoom(3, 700, 100);
  assertClose(frame.imageAt(700, 100), before);
  assert.equal(frame.fitted, false);
  assert.deepEqual(frame.visible, [54, 230, 204, 500]);
});

test("zooming ends at the largest scale and at half of the fitted one, in the middle", () => {
  const frame = fitted();
  frame.zoom(1e6, 0, 0);
  assert.equal(frame.scale, MAX_SCALE);
  frame.zoom(1e-9, 0, 0);
  assert.equal(frame.scale, frame.fitScale / 2);
  assertClose(frame.imageAt(512, 262), [249.5, 249.5]);
});

test("an image that is small shows large pixels, one that is huge still fits", () => {
  assert.equal(fitted({ columns: 2, rows: 2 }).scale, MAX_SCALE);
  const huge = fitted({ columns: 1e8, rows: 10 });
  assert.equal(huge.scale, 1e-3);
});

test("some of the image stays in sight", () => {
  const frame = fitted();
  frame.pan(1e6, -1e6);
  frame.keepInSight();
  assertClose([frame.x, frame.y], [40 - 1024, 460]);
  assert.deepEqual(frame.visible, [460, 500, 0, 40]);
});
