/* Whose work is whose. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { takenFromOthers, whoDrew } from "../../../assets/journal/people.mjs";
import { fold } from "../../../assets/journal/state.mjs";

/** @import { SessionEvent } from "../../../assets/journal/state.mjs" */

const UNNAMED = { features: {}, forest: {} };
const ANN = { id: "ann", name: "Ann" };
const BOB = { id: "bob", name: "" };

/** @type {SessionEvent} */
const START = {
  id: "start", type: "session.start",
  image: { hash: "sample", name: "a.png", rows: 4, columns: 5, channels: 3, dtype: "uint8" },
  classes: [{ id: 1, name: "A", colour: "#ff0000" }],
};

/** @type {(id: string, author: {id: string, name: string} | undefined, classId?: number) => SessionEvent} */
const draw = (id, author, classId = 1) => ({
  id, type: "stroke.add", image: "sample", author,
  stroke: { id: `s${id}`, class_id: classId, kind: "path", path: "M1,1L2,2", width: 3 },
});

/** @type {(events: SessionEvent[], me: string) => (string | null)[]} */
const offered = (events, me) => {
  const { undo, redo } = fold(events, UNNAMED, null, me);
  return [undo, redo];
};

test("undo and redo go through one's own events, whatever others do in between", () => {
  const events = [START, draw("1", ANN), draw("2", BOB)];
  assert.deepEqual(offered(events, "ann"), ["1", null]);
  assert.deepEqual(offered(events, "bob"), ["2", null]);
  assert.deepEqual(offered(events, "carl"), [null, null]);
  events.push({ id: "3", type: "undo", event: "1", author: ANN }, draw("4", BOB));
  assert.deepEqual(offered(events, "ann"), [null, "1"]);
  assert.deepEqual(offered(events, "bob"), ["4", null]);
  assert.deepEqual(fold(events, UNNAMED).strokes.map(({ id }) => id), ["s2", "s4"]);
});

test("what somebody else undid of mine cannot be undone again", () => {
  const events = [START, draw("1", ANN), draw("2", ANN), { id: "3", type: "undo", event: "2", author: BOB }];
  assert.deepEqual(offered(events, "ann"), ["1", "2"]);
});

test("what has no author, in an old journal, is everybody's", () => {
  const events = [START, draw("1", undefined), draw("2", BOB)];
  assert.deepEqual(offered(events, "ann"), ["1", null]);
  assert.deepEqual(offered([...events, { id: "3", type: "undo", event: "1", author: ANN }], "bob"), ["2", "1"]);
});

test("the authors of strokes and their latest names", () => {
  const { authors, names } = whoDrew([START, draw("1", ANN), draw("2", BOB), draw("3", { id: "bob", name: "Bob" })]);
  assert.deepEqual([...authors], [["s1", "ann"], ["s2", "bob"], ["s3", "bob"]]);
  assert.deepEqual([...names], [["ann", "Ann"], ["bob", "Bob"]]);
});

test("strokes that came in a file are of who brought it, but for those that there were", () => {
  const [ours, theirs] = ["1", "2"].map((id) => draw(id, ANN).stroke);
  const strokes = { sample: [ours, theirs] };
  const event = { id: "f", type: "strokes.add", name: "f", classes: [], strokes, author: BOB };
  const events = [START, draw("1", ANN), event];
  assert.deepEqual([...whoDrew(events).authors], [["s1", "ann"], ["s2", "bob"]]);
  const undo = { id: "u", type: "undo", event: "f" };
  assert.deepEqual(takenFromOthers(events, undo, UNNAMED, "ann"), { strokes: 1, names: ["somebody"] });
});

test("to undo a class takes along what others have drawn in it, and nothing else does", () => {
  /** @type {SessionEvent[]} */
  const events = [
    START, { id: "c", type: "class.add", class: { id: 2, name: "B", colour: "#00ff00" }, author: ANN },
    draw("1", ANN, 2), draw("2", BOB, 2), draw("3", BOB),
  ];
  /** @type {(target: string) => object} */
  const taken = (target) => takenFromOthers(events, { id: "u", type: "undo", event: target }, UNNAMED, "ann");
  assert.deepEqual(taken("c"), { strokes: 1, names: ["somebody"] });
  assert.deepEqual(taken("1"), { strokes: 0, names: [] });
});
