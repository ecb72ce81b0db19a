/* A busy server is asked again, but not for ever. */

import assert from "node:assert/strict";
import { test } from "node:test";

/** @type {any} */ (globalThis).document = { body: { dataset: { base: "/" } }, getElementById: () => null };
const { askAgain, fetchShown } = await import("../../../assets/shared/requests.mjs");

/**
 * Let the server answer with these, and then with the last of them; returns what was asked.
 * @param {number[]} statuses
 */
function answering(...statuses) {
  /** @type {string[]} */
  const asked = [];
  globalThis.fetch = async (url) => {
    asked.push(String(url));
    const status = (statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200;
    return new Response("", { status, headers: { "Retry-After": "0.001" } });
  };
  return asked;
}

test("what is wanted no more is asked for no more, though it was waited for", async () => {
  const asked = answering(429);
  let left = 3;
  const response = await fetchShown("part", () => (left -= 1) > 0);
  assert.equal(response.status, 429);
  assert.equal(asked.length, 2);
});

test("what nobody says how long they want is asked for some times, and had where it comes", async () => {
  const asked = answering(429);
  assert.equal((await fetchShown("about")).status, 429);
  assert.equal(asked.length, 20);
  answering(429, 429, 200);
  assert.equal((await fetchShown("about")).status, 200);
});

test("a server that is busy for a moment is asked again soon, and then no more often than it says", async () => {
  const { setTimeout: later } = globalThis;
  /** @type {number[]} */
  const waits = [];
  globalThis.setTimeout = /** @type {any} */ ((/** @type {() => void} */ then, /** @type {number} */ ms) => {
    waits.push(ms);
    then();
  });
  globalThis.fetch = async () => new Response("", { status: 429, headers: { "Retry-After": "1" } });
  await fetchShown("view").finally(() => { globalThis.setTimeout = later; });
  assert.ok(waits[0] < 300);
  assert.ok(waits.slice(4).every((one) => one >= 500 && one <= 1500));
});

test("a picture that is not there is not asked for again, one that was refused is", async () => {
  for (const [statuses, set] of /** @type {[number[], string[]][]} */ ([[[404], []], [[429, 200], ["thumb"]]])) {
    const asked = answering(...statuses);
    /** @type {string[]} */
    const again = [];
    const image = new EventTarget();
    Object.defineProperty(image, "src", { get: () => "thumb", set: (src) => { again.push(src); } });
    askAgain(/** @type {any} */ (image));
    const count = statuses.length;
    image.dispatchEvent(new Event("error"));
    while (asked.length < count) await new Promise((resolve) => { setTimeout(resolve, 10); });
    await new Promise((resolve) => { setTimeout(resolve); });
    assert.deepEqual(again, set);
  }
});
