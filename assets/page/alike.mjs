/*
 * From which images the classifier for the current one learns: those with the same channels, by their names where files
 * have some, and with the planes that features look at. The server has the same in segmentation/web/session/alike.py
 * and depth.py.
 */

/** @import { ImageFacts, State } from "../journal/state.mjs" */

/**
 * Whether what is learnt on an image is of use for another one.
 * @param {ImageFacts} learnt
 * @param {ImageFacts} other
 */
export function serves(learnt, other) {
  if (learnt.channels === other.channels) return true;
  const { channel_names: names = [] } = learnt;
  const named = new Set(other.channel_names);
  return names.length > 0 && names.length < named.size && names.every((name) => named.has(name));
}

/**
 * The images to learn from, in their order.
 * @param {ImageFacts} current the image that the classifier is for
 * @param {ImageFacts[]} labelled the images on which something is labelled
 */
export function imagesAlike(current, labelled) {
  const here = labelled.some(({ hash }) => hash === current.hash);
  const some = labelled.filter((one) => serves(one, current) || (here && serves(current, one)));
  const fewest = some.reduce((least, one) => (one.channels < least.channels ? one : least), some[0]);
  return some.filter((one) => serves(fewest, one));
}

/**
 * Whether an image has the planes that features look at: those of a stack along z that came as one file.
 * @param {ImageFacts} image
 * @param {Pick<State, "features" | "stacks">} state
 */
export function canBeSeen({ stack, shown_with: made }, { features, stacks }) {
  if (features.dimensions !== 3 && !features.planes_around) return true;
  const axes = made ? [] : stacks.get(stack ?? "")?.axes ?? [];
  return axes.some(([name, length]) => name === "z" && length > 1);
}
