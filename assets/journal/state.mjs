/*
 * What the events of a session add up to; the server folds the same events in segmentation/web/session/state.py. This
 * module needs no browser, so that a test can hold the two folds equal.
 */

import { UNDOABLE, undoneEvents, undoTargets } from "./undo.mjs";

/**
 * @typedef {object} ImageFacts what is known of an image
 * @property {string} hash
 * @property {string} name
 * @property {number} rows
 * @property {number} columns
 * @property {number} channels
 * @property {string} dtype
 * @property {string[]} [names] all, where files of several names had the same pixels
 */

/** @typedef {{id: number, name: string, colour: string}} LabelClass */

/** @import { PixelSize } from "../page/lengths.mjs" */

/**
 * @typedef {object} Stroke what was drawn, in image coordinates
 * @property {string} id
 * @property {number} class_id 0 of what the eraser drew: nothing is labelled under it
 * @property {string} kind path, polygon, rectangle or circle
 * @property {string} [path] of a path or polygon, as SVG has it
 * @property {number} [width] of a path
 * @property {number} [x0] of a rectangle or circle, as all below
 * @property {number} [y0]
 * @property {number} [x1]
 * @property {number} [y1]
 */

/**
 * @typedef {object} CleanUpStep
 * @property {string} kind fill_holes, drop_small, smooth, drop_border, keep_border or split
 * @property {number} size in pixels; of split from 0 to 1; else 0
 * @property {?number[]} classes ids of the classes that it is for; null: all
 */

/** @typedef {Record<string, any>} Settings of the features or the forest, by their names */

/**
 * @typedef {object} OpenedFacts what is known of a classifier that was opened from a file
 * @property {string} hash
 * @property {string} name
 * @property {?number} channels null: any
 * @property {number} trees
 * @property {number[]} class_ids
 * @property {{rows: number, columns: number}[]} images that it was trained on
 * @property {number} strokes how many travelled along
 * @property {number} pixels how many travelled along
 */

/**
 * @typedef {{id: string, type: string, author?: {id: string, name: string}, time?: number} & Record<string, any>}
 * SessionEvent what a person did; who and when is missing in old journals
 */

/**
 * @typedef {object} State
 * @property {string} name of the session
 * @property {?ImageFacts} image the current one; null before the server has said what the session begins with
 * @property {ImageFacts[]} images in the order in which they came
 * @property {Map<string, PixelSize>} measured the pixel sizes that were typed, by the hashes of their images
 * @property {LabelClass[]} classes as people have put them, else by their ids, ascending
 * @property {Set<number>} hidden ids of the classes that are not shown
 * @property {Map<number, number>} weights what the probability of a class is multiplied with, where that is not 1
 * @property {CleanUpStep[]} cleanUp steps that are done to segmentations, in their order
 * @property {Stroke[]} strokes on the current image
 * @property {Map<string, Stroke[]>} strokesElsewhere on the other images, by their hashes: these are learnt from too
 * @property {Settings} features
 * @property {Settings} forest
 * @property {?OpenedFacts} opened the classifier that was opened last
 * @property {boolean} keeps whether that one, if it cannot learn on, stays in use whatever is drawn
 * @property {?string} undo id of the event that would be undone; only what concerns the current image
 * @property {?string} redo id of the event that would be redone
 * @property {number} lastClassId the largest that was ever used
 */

/** @typedef {State & {image: ImageFacts}} StateWithImage */

/**
 * @typedef {object} Folding
 * @property {string} name
 * @property {?ImageFacts} image
 * @property {Map<string, ImageFacts>} images
 * @property {Map<string, ?PixelSize>} measured
 * @property {Map<number, LabelClass>} classes
 * @property {Set<number>} hidden
 * @property {Map<number, number>} weights by class id
 * @property {CleanUpStep[]} cleanUp
 * @property {Map<number, number>} merged into which class those went that are no more
 * @property {number[]} order ids of classes as they were put
 * @property {Map<string, Map<string, Stroke>>} strokes
 * @property {Set<string>} replaced
 * @property {Set<number>} given ids of the classes that are called as the session began with them
 * @property {{features: Settings, forest: Settings}} unnamed what holds where an event does not name a setting
 * @property {Settings} features
 * @property {Settings} forest
 * @property {?OpenedFacts} opened
 * @property {boolean} keeps
 * @property {number} lastClassId
 */

/** The class of the strokes of the eraser. */
export const UNLABELLED = 0;

const MAX_NAMES = 20;

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
 * The strokes on an image, by their ids.
 * @param {Folding} folding
 * @param {string} image
 */
function strokesOf(folding, image) {
  const strokes = folding.strokes.get(image) ?? new Map();
  folding.strokes.set(image, strokes);
  return strokes;
}

/**
 * @param {Folding} folding
 * @param {ImageFacts} image
 */
function openImage(folding, image) {
  let known = folding.images.get(image.hash) ?? image;
  const { names = [known.name] } = known;
  if (!names.includes(image.name) && names.length < MAX_NAMES) known = { ...known, names: [...names, image.name] };
  folding.images.set(image.hash, known);
  folding.image = known;
  folding.replaced.delete(image.hash);
}

