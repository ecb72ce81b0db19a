/* The status line: an image that takes long to come is told of, where nothing else is. */

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

/**
 * Waits for an image; gives how it comes.
 * @returns {() => Promise<void>}
 */
function waiting() {
  const { promise, resolve } = Promise.withResolvers();
  const loaded = sayingSo(promise, "Loading a.tif…");
  return async () => {
    resolve("it");
    assert.equal(await loaded, "it");
  };
}

test("who waits for an image is told so, and then what was said before", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  showStatus("Opened.");
  const comes = waiting();
  mock.timers.tick(1000);
  assert.equal(status.textContent, "Loading a.tif…");
  await comes();
  assert.equal(status.textContent, "Opened.");
  mock.timers.reset();
});

test("what is said meanwhile is not hidden by it", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  for (const early of [true, false]) {
    const comes = waiting();
    if (early) showStatus("The server at the address fails.");
    mock.timers.tick(1000);
    if (!early) showStatus("Try again in a moment.");
    const told = early ? "The server at the address fails." : "Try again in a moment.";
    assert.equal(status.textContent, told);
    await comes();
    assert.equal(status.textContent, told);
  }
  mock.timers.reset();
});
