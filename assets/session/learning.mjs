/* What the classifier of a session learns from, as the page knows it: the same rules hold on the server. */

import { versionOf } from "../drawing/strokes.mjs";
import { canBeSeen, imagesAlike } from "../page/alike.mjs";
import { hasClass, isRegion } from "../page/classids.mjs";

/** @import { Left } from "../page/corrections.mjs" */
/** @import { CleanUpStep, ImageFacts, Settings, State, StateWithImage } from "../journal/state.mjs" */

/**
 * @typedef {object} Available what can be downloaded
 * @property {boolean} here whether anything is labelled on the current image
 * @property {boolean} anywhere whether there are any strokes
 * @property {boolean} outlined whether only a part of the current image is worked on
 * @property {boolean} result whether there is a classifier for the current image
 */

/**
 * The images from whose strokes, and corrections, the classifier learns.
 * @param {StateWithImage} state
 */
function learntImages(state) {
  const { image, images, strokes, strokesElsewhere, learnsCorrections } = state;
  return imagesAlike(image, images.filter((one) => {
    const { hash } = one;
    if (!canBeSeen(one, state)) return false;
    const drawn = hash === image.hash ? strokes : strokesElsewhere.get(hash);
    const painted = hash === image.hash ? state.corrections : state.correctionsElsewhere.get(hash);
    return drawn?.some(hasClass) || (learnsCorrections && painted?.some(hasClass));
  }));
}

/**
 * The corrections on some images, as far as they are learnt from.
 * @param {StateWithImage} state
 * @param {ImageFacts[]} images
 */
function learntCorrections({ image, corrections, correctionsElsewhere, learnsCorrections }, images) {
  if (!learnsCorrections) return [];
  return images.flatMap(({ hash }) => (hash === image.hash ? corrections : correctionsElsewhere.get(hash) ?? []));
}

/**
 * What is painted into the results of all images, by their hashes.
 * @param {State} state
 */
const painted = ({ image, corrections, correctionsElsewhere }) => (
  new Map([...(image ? [/** @type {const} */ ([image.hash, corrections])] : []), ...correctionsElsewhere])
);

/** @typedef {Map<string, {versions: string, pixels: number}>} Corrected pixels of images, and of which corrections */

/**
 * What the server has counted of the corrections that it was asked with.
 * @param {State} state as it was then
 * @param {Record<string, number>} pixels that are corrected, by the hashes of their images
 * @returns {Corrected}
 */
export function correctedPixels(state, pixels) {
  return new Map([...painted(state)].map(([hash, strokes]) => (
    [hash, { versions: strokes.map(versionOf).join(), pixels: pixels[hash] ?? 0 }]
  )));
}

/**
 * What is left of corrections where others were erased: pixels here, and the number of other images that have any.
 * @param {State} state
 * @param {Corrected} told
 * @returns {Left}
 */
export function correctionsLeft(state, told) {
  const left = [...painted(state)].map(([hash, strokes]) => {
    if (!strokes.some(hasClass)) return 0;
    const known = told.get(hash);
    return known?.versions === strokes.map(versionOf).join() ? known.pixels : null;
  });
  const [here = 0, ...others] = state.image ? left : [0];
  return { here, elsewhere: others.filter((pixels) => pixels !== 0).length };
}

/**
 * What can be downloaded.
 * @param {StateWithImage} state
 * @returns {Available}
 */
export function available(state) {
  const { image, opened, strokes, strokesElsewhere } = state;
  const alike = learntImages(state);
  const learntFrom = [...strokes, ...alike.flatMap((one) => strokesElsewhere.get(one.hash) ?? [])];
  const more = opened?.channel_names && image.channels > opened.channel_names.length;
  const suitable = opened !== null && ([null, image.channels].includes(opened.channels) || Boolean(more));
  const drawnIn = new Set(learntFrom.filter(hasClass).map((stroke) => stroke.class_id));
  for (const { class_id: id } of learntCorrections(state, alike).filter(hasClass)) drawnIn.add(id);
  const elsewhere = [...strokesElsewhere.values()].some((drawn) => drawn.length);
  return {
    here: strokes.some(hasClass),
    anywhere: strokes.length > 0 || elsewhere,
    outlined: strokes.some(isRegion),
    result: drawnIn.size > 1 || suitable,
  };
}

