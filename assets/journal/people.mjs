/* Whose work is whose: what the journal says of the people who wrote it. Needs no browser. */

import { fold } from "./state.mjs";

/** @import { SessionEvent, Settings, State } from "./state.mjs" */

/** What people are called who have not said. */
export const NAMELESS = "somebody";

/**
 * The authors of strokes by the ids of these, and the names of authors by theirs, the latest each; as far as known.
 * @param {SessionEvent[]} events
 */
export function whoDrew(events) {
  /** @type {Map<string, string>} */
  const authors = new Map();
  /** @type {Map<string, string>} */
  const names = new Map();
  for (const { type, author, stroke, strokes } of events) {
    if (!author) continue;
    if (author.name) names.set(author.id, author.name);
    if (type === "stroke.add" || type === "correction.add") authors.set(stroke.id, author.id);
    /* A stroke of a file whose id there is already is not brought in. */
    if (type === "strokes.add") {
      for (const { id } of Object.values(strokes).flat()) if (!authors.has(id)) authors.set(id, author.id);
    }
  }
  return { authors, names };
}

/** Those of corrections too. @param {State} state */
const strokeIds = ({ strokes, strokesElsewhere, corrections, correctionsElsewhere }) => new Set(
  [strokes, ...strokesElsewhere.values(), corrections, ...correctionsElsewhere.values()].flat().map(({ id }) => id),
);

/**
 * What of others would no longer be seen after one more event, such as the undoing of a class that they have drawn in.
 * @param {SessionEvent[]} events
 * @param {SessionEvent} event that would be the next
 * @param {{features: Settings, forest: Settings}} unnamed
 * @param {string} me id of who would do it
 * @returns {{strokes: number, names: string[]}} how many strokes, and of whom
 */
export function takenFromOthers(events, event, unnamed, me) {
  const { authors, names } = whoDrew(events);
  const left = strokeIds(fold([...events, event], unnamed));
  const others = [...strokeIds(fold(events, unnamed))]
    .filter((id) => !left.has(id))
    .flatMap((id) => authors.get(id) ?? [])
    .filter((author) => author !== me);
  return { strokes: others.length, names: [...new Set(others.map((author) => names.get(author) ?? NAMELESS))] };
}
