/* Which events are undone, and which one a person would undo or redo next. */

/** @import { SessionEvent } from "./state.mjs" */

export const UNDOABLE = new Set([
  "image.remove", "image.measure", "sample.leave", "stroke.add", "strokes.add", "stroke.change", "stroke.erase",
  "class.add", "class.change", "class.remove", "class.weigh", "class.import", "class.merge", "class.order",
  "correction.add", "correction.erase", "correction.learn", "clean_up.change",
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
  /** @type {string[]} */
  let undo = [];
  /** @type {string[]} */
  let redo = [];
  const byId = new Map(events.map((event) => [event.id, event]));
  for (const { id, type, event: target, author } of events) {
    if (UNDOABLE.has(type)) {
      if (me && author && author.id !== me) continue;
      undo.push(id);
      redo = [];
    } else if (type === "undo" && undo.includes(target)) {
      undo = undo.filter((one) => one !== target);
      redo.push(target);
    } else if (type === "redo" && redo.includes(target)) {
      redo = redo.filter((one) => one !== target);
      undo.push(target);
    }
  }
  /** @param {string} id */
  const concernsImage = (id) => {
    const event = byId.get(id);
    return ["image.remove", "sample.leave"].includes(event?.type ?? "") || [undefined, image].includes(event?.image);
  };
  return { undo: undo.findLast(concernsImage) ?? null, redo: redo.findLast(concernsImage) ?? null };
}
