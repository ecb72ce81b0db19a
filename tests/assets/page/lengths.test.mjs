/* Sizes of pixels as people type and read them, and the scale bar. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  describeSize, parseSize, partsOfSize, pixelsOf, readable, readablePlace, scaleBar, sizeInPixels, sizeInUnit,
  squareSide,
} from "../../../assets/page/lengths.mjs";

test("what people type is understood", () => {
  assert.deepEqual(parseSize("0.325 µm"), { x: 0.325, y: 0.325, unit: "µm", z: null });
  assert.deepEqual(parseSize("0,3x0.4um"), { x: 0.3, y: 0.4, unit: "µm", z: null });
  assert.deepEqual(parseSize(" 1 × 2 × 3 nm "), { x: 1, y: 2, unit: "nm", z: 3 });
  for (const size of ["0.325 µm", "10 × 20 m", "1 × 1 × 2 mm"]) {
    const parsed = parseSize(size);
    assert.ok(parsed);
    assert.equal(describeSize(parsed), size);
  }
});

test("where there is little room a size is told without what follows from it, or lies in depth", () => {
  /** @param {number} x @param {number} y @param {?number} z */
  const told = (x, y, z) => Object.values(partsOfSize({ x, y, unit: "µm", z }));
  assert.deepEqual(told(0.3, 0.3, 1.5), ["0.3", " × 0.3 × 1.5", "µm"]);
  assert.deepEqual(told(0.3, 0.4, 1.5), ["0.3 × 0.4", " × 1.5", "µm"]);
  assert.deepEqual(told(2, 2, null), ["2", "", "µm"]);
});

test("other texts are no sizes", () => {
  for (const text of ["", "3", "µm", "0 µm", "-1 µm", "1 parsec", "1x2x3x4 µm", "1e20 m"]) {
    assert.equal(parseSize(text), null, text);
  }
});

test("a scale bar is round, and fits", () => {
  for (const scale of [0.01, 0.37, 1, 8, 40]) {
    const { text, width } = scaleBar({ x: 0.325, y: 0.325, unit: "µm", z: null }, scale, 140);
    assert.ok(width <= 140 && width > 140 / 2.6, `${text}: ${width}`);
    assert.match(text, /^[125]0* (nm|µm|mm)$/);
  }
});

test("lengths are told in the unit that suits", () => {
  assert.equal(readable(2000, "nm"), "2 µm");
  assert.equal(readable(0.5, "µm"), "500 nm");
  assert.equal(readable(10, "°"), "10 °");
});

test("lengths are counted in square pixels", () => {
  const side = squareSide({ x: 0.325, y: 0.3251, unit: "µm", z: null });
  assert.deepEqual(side, { length: 0.325, unit: "µm" });
  const length = parseSize("2 um");
  assert.ok(length && side);
  assert.equal(pixelsOf(length, side), 6.15384615);
  assert.equal(pixelsOf({ x: 0.65, y: 1, unit: "nm", z: null }, side), 0.002);
  assert.equal(pixelsOf({ x: 1, y: 1, unit: "°", z: null }, side), null);
  assert.equal(squareSide({ x: 1, y: 2, unit: "µm", z: null }), null);
  assert.equal(squareSide({ x: 1, y: 1, unit: "°", z: null }), null);
});

test("sizes of a clean-up are shown and typed in the unit of the image", () => {
  const size = { x: 0.5, y: 0.5, unit: "µm", z: null };
  assert.deepEqual([sizeInUnit(20, size, 2), sizeInUnit(3, size, 1)], ["5 µm²", "1.5 µm"]);
  assert.deepEqual(
    ["5 µm²", "2,5", "1e2 um2", "none", ""].map((text) => sizeInPixels(text, size, 2)), [20, 10, 400, null, null],
  );
  assert.deepEqual(
    ["5000000 nm2", "0.005 mm²", "7 px", "5 °", "5 light years"].map((text) => sizeInPixels(text, size, 2)),
    [20, 20000, 7, null, null], "a unit that is typed counts",
  );
  assert.equal(sizeInPixels("1.5 µm", { ...size, x: 0.25, y: 1 }, 1), 3);
});

test("a place has its unit once, where it is one", () => {
  assert.equal(readablePlace(40, 68.25, "µm"), "40, 68.25 µm");
  assert.equal(readablePlace(0.5, 68.25, "µm"), "500 nm, 68.25 µm");
  assert.equal(readablePlace(3, 4, "°"), "3, 4 °");
});
