/* What one event does to what the events of a session before it add up to; see state.mjs. */

import { UNLABELLED, hasClass } from "../page/classids.mjs";
import { leaveSample, openImage, removeImage } from "./images.mjs";
import { makeStack } from "./stacks.mjs";

/** @import { CleanUpStep, ImageFacts, LabelClass, OpenedFacts, SessionEvent, Settings, Stroke } from "./state.mjs" */
/** @import { PixelSize } from "../page/lengths.mjs" */
/** @import { Stack } from "./stacks.mjs" */

/**
 * @typedef {object} Folding
 * @property {string} name
 * @property {?ImageFacts} image
 * @property {Map<string, ImageFacts>} images
 * @property {Map<string, Stack>} stacks
 * @property {Map<string, ?PixelSize>} measured
 * @property {Map<number, LabelClass>} classes
 * @property {Set<number>} hidden
 * @property {Map<number, number>} weights by class id
 * @property {CleanUpStep[]} cleanUp
 * @property {Map<number, number>} merged into which class those went that are no more
 * @property {number[]} order ids of classes as they were put
 * @property {Map<string, Map<string, Stroke>>} strokes
 * @property {Map<string, Map<string, Stroke>>} corrections
 * @property {boolean} learnsCorrections
 * @property {Set<string>} replaced
 * @property {Set<number>} given ids of the classes that are called as the session began with them
 * @property {{features: Settings, forest: Settings}} unnamed what holds where an event does not name a setting
 * @property {Settings} features
 * @property {Settings} forest
 * @property {?OpenedFacts} opened
 * @property {boolean} keeps
 * @property {number} lastClassId
 */

/**
 * @param {Folding} folding
 * @param {LabelClass} labelClass
 */
function addClass(folding, { id, name, colour }) {
  folding.classes.set(id, { id, name, colour });
  folding.merged.delete(id);
  folding.lastClassId = Math.max(folding.lastClassId, id);
}

/**
 * The strokes, or corrections, on an image, by their ids.
 * @param {Folding} folding
 * @param {string} image
 * @param {"strokes" | "corrections"} kind
 */
export function strokesOf(folding, image, kind = "strokes") {
  const strokes = folding[kind].get(image) ?? new Map();
  folding[kind].set(image, strokes);
  return strokes;
}

/**
 * What an event says of the settings; old journals know nothing of those that came later.
 * @param {Folding} folding
 * @param {Record<string, any> & {features?: Settings, forest?: Settings}} event
 */
function changeSettings(folding, { features, forest }) {
  if (features) folding.features = { ...folding.unnamed.features, ...features };
  if (forest) folding.forest = { ...folding.unnamed.forest, ...forest };
}

/** Strokes in other classes than they were drawn in: the same object each time. @type {WeakMap<Stroke, Stroke>} */
const strokesAsMerged = new WeakMap();

/**
 * A stroke in the class that its own was merged into.
 * @param {Folding} folding
 * @param {Stroke} stroke
 */
function asMerged({ merged }, stroke) {
  let id = stroke.class_id;
  for (let next = merged.get(id); next !== undefined; next = merged.get(id)) id = next;
  if (id === stroke.class_id) return stroke;
  let found = strokesAsMerged.get(stroke);
  if (found?.class_id !== id) strokesAsMerged.set(stroke, found = { ...stroke, class_id: id });
  return found;
}

/**
 * Those of strokes whose classes are there.
 * @param {Folding} folding
 * @param {Map<string, Stroke>} [strokes] by their ids
 */
export function seen(folding, strokes = new Map()) {
  return [...strokes.values()].map((stroke) => asMerged(folding, stroke))
    .filter((stroke) => !hasClass(stroke) || folding.classes.has(stroke.class_id));
}

/**
 * Corrections outlive the classifier, but not classes that are others now.
 * @param {Folding} folding
 * @param {LabelClass[]} classes that there will be
 */
function keepCorrections(folding, classes) {
  const same = new Set(classes.filter(({ id, name }) => folding.classes.get(id)?.name === name).map(({ id }) => id));
  for (const [image, painted] of folding.corrections) {
    const kept = seen(folding, painted).filter(({ class_id: id }) => id === UNLABELLED || same.has(id));
    folding.corrections.set(image, new Map(kept.map((one) => [one.id, one])));
  }
}

/**
 * The classes, strokes and settings of a classifier take the place of the session's.
 * @param {Folding} folding
 * @param {SessionEvent} event
 */
