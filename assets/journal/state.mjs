/*
 * What the events of a session add up to; the server folds the same events in segmentation/web/session/folding.py. This
 * module needs no browser, so that a test can hold the two folds equal.
 */

import { foldAll } from "./beginnings.mjs";
import { seen } from "./folding.mjs";
import { measuredSizes } from "./stacks.mjs";
import { undoTargets } from "./undo.mjs";

/**
 * @typedef {object} ImageFacts what is known of an image
 * @property {string} hash
 * @property {string} name
 * @property {number} rows
 * @property {number} columns
 * @property {number} channels
 * @property {string} dtype
 * @property {string[]} [channel_names] where its file calls each by a name of its own
 * @property {string[]} [names] all, where files of several names had the same pixels
 * @property {string} [stack] what the stack is known by that it is a plane of
 * @property {string[]} [shown_with] of a stack that was made of images: those that say how all are shown
 * @property {number} [page] which plane it is there, from 1
 * @property {[rows: number, columns: number][]} [levels] of one that is read part by part: of each level, finest first
 * @property {number} [pages] of what an event opens: how many planes it has; one image has no pages
 */

/** @typedef {{id: number, name: string, colour: string}} LabelClass */

/** @import { PixelSize } from "../page/lengths.mjs" */
/** @import { Stack } from "./stacks.mjs" */

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
 * @property {string} kind fill_holes, drop_small, smooth, drop_border, keep_border, split or split_corners
 * @property {number} size in pixels; of split from 0 to 1; else 0
 * @property {?number[]} classes ids of the classes that it is for; null: all
 */

/** @typedef {Record<string, any>} Settings of the features or the forest, by their names */

/**
 * @typedef {object} OpenedFacts what is known of a classifier that was opened from a file
 * @property {string} hash
 * @property {string} name
 * @property {?number} channels null: any
 * @property {string[]} [channel_names] of the images that it was trained on, if they have names
 * @property {boolean} [learned] whether it sees learned texture
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
 * @property {Map<string, Stack>} stacks whose planes are among the images, by what they are known by
 * @property {Map<string, PixelSize>} measured the pixel sizes that were typed, by the hashes of their images
 * @property {LabelClass[]} classes as people have put them, else by their ids, ascending
 * @property {Set<number>} hidden ids of the classes that are not shown
 * @property {Map<number, number>} weights what the probability of a class is multiplied with, where that is not 1
 * @property {CleanUpStep[]} cleanUp steps that are done to segmentations, in their order
 * @property {Stroke[]} strokes on the current image
 * @property {Map<string, Stroke[]>} strokesElsewhere on the other images, by their hashes: these are learnt from too
 * @property {Stroke[]} corrections painted into the result of the current image
 * @property {Map<string, Stroke[]>} correctionsElsewhere into those of the other images, by their hashes
 * @property {boolean} learnsCorrections whether corrections are learnt from too
 * @property {Settings} features
 * @property {Settings} forest
 * @property {?OpenedFacts} opened the classifier that was opened last
 * @property {boolean} keeps whether that one, if it cannot learn on, stays in use whatever is drawn
 * @property {?string} undo id of the event that would be undone; only what concerns the current image
 * @property {?string} redo id of the event that would be redone
 * @property {number} lastClassId the largest that was ever used
 */

/** @typedef {State & {image: ImageFacts}} StateWithImage */

/** @import { Folding } from "./folding.mjs" */

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
  /** @param {ImageFacts} image @param {"strokes" | "corrections"} [kind] */
  const strokesOn = ({ hash }, kind = "strokes") => seen(folding, folding[kind].get(hash));
  const others = images.filter((one) => one !== image);
  return {
    name: folding.name,
    image,
    images,
    stacks: folding.stacks,
    measured: measuredSizes(folding.images, folding.measured),
    classes,
    hidden: new Set(classes.filter(({ id }) => folding.hidden.has(id)).map(({ id }) => id)),
    weights: new Map(classes.flatMap(({ id }) => {
      const weight = folding.weights.get(id) ?? 1;
      return weight === 1 ? [] : [[id, weight]];
    })),
    cleanUp: folding.cleanUp,
    strokes: image ? strokesOn(image) : [],
    strokesElsewhere: new Map(others.map((one) => [one.hash, strokesOn(one)])),
    corrections: image ? strokesOn(image, "corrections") : [],
    correctionsElsewhere: new Map(others.map((one) => [one.hash, strokesOn(one, "corrections")])),
    learnsCorrections: folding.learnsCorrections,
    features: folding.features,
    forest: folding.forest,
    opened: folding.opened,
    keeps: folding.keeps,
    lastClassId: folding.lastClassId,
    ...undoTargets(events, image?.hash, me),
  };
}
