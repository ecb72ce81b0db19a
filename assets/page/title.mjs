/* The head of the page: what the image and the session are called. */

import { byId } from "../shared/dom.mjs";

/** @import { ImageFacts } from "../journal/state.mjs" */

/**
 * What an image is called, all names of the files that had its pixels.
 * @param {ImageFacts} image
 */
export function namesOf({ name, names = [name] }) {
  return names.join(", also ");
}

/**
 * Show what is known of the current image.
 * @param {ImageFacts} image
 */
export function showImage(image) {
  const channels = { 1: "grey", 2: "2 channels", 3: "RGB" }[image.channels] ?? `${image.channels} channels`;
  byId("image-name").textContent = namesOf(image);
  byId("image-name").title = namesOf(image);
  byId("image-facts").textContent = `${image.columns} × ${image.rows}, ${channels}, ${image.dtype}`;
}

/**
 * Show the session's name in its field, unless it is being typed, and as the title of the window.
 * @param {string} name
 * @param {ImageFacts} image the current one, which a session without a name is called after
 */
export function showName(name, image) {
  const field = byId("session-name", HTMLInputElement);
  field.dataset.kept = name;
  if (document.activeElement !== field) field.value = name;
  document.title = `${name || image.name} · Squiggle`;
}
