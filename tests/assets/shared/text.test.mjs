/* Numbers and names as people read them; answers line by line. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { newId } from "../../../assets/page/ids.mjs";
import { jsonLines } from "../../../assets/shared/lines.mjs";
import { counted, duration, inOrderOfNames, megabytes, whenUsed } from "../../../assets/shared/text.mjs";

test("numbers of things", () => {
  assert.deepEqual([0, 1, 1200].map((count) => counted(count, "image")), ["0 images", "1 image", "1,200 images"]);
  assert.equal(counted(2, "class", "classes"), "2 classes");
  assert.equal(megabytes(5 * 2 ** 20), "5 MB");
});

test("durations", () => {
  const told = ["1 s", "59 s", "1 min", "59 min", "1 h 0 min", "2 h 2 min"];
  assert.deepEqual([0.2, 59, 60, 3569, 3600, 7320].map(duration), told);
});

test("when a session was used", () => {
  const now = new Date(2026, 4, 3, 0, 5);
  const at = (/** @type {Date} */ date) => whenUsed(date.getTime() / 1000, now);
  assert.equal(at(new Date(2026, 4, 3, 0, 1)), "today, 00:01");
  assert.equal(at(new Date(2026, 4, 2, 23, 59)), "yesterday, 23:59");
  assert.equal(at(new Date(2026, 3, 30, 12, 0)), "30 April 2026");
});

test("files go by their names, numbers by their size", () => {
  const names = ["s10.png", "s9.png", "a.png"].map((name) => ({ name }));
  assert.deepEqual(inOrderOfNames(names).map(({ name }) => name), ["a.png", "s9.png", "s10.png"]);
  assert.equal(names[0].name, "s10.png");
});

test("ids are new, and may stand in an address", () => {
  const ids = Array.from({ length: 1000 }, newId);
  assert.equal(new Set(ids).size, 1000);
  assert.ok(ids.every((id) => /^[\w-]{16}$/.test(id)));
});

test("lines come whole, wherever the network cuts them", async () => {
  const text = new TextEncoder().encode('{"name":"Größe"}\n\n{"done":1}\n{"cut');
  const stream = new ReadableStream({
    start(controller) {
      for (const byte of text) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const found = [];
  for await (const value of jsonLines(stream)) found.push(value);
  assert.deepEqual(found, [{ name: "Größe" }, { done: 1 }]);
});
