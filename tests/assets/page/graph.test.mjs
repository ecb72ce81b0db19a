/* Who draws is told at once, Dash a little later, and nothing changes the graph while a stroke is drawn. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

/** @type {Record<string, () => void>} */
const listeners = {};
const listen = (/** @type {string} */ type, /** @type {() => void} */ heard) => { listeners[type] = heard; };

class Stage {
  addEventListener = listen;
}

/** @type {any} */
const browser = globalThis;
/** @type {any[]} */
let told = [];
/** @type {Record<string, unknown>[]} */
let changed = [];
/** @param {any[]} event */
const emit = (...event) => { told.push(event); };
const graph = { _fullLayout: { xaxis: {} }, layout: {}, emit };
browser.HTMLElement = Stage;
browser.document = { getElementById: () => new Stage(), querySelector: () => graph };
browser.window = {
  addEventListener: listen,
  Plotly: { relayout: (/** @type {any} */ _, /** @type {Record<string, unknown>} */ changes) => changed.push(changes) },
};
const { betweenStrokes, relayout, relayoutLater, watchStrokes, whenRelayouted } = await import(
  "../../../assets/page/graph.mjs"
);
watchStrokes();

/** @type {number} */
let harvested = 0;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  [told, changed, harvested] = [[], [], 0];
  graph.emit = emit;
  whenRelayouted(() => { harvested += 1; });
});

test("that a stroke has ended is told at once, and Dash is told a little later", () => {
  graph.emit("plotly_relayout", { shapes: 1 });
  assert.deepEqual([harvested, told], [1, []]);
  mock.timers.tick(1000);
  assert.deepEqual(told, [["plotly_relayout", { shapes: 1 }]]);
  mock.timers.tick(1000);
  assert.equal(told.length, 1);
});

test("Dash is told of all that was, in order, and not while a stroke is drawn", () => {
  graph.emit("plotly_relayout", 1);
  listeners.pointerdown();
  mock.timers.tick(5000);
  assert.deepEqual(told, []);
  graph.emit("plotly_relayout", 2);
  listeners.pointerup();
  mock.timers.tick(1000);
  assert.deepEqual(told, [["plotly_relayout", 1], ["plotly_relayout", 2]]);
});

test("of everything else Dash is told at once", () => {
  graph.emit("plotly_click", 3);
  assert.deepEqual([harvested, told], [0, [["plotly_click", 3]]]);
});

test("the layout is changed at once, or when the stroke has ended", () => {
  relayout({ one: 1 });
  assert.deepEqual(changed, [{ one: 1 }]);
  listeners.pointerdown();
  relayout({ two: 2 });
  relayout({ two: 3, four: 4 });
  mock.timers.tick(5000);
  assert.equal(changed.length, 1);
  listeners.pointercancel();
  mock.timers.tick(0);
  assert.deepEqual(changed[1], { two: 3, four: 4 });
});

test("what nobody sees is changed later, after Dash was told, but before the next stroke begins", () => {
  graph.emit("plotly_relayout", 1);
  relayoutLater({ shapes: [] });
  mock.timers.tick(399);
  assert.deepEqual([told.length, changed], [1, []]);
  mock.timers.tick(1);
  assert.deepEqual(changed, [{ shapes: [] }]);
  relayoutLater({ shapes: [1] });
  listeners.pointerdown();
  assert.deepEqual(changed[1], { shapes: [1] });
  listeners.pointerup();
});

test("of what would move the image under the pen only the last is done, after the stroke", () => {
  /** @type {number[]} */
  const done = [];
  betweenStrokes("show", () => done.push(0));
  listeners.pointerdown();
  for (const number of [1, 2]) betweenStrokes("show", () => done.push(number));
  assert.deepEqual(done, [0]);
  listeners.pointerup();
  mock.timers.tick(0);
  assert.deepEqual(done, [0, 2]);
});
