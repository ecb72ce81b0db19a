/* Tiles as they come, and drafts of them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";

import { unpackIds } from "../../../assets/picture/bits.mjs";
import { inflate } from "../../../assets/picture/inflate.mjs";
import { KeptImages } from "../../../assets/picture/kept.mjs";
import { paletteOf, rampOf } from "../../../assets/picture/palette.mjs";
import { Tile, draftLength } from "../../../assets/picture/tile.mjs";

/** @type {(rows: number[], columns: number[], ids: number[]) => Tile} */
const tile = ([row0, row1], [column0, column1], ids) => (
  new Tile({ rows: [row0, row1], columns: [column0, column1], crc: 1, ids: Uint8Array.from(ids) })
);

test("class ids travel compressed in text", async () => {
  const ids = Uint8Array.from({ length: 70000 }, (_, index) => index % 251);
  assert.deepEqual(await inflate(deflateSync(ids).toString("base64")), ids);
});

test("class ids come as bits, whatever the width and the classes", () => {
  const cases = [[1, 1, 3, 16], [1, 1, 2, 5], [2, 3, 4, 19], [1, 8, 2, 256], [7, 5, 1, 1]];
  for (const [lowest, digits, height, width] of cases) {
    const ids = Uint8Array.from({ length: height * width }, (_, at) => lowest + ((at * 37) % 255) % (2 ** digits - 1));
    const across = Math.ceil(width / 8);
    const bits = new Uint8Array(digits * height * across);
    ids.forEach((id, at) => {
      const [row, column] = [Math.floor(at / width), at % width];
      for (let digit = 0; digit < digits; digit += 1) {
        const bit = ((id - lowest) >> digit) & 1;
        bits[(digit * height + row) * across + (column >> 3)] |= bit << (7 - (column & 7));
      }
    });
    assert.deepEqual(unpackIds(bits, { lowest, digits, height, width }), ids);
    assert.throws(() => unpackIds(bits.subarray(1), { lowest, digits, height, width }), /not whole/);
  }
});

test("text that was cut off is no class ids", async () => {
  await assert.rejects(inflate(deflateSync(new Uint8Array(1000)).subarray(0, 8).toString("base64")));
});

test("a tile knows the class of its pixels and of no others", () => {
  const one = tile([10, 12], [20, 23], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([one.classAt(10, 20), one.classAt(11, 22)], [1, 6]);
  assert.deepEqual([one.classAt(9, 20), one.classAt(12, 20), one.classAt(10, 23)], [undefined, undefined, undefined]);
});

test("a draft changes the blocks whose pixel has another class; the last block reaches to the edge", () => {
  const one = tile([0, 3], [0, 5], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1]);
  assert.deepEqual([draftLength(3, 2, 1), draftLength(5, 2, 1), one.draftPixels(2, 1)], [1, 2, 2]);
  assert.equal(one.draft(Uint8Array.of(1, 7), 2, 1), true);
  assert.deepEqual([...one.ids], [1, 1, 7, 7, 7, 1, 1, 7, 7, 7, 1, 1, 7, 7, 7]);
  assert.equal(one.drafted, true);
});

test("a draft that says nothing new leaves all as sharp as it was", () => {
  const one = tile([0, 2], [0, 2], [3, 1, 1, 1]);
  assert.equal(one.draft(Uint8Array.of(3), 2, 0), false);
  assert.deepEqual([[...one.ids], one.drafted], [[3, 1, 1, 1], false]);
});

test("a tile that nothing is known of takes all of a draft", () => {
  const one = Tile.blank([0, 2], [0, 4]);
  assert.equal(one.drafted, true);
  one.draft(Uint8Array.of(5, 6), 2, 0);
  assert.deepEqual([...one.ids], [5, 5, 6, 6, 5, 5, 6, 6]);
});

test("a draft may have no pixel in a narrow tile", () => {
  assert.deepEqual([draftLength(1, 4, 2), Tile.blank([0, 1], [0, 9]).draftPixels(4, 2)], [0, 0]);
});

test("hidden classes and those that do not exist are transparent", () => {
  const classes = [{ id: 1, name: "", colour: "#102030" }, { id: 2, name: "", colour: "#ffffff" }];
  const bytes = new Uint8Array(paletteOf(classes, new Set([2])).buffer);
  assert.deepEqual([...bytes.slice(4, 8)], [0x10, 0x20, 0x30, 255]);
  assert.ok([...bytes.slice(0, 4), ...bytes.slice(8)].every((byte) => byte === 0));
});

test("of images shown before, those shown longest ago go first", () => {
  const kept = new KeptImages(100);
  const shown = () => ({ preview: null, tiles: new Map([[0, Tile.blank([0, 2], [0, 4])]]) });
  for (const hash of ["a", "b", "c"]) kept.keep(hash, shown());
  assert.deepEqual([...kept.images.keys()], ["b", "c"]);
  assert.equal(kept.release("b").tiles.size, 1);
  assert.deepEqual(kept.release("b"), { preview: null, tiles: new Map() });
});

test("a layer goes evenly from its first colour to its last, and is opaque", () => {
  for (const layer of ["uncertainty", "2"]) {
    const bytes = new Uint8Array(rampOf(layer).buffer);
    assert.equal(bytes[4 * 255 + 3], 0);
    /** @param {number} percent */
    const lightness = (percent) => {
      const [red, green, blue] = bytes.subarray(4 * percent);
      return 0.3 * red + 0.59 * green + 0.11 * blue;
    };
    for (let percent = 0; percent < 100; percent += 1) {
      assert.ok(lightness(percent + 1) >= lightness(percent) - 0.5, `${layer} ${percent}`);
      assert.equal(bytes[4 * percent + 3], 255);
    }
  }
});

test("a layer is seen where it came along, and a draft takes it away", () => {
  const values = Uint8Array.of(0, 50, 100, 7);
  const one = new Tile({
    rows: [0, 2], columns: [4, 6], crc: 1, ids: Uint8Array.of(1, 1, 2, 2), layer: "uncertainty", values,
  });
  assert.deepEqual([one.valueAt(0, 5), one.valueAt(1, 5), one.valueAt(0, 6)], [50, 7, undefined]);
  one.draft(Uint8Array.of(2), 2, 0);
  assert.deepEqual([one.valueAt(0, 5), one.layer], [undefined, ""]);
});