/**
 * The image that came last.
 * @param {Folding} folding
 */
const lastImage = (folding) => [...folding.images.values()].at(-1) ?? null;

/**
 * @param {Folding} folding
 * @param {string} hash
 * @returns {boolean} whether it was there, and not the only one
 */
function removeImage(folding, hash) {
  if (folding.images.size < 2 || !folding.images.delete(hash)) return false;
  folding.strokes.delete(hash);
  if (folding.image?.hash === hash) folding.image = lastImage(folding);
  return true;
}

/**
 * The sample leaves with what was drawn on it, and with the names that suit nothing else.
 * @param {Folding} folding
 * @param {SessionEvent} event
 */
function leaveSample(folding, { image }) {
  if (!removeImage(folding, image)) return;
  for (const [id, old] of folding.classes) {
    if (folding.given.has(id)) folding.classes.set(id, { ...old, name: `Class ${id}` });
  }
  folding.given.clear();
}

/**
 * The sample left for an image of one's own, unless something was drawn on it: so in journals of before.
 * @param {Folding} folding
 */
function dropReplaced(folding) {
  for (const hash of [...folding.images.keys()].filter((one) => folding.replaced.has(one))) {
    if (folding.images.size > 1 && !folding.strokes.get(hash)?.size) folding.images.delete(hash);
  }
  if (folding.image && !folding.images.has(folding.image.hash)) folding.image = lastImage(folding);
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

/**
 * The classes, strokes and settings of a classifier take the place of the session's.
 * @param {Folding} folding
 * @param {SessionEvent} event
 */
function openClassifier(folding, event) {
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
const APPLY = {
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
  "image.measure": (folding, { image, pixel_size: size }) => { folding.measured.set(image, size); },
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

/**
 * @param {SessionEvent[]} events
 * @param {{features: Settings, forest: Settings}} unnamed
 * @returns {Folding}
 */
function foldAll(events, unnamed) {
  const undone = undoneEvents(events);
  /** @type {Folding} */
  const folding = {
    name: "", image: null, images: new Map(), measured: new Map(), classes: new Map(), hidden: new Set(),
    weights: new Map(), cleanUp: [],
    merged: new Map(), order: [], strokes: new Map(), replaced: new Set(), given: new Set(), unnamed, ...unnamed,
    opened: null, keeps: false, lastClassId: 0,
  };
  for (const event of events) {
    const added = event.type === "class.add" ? [event.class]
      : ["class.import", "strokes.add"].includes(event.type) ? event.classes : [];
    for (const { id } of added) folding.lastClassId = Math.max(folding.lastClassId, id);
    if (!undone.has(event.id) || !UNDOABLE.has(event.type)) APPLY[event.type]?.(folding, event);
  }
  dropReplaced(folding);
  return folding;
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
 * The classes as they were put, the others behind them.
 * @param {Folding} folding
 */
function listed({ classes, order }) {
  /** @param {LabelClass} one */
  const place = ({ id }) => (order.includes(id) ? order.indexOf(id) : order.length);
  return [...classes.values()].sort((a, b) => place(a) - place(b) || a.id - b.id);
}

/**
 * Fold events, in the journal's order, into a state.
 * @param {SessionEvent[]} events
 * @param {{features: Settings, forest: Settings}} unnamed settings where no event names them
 * @param {?string} [currentImage] hash of the image that this window shows; else it is the one opened last
 * @param {?string} [me] id of the author whose events undo and redo act on; else they act on those of all
 * @returns {State}
 */
export function fold(events, unnamed, currentImage = null, me = null) {
  const folding = foldAll(events, unnamed);
  const image = folding.images.get(currentImage ?? "") ?? folding.image;
  const images = [...folding.images.values()];
  const classes = listed(folding);
  /** @type {Map<string, PixelSize>} */
  const measured = new Map();
  for (const { hash } of images) {
    const size = folding.measured.get(hash);
    if (size) measured.set(hash, size);
  }
  /** @param {ImageFacts} image */
  const strokesOn = ({ hash }) => (
    [...strokesOf(folding, hash).values()].map((stroke) => asMerged(folding, stroke))
      .filter(({ class_id: id }) => id === UNLABELLED || folding.classes.has(id))
  );
  return {
    name: folding.name,
    image,
    images,
    measured,
    classes,
    hidden: new Set(classes.filter(({ id }) => folding.hidden.has(id)).map(({ id }) => id)),
    weights: new Map(classes.flatMap(({ id }) => {
      const weight = folding.weights.get(id) ?? 1;
      return weight === 1 ? [] : [[id, weight]];
    })),
    cleanUp: folding.cleanUp,
    strokes: image ? strokesOn(image) : [],
    strokesElsewhere: new Map(images.filter((one) => one !== image).map((one) => [one.hash, strokesOn(one)])),
    features: folding.features,
    forest: folding.forest,
    opened: folding.opened,
    keeps: folding.keeps,
    lastClassId: folding.lastClassId,
    ...undoTargets(events, image?.hash, me),
  };
}
