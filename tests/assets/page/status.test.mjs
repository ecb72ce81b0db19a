/* The status line: an image that takes long to come is told of, and nothing else is lost. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";

class Stub {
  textContent = "";
  style = { setProperty() {} };
  classList = { toggle() {} };
}

const status = new Stub();
Object.assign(globalThis, { HTMLElement: Stub, document: { getElementById: () => status } });
const { sayingSo, showStatus } = await import("../../../assets/page/status.mjs");

test("who waits for an image is told so, and then what was said meanwhile", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { promise, resolve } = Promise.withResolvers();
  const loaded = sayingSo(promise, "Loading a.tif…");
  showStatus("Segmenting: part 1 of 4", 0);
  assert.equal(status.textContent, "Segmenting: part 1 of 4");
  mock.timers.tick(1000);
  assert.equal(status.textContent, "Loading a.tif…");
  showStatus("Segmented.");
  assert.equal(status.textContent, "Loading a.tif…");
  resolve("it");
  assert.equal(await loaded, "it");
  assert.equal(status.textContent, "Segmented.");
  mock.timers.reset();
});
