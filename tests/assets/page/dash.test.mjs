/* What Dash asks of the server is asked again, if no answer came, once the server answers. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { askDashAgain, renderPage, setControl } from "../../../assets/page/dash.mjs";

const LONG = 5000;
/** @type {Record<string, (callback: any) => void>} */
let hooks = {};
/** @type {[string, Record<string, unknown>][]} */
let set = [];
/** @type {unknown[]} */
let told = [];
let now = 0;

/** @type {(output: string, value: number) => object} */
const asked = (output, value) => ({
  output,
  inputs: [{ id: "kinds", property: "value", value: [] }, { id: `${output}-control`, property: "value", value }],
  changedPropIds: [`${output}-control.value`],
});

beforeEach(() => {
  [set, told, now] = [[], [], 0];
  mock.method(performance, "now", () => now);
  /** @type {any} */ (globalThis).window = {
    dash_clientside: {
      no_update: "nothing",
      set_props: (/** @type {string} */ id, /** @type {Record<string, unknown>} */ props) => set.push([id, props]),
    },
    DashRenderer: class {
      /** @param {Record<string, (callback: any) => void>} given */
      constructor(given) { hooks = given; }
    },
  };
  renderPage({ harvest: (value) => told.push(value) });
});

afterEach(() => {
  for (const output of ["features", "forest"]) hooks.request_post({ output });
  mock.restoreAll();
});

test("what Dash says is handed over, and changes nothing of the page", () => {
  assert.equal(globalThis.window.dash_clientside.squiggle?.harvest(7), "nothing");
  assert.deepEqual(told, [7]);
});

test("what was not answered in a while is asked again once the server answers", () => {
  hooks.request_pre(asked("features", 1));
  now = 1;
  askDashAgain({ ok: true });
  assert.deepEqual(set, [], "the answer may still come");
  now = LONG;
  askDashAgain({ ok: false });
  assert.deepEqual(set, [], "there is nobody to answer");
  askDashAgain({ ok: true });
  assert.deepEqual(set, [["features-control", { value: 1 }]]);
});

test("what was answered is not asked again", () => {
  hooks.request_pre(asked("features", 1));
  hooks.request_pre(asked("forest", 2));
  hooks.request_post(asked("features", 1));
  now = LONG;
  askDashAgain({ ok: true });
  assert.deepEqual(set, [["forest-control", { value: 2 }]]);
});

test("of what was asked several times the last counts, from when it was asked", () => {
  hooks.request_pre(asked("features", 1));
  now = LONG;
  hooks.request_pre(asked("features", 2));
  askDashAgain({ ok: true });
  assert.deepEqual(set, []);
  now = 2 * LONG;
  askDashAgain({ ok: true });
  assert.deepEqual(set, [["features-control", { value: 2 }]]);
});

test("what the server always fails at is not asked for ever", () => {
  for (let times = 0; times < 20; times += 1) {
    const before = set.length;
    now += LONG;
    askDashAgain({ ok: true });
    if (!times || set.length > before) hooks.request_pre(asked("features", 1));
  }
  assert.equal(set.length, 4);
  hooks.request_pre(asked("features", 2));
  now += LONG;
  askDashAgain({ ok: true });
  assert.deepEqual(set.at(-1), ["features-control", { value: 2 }], "something else was typed");
});

test("a control is set with what else is said of it", () => {
  setControl("sigma", 3, { disabled: true });
  assert.deepEqual(set, [["sigma", { value: 3, disabled: true }]]);
});
