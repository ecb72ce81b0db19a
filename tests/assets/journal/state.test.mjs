/* The fold: what events add up to. That the server's fold gives the same is tested in Python. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { areAlike } from "../../../assets/journal/stacks.mjs";
import { fold } from "../../../assets/journal/state.mjs";

/** @import { SessionEvent } from "../../../assets/journal/state.mjs" */

const UNNAMED = { features: { edges: true }, forest: { n_estimators: 100 } };

/** @param {string} hash */
const image = (hash, channels = 3) => ({ hash, name: `${hash}.png`, rows: 4, columns: 5, channels, dtype: "uint8" });

/** @type {(id: string, classId?: number) => Record<string, any>} */
const stroke = (id, classId = 1) => ({ id, class_id: classId, kind: "path", path: "M1,1L2,2", width: 3 });

const START = {
  id: "start", type: "session.start", image: image("sample"),
  classes: [{ id: 1, name: "A", colour: "#ff0000" }, { id: 2, name: "B", colour: "#00ff00" }],
};

/** @type {(id: string, strokeId: string, hash?: string, classId?: number) => SessionEvent} */
const draw = (id, strokeId, hash = "sample", classId = 1) => (
  { id, type: "stroke.add", image: hash, stroke: stroke(strokeId, classId) }
);

/** @type {(events: SessionEvent[], hash?: string) => string[]} */
const strokesShown = (events, hash) => fold(events, UNNAMED, hash).strokes.map(({ id }) => id);

test("nothing was done", () => {
  const state = fold([], UNNAMED);
  assert.equal(state.image, null);
  assert.deepEqual([state.images, state.classes, state.strokes, state.undo, state.redo], [[], [], [], null, null]);
  assert.deepEqual([state.features, state.forest], [UNNAMED.features, UNNAMED.forest]);
});

test("images that are read part by part are offered as no stack, and make none", () => {
  /** @type {[number, number][]} */
  const levels = [[4, 5]];
  const large = (/** @type {string} */ hash) => ({ ...image(hash), levels });
  assert.equal(areAlike([image("a"), image("b")]), true);
  assert.equal(areAlike([large("a"), large("b")]), false);
  const opened = [large("a"), large("b")].map((one) => ({ id: one.hash, type: "image.open", image: one }));
  const made = { id: "m", type: "stack.make", name: "s", images: ["a", "b"], axis: "z" };
  assert.equal(fold([START, ...opened, made], UNNAMED).stacks.size, 0);
});

test("strokes come, are erased, undone and redone", () => {
  const events = [START, draw("1", "s1"), draw("2", "s2", "sample", 2)];
  assert.deepEqual(strokesShown(events), ["s1", "s2"]);
  events.push({ id: "3", type: "stroke.erase", image: "sample", strokes: ["s1"] });
  assert.deepEqual(strokesShown(events), ["s2"]);
  events.push({ id: "4", type: "undo", event: "3" });
  assert.deepEqual(strokesShown(events), ["s1", "s2"]);
  assert.deepEqual([fold(events, UNNAMED).undo, fold(events, UNNAMED).redo], ["2", "3"]);
  events.push({ id: "5", type: "redo", event: "3" });
  assert.deepEqual(strokesShown(events), ["s2"]);
  events.push({ id: "6", type: "undo", event: "2" }, draw("7", "s3"));
  assert.equal(fold(events, UNNAMED).redo, null);
});

test("strokes of a class go with it, and its number is not used again", () => {
  const events = [START, draw("1", "s1"), draw("2", "s2", "sample", 2)];
  events.push({ id: "3", type: "class.add", class: { id: 3, name: "C", colour: "#0000ff" } });
  events.push({ id: "4", type: "class.remove", class_id: 2 }, { id: "5", type: "class.remove", class_id: 3 });
  const state = fold(events, UNNAMED);
  assert.deepEqual(state.classes.map(({ id }) => id), [1]);
  assert.deepEqual(state.strokes.map(({ id }) => id), ["s1"]);
  assert.equal(state.lastClassId, 3);
});