/**
 * Whether a step changes no pixel's class, but what an object is.
 * @param {CleanUpStep} step
 */
export const splits = ({ kind }) => kind === "split" || kind === "split_corners";

/**
 * Says all that the segmentation of the current image depends on: it is to be computed anew when this changes.
 * @param {StateWithImage} state
 */
export function segmentationKey(state) {
  const { image, images, strokes, strokesElsewhere, features, forest, classes, weights, opened, keeps } = state;
  const cleanUp = state.cleanUp.filter((step) => !splits(step));
  const alike = learntImages(state);
  const elsewhere = alike.map(({ hash }) => [hash, (strokesElsewhere.get(hash) ?? []).map(versionOf)]);
  return JSON.stringify([
    image.hash, strokes.map(versionOf), features, forest, classes.map(({ id }) => id),
    elsewhere.filter(([, ids]) => ids.length), cleanUp, [...weights].sort(([a], [b]) => a - b),
    state.corrections.map(versionOf), learntCorrections(state, alike).map(versionOf),
    opened && [opened.hash, keeps, opened.strokes && images.map(({ hash }) => hash)],
  ]);
}

/**
 * Says all that is learnt, whichever image is shown.
 * @param {StateWithImage} state
 */
export function learningKey(state) {
  const { image, images, strokes, strokesElsewhere, features, forest, classes, weights, opened, keeps } = state;
  const drawn = images.map(({ hash }) => {
    const ofImage = hash === image.hash ? strokes : strokesElsewhere.get(hash) ?? [];
    return ofImage.map(versionOf);
  });
  return JSON.stringify([
    images.map(({ hash }) => hash), drawn, features, forest, classes.map(({ id }) => id), [...weights],
    learntCorrections(state, images).map(versionOf),
    opened && [opened.hash, keeps],
  ]);
}

const DEPTH = ["dimensions", "planes_around", "plane_distance"];

/**
 * What settings of features say of the planes of a stack: nothing, where each plane is looked at by itself.
 * @param {Record<string, any>} features
 */
export function depthOf(features) {
  return Object.fromEntries(Object.entries(features).filter(([name]) => DEPTH.includes(name)));
}

/* A control may show a value of a file rounded: that alone is no change. */
const SHOWN = 1e-6;

/**
 * Whether settings are the same as far as controls show them.
 * @param {Record<string, any>} a
 * @param {Record<string, any>} b
 */
export function sameSettings(a, b) {
  return Object.keys(a).every((key) => (
    typeof a[key] === "number" && typeof b[key] === "number"
      ? Math.abs(a[key] - b[key]) < SHOWN
      : JSON.stringify(a[key]) === JSON.stringify(b[key])
  ));
}

/** What does not go with depth, and how it is said that it is off. @type {Record<string, string>} */
const SINGLE_PLANES = {
  learned: "Learned texture is off now: it sees single planes.",
  standardise: "“Brightness or colour differs between images” is off now: it does not go with depth.",
};

/**
 * What a choice of features has switched off that it does not go with, in words; empty if nothing.
 * @param {Settings} before
 * @param {Settings} chosen
 */
export function switchedOff(before, chosen) {
  const deep = (/** @type {Settings} */ features) => Object.keys(depthOf(features)).length > 0;
  const names = Object.keys(SINGLE_PLANES);
  if (deep(chosen)) {
    return names.filter((name) => before[name] && !chosen[name]).map((name) => SINGLE_PLANES[name]).join(" ");
  }
  if (!deep(before) || !names.some((name) => chosen[name])) return "";
  const what = chosen.learned ? "learned texture sees single planes" : "images are standardised one by one";
  return `Depth is “Each plane by itself” again: ${what}.`;
}
