/* What the segmentation that is shown was learnt from. */

import { byId } from "../shared/dom.mjs";
import { counted } from "../shared/text.mjs";

/** @import { ImageFacts, OpenedFacts } from "../journal/state.mjs" */

/**
 * What is shown of one plane of a stack is said to be of it alone.
 * @param {{image: ?ImageFacts}} state
 */
const ofWhat = ({ image }) => (image?.stack === undefined ? "" : "Shares are of this plane.");

/**
 * The words for it, and a name a line where these do not tell the names.
 * @param {{images: ImageFacts[], opened: ?OpenedFacts}} state
 * @param {?string[]} hashes of the images that were learnt from; null before there is a segmentation
 * @returns {{text: string, names: string}}
 */
export function learntFrom({ images, opened }, hashes) {
  const names = images.filter(({ hash }) => hashes?.includes(hash)).map(({ name }) => name);
  if (!names.length) return { text: hashes && opened ? `Learnt before: “${opened.name}”.` : "", names: "" };
  const [name] = names;
  if (names.length > 1 && names.every((one) => one === name)) {
    return { text: `Learnt from ${counted(names.length, "plane")} of “${name}”.`, names: "" };
  }
  const text = names.length === 1 ? `Learnt from “${names[0]}”.` : `Learnt from ${counted(names.length, "image")}.`;
  return { text, names: names.length === 1 ? "" : names.join("\n") };
}

/**
 * Show it below the shares.
 * @param {{image: ?ImageFacts, images: ImageFacts[], opened: ?OpenedFacts}} state
 * @param {?string[]} hashes
 */
export function showLearntFrom(state, hashes) {
  const { text, names } = learntFrom(state, hashes);
  const note = byId("learnt-from");
  note.textContent = [hashes && ofWhat(state), text].filter(Boolean).join(" ");
  note.title = names || text;
}

/**
 * Show, below that, what is segmented, and why that may not be what was meant.
 * @param {string[]} notes
 * @param {string} remark
 */
export function showNotes(notes, remark) {
  byId("result-remark").textContent = remark;
  byId("result-notes").textContent = notes.join(" ");
}