test("only what is known can be changed or hidden", () => {
  const state = fold([
    START,
    { id: "1", type: "class.change", class_id: 1, colour: "#123456" },
    { id: "2", type: "class.change", class_id: 9, name: "nobody" },
    { id: "3", type: "class.hide", class_id: 2, hidden: true },
    { id: "4", type: "class.hide", class_id: 9, hidden: true },
    { id: "5", type: "of another version" },
  ], UNNAMED);
  assert.deepEqual(state.classes.map(({ name, colour }) => [name, colour]), [["A", "#123456"], ["B", "#00ff00"]]);
  assert.deepEqual([...state.hidden], [2]);
});

test("the sample leaves with its strokes and names, whatever image is shown, and undo brings all back", () => {
  /** @type {SessionEvent[]} */
  const events = [
    START, draw("1", "s1"), { id: "2", type: "class.change", class_id: 2, name: "B" },
    { id: "3", type: "image.open", image: image("own") }, { id: "4", type: "sample.leave", image: "sample" },
  ];
  const state = fold(events, UNNAMED, "own");
  assert.deepEqual(state.images.map(({ hash }) => hash), ["own"]);
  assert.deepEqual(state.classes.map(({ name }) => name), ["Class 1", "B"]);
  assert.deepEqual([state.undo, state.strokesElsewhere.size], ["4", 0]);
  const back = fold([...events, { id: "5", type: "undo", event: "4" }], UNNAMED, "sample");
  assert.deepEqual(back.strokes.map(({ id }) => id), ["s1"]);
  assert.deepEqual([back.classes.map(({ name }) => name), back.redo], [["A", "B"], "4"]);
});

test("in journals of before the sample leaves if nothing is drawn on it, and comes back with a stroke", () => {
  /** @type {SessionEvent[]} */
  const events = [START, { id: "1", type: "image.open", image: image("own", 1), instead: "sample" }];
  assert.deepEqual(fold(events, UNNAMED).images.map(({ hash }) => hash), ["own"]);
  events.push(draw("2", "s1"));
  const state = fold(events, UNNAMED);
  assert.deepEqual(state.images.map(({ hash }) => hash), ["sample", "own"]);
  assert.equal(state.image?.hash, "own");
  assert.deepEqual([...state.strokesElsewhere].map(([hash, strokes]) => [hash, strokes.length]), [["sample", 1]]);
});

test("each window shows an image of its own, and undoes what concerns that", () => {
  /** @type {SessionEvent[]} */
  const events = [START, { id: "1", type: "image.open", image: image("own") }, draw("2", "s1"), draw("3", "s2", "own")];
  assert.deepEqual([strokesShown(events), strokesShown(events, "sample")], [["s2"], ["s1"]]);
  assert.equal(fold(events, UNNAMED, "sample").undo, "2");
  assert.equal(fold(events, UNNAMED, "own").undo, "3");
  events.push({ id: "4", type: "image.remove", image: "own" });
  assert.equal(fold(events, UNNAMED, "own").image?.hash, "sample");
  assert.equal(fold(events, UNNAMED, "sample").undo, "4");
  events.push({ id: "5", type: "image.remove", image: "sample" });
  assert.deepEqual(fold(events, UNNAMED).images.map(({ hash }) => hash), ["sample"]);
});

test("an opened classifier brings its classes, strokes and settings; undo brings the others back", () => {
  const opened = { hash: "c", name: "a.squiggle" };
  const events = [START, draw("1", "s1"), {
    id: "2", type: "classifier.open", classifier: opened, classes: [{ id: 7, name: "Z", colour: "#777777" }],
    strokes: { sample: [stroke("t1", 7)] }, features: { edges: false }, forest: { n_estimators: 5 },
  }];
  const state = fold(events, UNNAMED);
  assert.deepEqual([state.opened, state.features, state.forest], [opened, { edges: false }, { n_estimators: 5 }]);
  assert.deepEqual([state.classes.map(({ id }) => id), state.strokes.map(({ id }) => id)], [[7], ["t1"]]);
  const undone = fold([...events, { id: "3", type: "undo", event: "2" }], UNNAMED);
  assert.deepEqual([undone.opened, undone.features], [null, UNNAMED.features]);
  assert.deepEqual(undone.strokes.map(({ id }) => id), ["s1"]);
});
