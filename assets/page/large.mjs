/* Images that are read part by part: what needs all of an image is not offered on them, and says why. */

/** @import { ImageFacts } from "../journal/state.mjs" */

export const NOT_WHOLE = "This image is too large for that on the page. “Segment the whole image” gives its classes "
  + "and shares; for more take the classifier home, for “squiggle apply”.";

export const NO_CORRECTIONS = "The result of an image of this size is not corrected on the page: draw strokes where it "
  + "is wrong.";

/** What can be taken home of such an image beside all of its segmentation. */
export const OF_LARGE = ["strokes.json", "classifier.squiggle"];

/**
 * Whether an image is read part by part.
 * @param {?ImageFacts | undefined} image
 */
export const isLarge = (image) => Boolean(image?.levels);

/**
 * Disable a button with the reason as its title; without one it is enabled, and has its own title.
 * @param {HTMLButtonElement} button
 * @param {string} reason
 */
export function refuse(button, reason) {
  button.dataset.ownTitle ??= button.title;
  button.disabled = reason !== "";
  button.title = reason || button.dataset.ownTitle;
}
