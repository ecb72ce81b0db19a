/* What a person has chosen to see survives a reload, where the browser lets it. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { View } from "../../../assets/session/view.mjs";

/** @param {Map<string, string>} items */
const storage = (items) => ({
  getItem: (/** @type {string} */ key) => items.get(key) ?? null,
  setItem: (/** @type {string} */ key, /** @type {string} */ value) => { items.set(key, value); },
});

/** @type {(session: object, local: object) => void} */
function browserWith(session, local) {
  for (const [name, value] of Object.entries({ sessionStorage: session, localStorage: local })) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
}

afterEach(() => browserWith({}, {}));

test("choices come back, in this window before others", () => {
  const [here, anywhere] = [new Map(), new Map()];
  browserWith(storage(here), storage(anywhere));
  new View("a").change({ tool: "erase", opacity: 20 });
  assert.deepEqual([new View("a").tool, new View("a").opacity, new View("b").tool], ["erase", 20, "squiggle"]);
  anywhere.set("squiggle:view:a", JSON.stringify({ tool: "pan" }));
  assert.equal(new View("a").tool, "erase");
  here.clear();
  assert.equal(new View("a").tool, "pan");
});

test("a browser without storage, or with something else in it, shows all as at first", () => {
  browserWith({}, {});
  const view = new View("a");
  view.change({ live: false });
  assert.deepEqual([view.live, view.switches, new View("a").live], [false, ["shown", "strokes"], true]);
  browserWith(storage(new Map([["squiggle:view:a", "no JSON"]])), storage(new Map()));
  assert.equal(new View("a").tool, "squiggle");
});
