/* What the class of a stroke can be beside the classes that people have named. */

/** The class of the strokes of the eraser. */
export const UNLABELLED = 0;

/** The class of the outlines of where an image is worked on, and only there. */
export const REGION = 256;

/**
 * Whether a stroke labels pixels.
 * @param {{class_id: number}} stroke
 */
export function hasClass({ class_id: id }) {
  return id > UNLABELLED && id < REGION;
}

/**
 * Whether a stroke outlines where the image is worked on.
 * @param {{class_id: number}} stroke
 */
export function isRegion({ class_id: id }) {
  return id === REGION;
}
