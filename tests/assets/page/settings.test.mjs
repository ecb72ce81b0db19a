/* Controls show the settings of the session, and are left alone where these are what they show. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

class Page {
  dataset = { base: "/", facts: JSON.stringify(settings()) };
}

/**
 * @param {object} [features]
 * @param {object} [forest]
 * @returns {any}
 */
function settings(features = {}, forest = {}) {
  return {
    features: { intensity: true, edges: true, sigma_min: 0.5, sigma_max: 16, num_sigma: null, ...features },
    forest: {
      kind: "extra_trees", n_estimators: 200, max_depth: null, max_samples: 0.05, balance: 0, fine_trees: 0.5,
      random_state: 0, ...forest,
    },
  };
}

/** @type {any} */
const browser = globalThis;
/** @type {[string, any][]} */
let set = [];
const page = new Page();
browser.HTMLElement = Page;
browser.document = { body: page, getElementById: () => page };
browser.window = {
  location: { pathname: "/s/a" },
  dash_clientside: {
    set_props: (/** @type {string} */ id, /** @type {{value: any}} */ { value }) => set.push([id, value]),
  },
};
const { showSettings, showSettingsAnew } = await import("../../../assets/page/settings.mjs");

showSettings(settings());
const atFirst = set;

beforeEach(() => {
  showSettings(settings());
  set = [];
});

test("what a page is laid out with is not set", () => {
  assert.deepEqual(atFirst, []);
});

test("only what is another than what is shown is set, and once", () => {
  showSettings(settings({ sigma_min: 2, edges: false }, { max_samples: 0.123 }));
  assert.deepEqual(set, [["feature-kinds", ["intensity"]], ["sigma-min", 2], ["forest-share", 12.3]]);
  showSettings(settings({ sigma_min: 2, edges: false }, { max_samples: 0.123 }));
  assert.equal(set.length, 3);
  showSettings(settings());
  assert.deepEqual(set.slice(3), [["feature-kinds", ["intensity", "edges"]], ["sigma-min", 0.5], ["forest-share", 5]]);
});

test("all are set where what was typed could not be", () => {
  showSettingsAnew(settings());
  assert.equal(set.length, 13);
  assert.equal(new Set(set.map(([id]) => id)).size, 13);
  showSettings(settings());
  assert.equal(set.length, 13);
});
