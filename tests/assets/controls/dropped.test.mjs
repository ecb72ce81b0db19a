/* Which files are taken, by their names. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { isForSeries, isImage } from "../../../assets/controls/dropped.mjs";

test("images by their endings, but no hidden files", () => {
  const named = (/** @type {string} */ name) => isImage({ name });
  assert.ok(["a.PNG", "day/a.tif", "a.b.jpeg", "a.webp", "a.czi", "a.nii.gz", "a.h5", "slide.ozx"].every(named));
  assert.ok(!["a.txt", "png", "day/.a.png", ".a.png", "a.png.zip"].some(named));
});

test("a series takes images and zips", () => {
  assert.deepEqual(["a.png", "a.ZIP", "a.csv"].map((name) => isForSeries({ name })), [true, true, false]);
});