function openClassifier(folding, event) {
  keepCorrections(folding, event.classes);
  folding.classes.clear();
  folding.hidden.clear();
  folding.given.clear();
  folding.merged.clear();
  folding.order = [];
  folding.weights = new Map(Object.entries(event.weights ?? {}).map(([id, weight]) => [Number(id), weight]));
  folding.cleanUp = event.clean_up ?? [];
  folding.strokes.clear();
  for (const labelClass of event.classes) addClass(folding, labelClass);
  for (const [image, strokes] of Object.entries(event.strokes)) {
    for (const stroke of strokes) strokesOf(folding, image).set(stroke.id, stroke);
  }
  changeSettings(folding, event);
  folding.opened = event.classifier;
  folding.keeps = event.keep ?? false;
}

/**
 * Strokes of a file lie below those that are there, but above what was erased; none of these is lost.
 * @param {Folding} folding
 * @param {SessionEvent} event
 */
function addStrokes(folding, { classes, strokes }) {
  for (const labelClass of classes) {
    addClass(folding, labelClass);
    folding.given.delete(labelClass.id);
  }
  for (const [image, brought] of Object.entries(strokes)) {
    const known = strokesOf(folding, image);
    const order = [...known.values()];
    const erased = order.findLastIndex((one) => one.class_id === UNLABELLED) + 1;
    const added = /** @type {Stroke[]} */ (brought).filter(({ id }) => !known.has(id));
    folding.strokes.set(image, new Map(order.toSpliced(erased, 0, ...added).map((one) => [one.id, one])));
  }
}

/** @type {Record<string, (folding: Folding, event: SessionEvent) => void>} */
export const APPLY = {
  "session.start": (folding, event) => {
    openImage(folding, event.image);
    for (const labelClass of event.classes) addClass(folding, labelClass);
    folding.given = new Set(folding.classes.keys());
    changeSettings(folding, event);
  },
  "session.rename": (folding, { name }) => { folding.name = name; },
  "image.open": (folding, { image, instead = image.hash }) => {
    openImage(folding, image);
    if (instead !== image.hash) folding.replaced.add(instead);
  },
  "image.remove": (folding, { image }) => { removeImage(folding, image); },
  "stack.make": (folding, event) => {
    makeStack(folding, event);
    if (folding.image) folding.image = folding.images.get(folding.image.hash) ?? null;
  },
  "image.measure": (folding, { image, pixel_size: size }) => {
    folding.measured.set(folding.images.get(image)?.stack ?? image, size);
  },
  "sample.leave": leaveSample,
  "stroke.add": (folding, { image, stroke }) => { strokesOf(folding, image).set(stroke.id, stroke); },
  "strokes.add": addStrokes,
  "stroke.change": (folding, { image, stroke }) => {
    const strokes = strokesOf(folding, image);
    if (strokes.has(stroke.id)) strokes.set(stroke.id, stroke);
  },
  "stroke.erase": (folding, { image, strokes }) => {
    for (const id of strokes) strokesOf(folding, image).delete(id);
  },
  "correction.add": (folding, { image, stroke }) => {
    strokesOf(folding, image, "corrections").set(stroke.id, stroke);
  },
  "correction.erase": (folding, { image, strokes }) => {
    for (const id of strokes) strokesOf(folding, image, "corrections").delete(id);
  },
  "correction.learn": (folding, { learn }) => { folding.learnsCorrections = learn; },
  "class.add": (folding, event) => {
    addClass(folding, event.class);
    folding.given.delete(event.class.id);
  },
  "class.change": (folding, { class_id: id, name, colour }) => {
    const old = folding.classes.get(id);
    if (name !== undefined) folding.given.delete(id);
    if (old) addClass(folding, { id, name: name ?? old.name, colour: colour ?? old.colour });
  },
  "class.remove": (folding, event) => { folding.classes.delete(event.class_id); },
  "class.hide": (folding, event) => { folding.hidden[event.hidden ? "add" : "delete"](event.class_id); },
  "class.weigh": (folding, { class_id: id, weight }) => { folding.weights.set(id, weight); },
  "class.import": (folding, { classes }) => {
    for (const labelClass of classes) {
      addClass(folding, labelClass);
      folding.given.delete(labelClass.id);
    }
  },
  "class.merge": (folding, { from, into }) => {
    if (from === into || !folding.classes.has(from) || !folding.classes.has(into)) return;
    folding.classes.delete(from);
    folding.merged.set(from, into);
  },
  "class.order": (folding, event) => { folding.order = event.class_ids; },
  "clean_up.change": (folding, { steps }) => { folding.cleanUp = steps; },
  "settings.change": changeSettings,
  "classifier.open": openClassifier,
  "classifier.keep": (folding, { keep }) => { folding.keeps = keep; },
  "classifier.close": (folding) => { folding.opened = null; },
};
