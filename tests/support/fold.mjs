/*
 * Folds journals as the page does: each line of the standard input is a list of events, the answer is the state that
 * they add up to. The argument is what holds where an event does not name a setting.
 */
import { createInterface } from "node:readline";

import { PACE } from "../../assets/journal/beginnings.mjs";
import { fold } from "../../assets/journal/state.mjs";

const unnamed = JSON.parse(process.argv[2]);
/* As in a session of the page: what was there stays the same object, and beginnings of journals are kept. */
Object.assign(PACE, { loose: 2, every: 3 });
/** @type {Map<string, object>} */
const known = new Map();

function sameObjects(events) {
  return events.map((event) => {
    const text = JSON.stringify(event);
    const same = known.get(text) ?? event;
    known.set(text, same);
    return same;
  });
}

function asJson(events) {
  const state = fold(events, unnamed);
  return {
    name: state.name,
    image: state.image,
    images: state.images.map((image) => [image, fold(events, unnamed, image.hash).strokes]),
    elsewhere: [...state.strokesElsewhere],
    stacks: [...state.stacks],
    measured: [...state.measured],
    classes: state.classes,
    hidden: [...state.hidden].sort((a, b) => a - b),
    weights: [...state.weights].sort(([a], [b]) => a - b),
    cleanUp: state.cleanUp,
    strokes: state.strokes,
    corrections: [[state.image.hash, state.corrections], ...state.correctionsElsewhere],
    learnsCorrections: state.learnsCorrections,
    opened: state.opened,
    keeps: state.keeps,
    features: state.features,
    forest: state.forest,
    offered: Object.fromEntries(["", "ann", "bob"].map((author) => {
      const { undo, redo } = fold(events, unnamed, null, author);
      return [author, { undo, redo }];
    })),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(asJson(sameObjects(JSON.parse(line))))}\n`);
}
