/* What is learnt from, and what can be downloaded. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  available, correctedPixels, correctionsLeft, learningKey, sameSettings, segmentationKey, switchedOff,
} from "../../../assets/session/learning.mjs";

/** @import { StateWithImage } from "../../../assets/journal/state.mjs" */

/** @param {string} hash */
const image = (hash, channels = 3) => ({ hash, name: hash, rows: 1, columns: 1, channels, dtype: "uint8" });

/** @type {(id: string, classId: number) => any} */
const stroke = (id, classId) => ({ id, class_id: classId, kind: "path" });

/**
 * @param {Partial<StateWithImage>} change
 * @returns {StateWithImage}
 */
function state(change) {
  const [a, b, grey] = [image("a"), image("b"), image("grey", 1)];
  return {
    name: "", image: a, images: [a, b, grey], stacks: new Map(), measured: new Map(), classes: [], hidden: new Set(),
    weights: new Map(), cleanUp: [], strokes: [],
    strokesElsewhere: new Map([["b", []], ["grey", []]]), corrections: [], correctionsElsewhere: new Map(),
    learnsCorrections: false, features: {}, forest: {}, opened: null, keeps: false,
    undo: null, redo: null, lastClassId: 2, ...change,
  };
}

/** @type {any} */
const OPENED = { hash: "c", channels: 3, strokes: 1 };

for (const [what, change, expected] of /** @type {[string, Partial<StateWithImage>, boolean[]][]} */ ([
  ["nothing is drawn", {}, [false, false, false]],
  ["one class has strokes", { strokes: [stroke("1", 1)] }, [true, true, false]],
  ["two classes have", { strokes: [stroke("1", 1), stroke("2", 2)] }, [true, true, true]],
  ["one has them here, one on an image alike",
    { strokes: [stroke("1", 1)], strokesElsewhere: new Map([["b", [stroke("2", 2)]]]) }, [true, true, true]],
  ["one has them here, one on an image with other channels",
    { strokes: [stroke("1", 1)], strokesElsewhere: new Map([["grey", [stroke("2", 2)]]]) }, [true, true, false]],
  ["all lie elsewhere", { strokesElsewhere: new Map([["grey", [stroke("2", 2)]]]) }, [false, true, false]],
  ["a classifier was opened", { opened: OPENED }, [false, false, true]],
  ["one for any channels was", { opened: { ...OPENED, channels: null } }, [false, false, true]],
  ["corrections are learnt from",
    { strokes: [stroke("1", 1)], corrections: [stroke("2", 2)], learnsCorrections: true }, [true, true, true]],
  ["an outline says where to work", { strokes: [stroke("1", 256)] }, [false, true, false]],
  ["corrections are not learnt from", { strokes: [stroke("1", 1)], corrections: [stroke("2", 2)] },
    [true, true, false]],
  ["one for other channels was", { opened: { ...OPENED, channels: 1 } }, [false, false, false]],
])) {
  test(`what can be downloaded when ${what}`, () => {
    const { here, anywhere, result } = available(state(change));
    assert.deepEqual([here, anywhere, result], expected);
  });
}

test("what is left of corrections is what the server counted of them, and nothing where all are erased", () => {
  const erased = stroke("e", 0);
  const before = state({
    corrections: [stroke("1", 1), erased], correctionsElsewhere: new Map([["b", [stroke("2", 1)]], ["grey", [erased]]]),
  });
  assert.deepEqual(correctionsLeft(before, new Map()), { here: null, elsewhere: 1 });
  assert.deepEqual(correctionsLeft(before, correctedPixels(before, { a: 7 })), { here: 7, elsewhere: 0 });
  const after = state({ corrections: [stroke("1", 1), erased, stroke("3", 1)] });
  assert.deepEqual(correctionsLeft(after, correctedPixels(before, { b: 7 })), { here: null, elsewhere: 0 });
  assert.deepEqual(correctionsLeft(state({ corrections: [erased] }), new Map()), { here: 0, elsewhere: 0 });
});

test("images share strokes by the names of their channels", () => {
  const named = (/** @type {string} */ hash, /** @type {string[]} */ ...names) => (
    { ...image(hash, names.length), channel_names: names }
  );
  const [few, many, unlike] = [named("few", "G", "D"), named("many", "E", "D", "G"), named("unlike", "E", "C", "G")];
  const images = [few, many, unlike];
  const both = [stroke("1", 1), stroke("2", 2)];
  const results = (/** @type {Partial<StateWithImage>} */ change) => available(state({ images, ...change })).result;
  assert.ok(results({ image: many, strokesElsewhere: new Map([["few", both]]) }));
  assert.ok(!results({ image: unlike, strokesElsewhere: new Map([["few", both]]) }));
  assert.ok(!results({ image: few, strokesElsewhere: new Map([["many", both]]) }));
  assert.ok(results({ image: few, strokes: [both[0]], strokesElsewhere: new Map([["many", [both[1]]]]) }));
  const key = (/** @type {any[]} */ drawn) => (
    segmentationKey(state({ images, image: many, strokesElsewhere: new Map([["few", drawn]]) }))
  );
  assert.notEqual(key(both), key([both[0]]));
});

