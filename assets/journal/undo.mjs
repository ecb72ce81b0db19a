/* Which events are undone, and which one a person would undo or redo next. */

/** @import { SessionEvent } from "./state.mjs" */

export const UNDOABLE = new Set([
  "image.remove", "image.measure", "sample.leave", "stroke.add", "strokes.add", "stroke.change", "stroke.erase",
  "class.add", "class.change", "class.remove", "class.weigh", "class.import", "class.merge", "class.order",
  "correction.add", "correction.erase", "correction.learn", "clean_up.change",
  "stack.make",
  "classifier.open", "classifier.keep", "classifier.close",
]);

/**
 * The ids of the events that are passed over.
 * @param {SessionEvent[]} events
 */
export function undoneEvents(events) {
  const undone = new Set();
  for (const event of events) {
    if (event.type === "undo") undone.add(event.event);
    else if (event.type === "redo") undone.delete(event.event);
  }
  return undone;
}

/**
 * The events that Ctrl+Z and Ctrl+Shift+Z would act on: only one's own, and what concerns the current image. Events
 * without an author, those of old journals, are everybody's.
 * @param {SessionEvent[]} events
 * @param {string | undefined} image hash of the current image
 * @param {?string} me id of the author whose events are looked at; null for those of all
 */
export function undoTargets(events, image, me) {
  /** Those that come first are undone last. @type {Map<string, SessionEvent>} */
  const undo = new Map();
  /** @type {Map<string, SessionEvent>} */
  const redo = new Map();
  /** @type {(id: string, from: Map<string, SessionEvent>, to: Map<string, SessionEvent>) => void} */
  const move = (id, from, to) => {
    const event = from.get(id);
    if (event && from.delete(id)) to.set(id, event);
  };
  for (const event of events) {
    const { id, type, author } = event;
    if (UNDOABLE.has(type)) {
      if (me && author && author.id !== me) continue;
      undo.set(id, event);
      redo.clear();
    } else if (type === "undo") move(event.event, undo, redo);
    else if (type === "redo") move(event.event, redo, undo);
  }
  /** @param {SessionEvent} event */
  const concernsImage = ({ type, image: its }) => (
    ["image.remove", "sample.leave"].includes(type) || [undefined, image].includes(its)
  );
  /** @param {Map<string, SessionEvent>} some */
  const lastOf = (some) => [...some.values()].findLast(concernsImage)?.id ?? null;
  return { undo: lastOf(undo), redo: lastOf(redo) };
}
