/* What events add up to; of a long journal the beginning is kept, so that only what came since is folded. */

import { APPLY } from "./folding.mjs";
import { dropReplaced } from "./images.mjs";
import { UNDOABLE, undoneEvents } from "./undo.mjs";

/** @import { Folding } from "./folding.mjs" */
/** @import { SessionEvent, Settings } from "./state.mjs" */

/**
 * @typedef {object} Beginning
 * @property {number} count events that it consists of
 * @property {SessionEvent} last of them
 * @property {Set<string>} undone ids of all events that were passed over
 * @property {{features: Settings, forest: Settings}} unnamed
 * @property {Folding} folding what they add up to, never changed
 */

/** How many of the last events may still be another's tomorrow, and after how many more a longer beginning is kept. */
export const PACE = { loose: 64, every: 64 };

/** By the first event of their journal. @type {WeakMap<SessionEvent, Beginning>} */
const beginnings = new WeakMap();

/**
 * @param {{features: Settings, forest: Settings}} unnamed
 * @returns {Folding}
 */
const nothing = (unnamed) => ({
  name: "", image: null, images: new Map(), stacks: new Map(), measured: new Map(), classes: new Map(),
  hidden: new Set(), weights: new Map(), cleanUp: [],
  merged: new Map(), order: [], strokes: new Map(), corrections: new Map(),
  learnsCorrections: false, replaced: new Set(), given: new Set(), unnamed, ...unnamed,
  opened: null, keeps: false, lastClassId: 0,
});

/** @template K, V @param {Map<K, Map<K, V>>} maps */
const copied = (maps) => new Map([...maps].map(([key, map]) => [key, new Map(map)]));

/**
 * The same, to be changed on its own.
 * @param {Folding} folding
 * @returns {Folding}
 */
const copyOf = (folding) => ({
  ...folding,
  images: new Map(folding.images),
  stacks: new Map(folding.stacks),
  measured: new Map(folding.measured),
  classes: new Map(folding.classes),
  hidden: new Set(folding.hidden),
  weights: new Map(folding.weights),
  merged: new Map(folding.merged),
  strokes: copied(folding.strokes),
  corrections: copied(folding.corrections),
  replaced: new Set(folding.replaced),
  given: new Set(folding.given),
});

/**
 * @param {Folding} folding
 * @param {SessionEvent} event
 * @param {Set<string>} undone
 */
function apply(folding, event, undone) {
  const added = event.type === "class.add" ? [event.class]
    : ["class.import", "strokes.add"].includes(event.type) ? event.classes : [];
  for (const { id } of added) folding.lastClassId = Math.max(folding.lastClassId, id);
  if (!undone.has(event.id) || !UNDOABLE.has(event.type)) APPLY[event.type]?.(folding, event);
}

/**
 * Whether events begin with what is kept, and nothing else of it is undone.
 * @param {Beginning | undefined} kept
 * @param {SessionEvent[]} events
 * @param {{features: Settings, forest: Settings}} unnamed
 * @param {Set<string>} undone
 * @returns {kept is Beginning}
 */
const isBeginningOf = (kept, events, unnamed, undone) => (
  kept !== undefined && kept.count <= events.length && kept.last === events[kept.count - 1] && kept.unnamed === unnamed
  && kept.undone.size === undone.size && [...undone].every((id) => kept.undone.has(id))
);

/**
 * @param {SessionEvent[]} events whose objects stay the same as long as they are the same events
 * @param {{features: Settings, forest: Settings}} unnamed
 * @returns {Folding}
 */
export function foldAll(events, unnamed) {
  const undone = undoneEvents(events);
  const found = beginnings.get(events[0]);
  const kept = isBeginningOf(found, events, unnamed, undone) ? found : null;
  const folding = kept ? copyOf(kept.folding) : nothing(unnamed);
  const begun = kept?.count ?? 0;
  const firm = events.length - PACE.loose;
  for (let at = begun; at < events.length; at += 1) {
    if (at === firm && at >= begun + PACE.every) {
      beginnings.set(events[0], { count: at, last: events[at - 1], undone, unnamed, folding: copyOf(folding) });
    }
    apply(folding, events[at], undone);
  }
  dropReplaced(folding);
  return folding;
}