test("a segmentation is outdated by what it depends on, and by nothing else", () => {
  const before = segmentationKey(state({}));
  for (const change of [
    { strokes: [stroke("1", 1)] }, { strokesElsewhere: new Map([["b", [stroke("1", 1)]]]) },
    { features: { edges: false } }, { forest: { n_estimators: 1 } }, { opened: OPENED },
    { classes: [{ id: 1, name: "", colour: "" }] }, { weights: new Map([[1, 2]]) },
    { cleanUp: [{ kind: "smooth", size: 2, classes: null }] }, { corrections: [stroke("1", 1)] },
    { correctionsElsewhere: new Map([["b", [stroke("1", 1)]]]), learnsCorrections: true },
  ]) assert.notEqual(segmentationKey(state(change)), before, JSON.stringify(change));
  for (const change of [
    { name: "other" }, { hidden: new Set([1]) }, { undo: "1" },
    { strokesElsewhere: new Map([["grey", [stroke("1", 1)]]]) }, { learnsCorrections: true },
    { correctionsElsewhere: new Map([["b", [stroke("1", 1)]]]) },
  ]) assert.equal(segmentationKey(state(change)), before, JSON.stringify(change));
});

test("settings that a control shows rounded are the same", () => {
  assert.ok(sameSettings({ share: 0.3333333, kind: "a" }, { share: 0.33333331, kind: "a", more: 1 }));
  assert.ok(!sameSettings({ share: 0.3333 }, { share: 0.3334 }));
  assert.ok(!sameSettings({ depth: null }, { depth: 3 }));
});

test("what is learnt does not depend on which image is shown", () => {
  const [a, b, one, two] = [image("a"), image("b"), stroke("1", 1), stroke("2", 2)];
  const images = [a, b];
  const onA = state({ image: a, images, strokes: [one], strokesElsewhere: new Map([["b", [two]]]) });
  const onB = state({ image: b, images, strokes: [two], strokesElsewhere: new Map([["a", [one]]]) });
  assert.equal(learningKey(onA), learningKey(onB));
  const without = state({ image: a, images, strokes: [one], strokesElsewhere: new Map() });
  assert.notEqual(learningKey(onA), learningKey(without));
});

test("features that look at several planes learn from planes along z of files alone", () => {
  const plane = { ...image("p"), stack: "s", page: 1 };
  const made = { ...plane, hash: "m", stack: "made", shown_with: ["m"] };
  const later = { ...plane, hash: "t", stack: "time" };
  /** @type {any} */
  const stacks = new Map(["s", "made", "time"].map((key) => [key, { axes: [[key === "time" ? "t" : "z", 3]] }]));
  const images = [plane, made, later, image("a")];
  const both = [stroke("1", 1), stroke("2", 2)];
  for (const features of [{ dimensions: 3 }, { planes_around: 1 }]) {
    const results = images.map(({ hash }) => (
      available(state({ image: plane, images, stacks, features, strokesElsewhere: new Map([[hash, both]]) })).result
    ));
    assert.deepEqual(results, [false, false, false, false]);
    assert.ok(available(state({ image: plane, images, stacks, features, strokes: both })).result);
  }
});

test("what a choice of features switches off that it does not go with is told", () => {
  const [flat, deep] = [{ learned: false, standardise: false }, { dimensions: 3, plane_distance: 2 }];
  const [learned, standardised] = [{ ...flat, learned: true }, { ...flat, standardise: true }];
  for (const [before, chosen, told] of /** @type {[object, object, RegExp][]} */ ([
    [learned, { ...flat, ...deep }, /^Learned texture is off now: it sees single planes\.$/],
    [standardised, { ...flat, planes_around: 1 }, /^“Brightness or colour differs between images” is off now/],
    [{ ...flat, ...deep }, learned, /^Depth is “Each plane by itself” again: learned texture sees single planes\.$/],
    [{ ...flat, planes_around: 1 }, standardised, /^Depth is “Each plane by itself” again: images are/],
    [learned, flat, /^$/], [{ ...flat, ...deep }, flat, /^$/],
    [flat, { ...flat, ...deep }, /^$/], [flat, learned, /^$/],
  ])) assert.match(switchedOff(before, chosen), told);
});
