/* The card of the classifier that was opened from a file. */

import { byId } from "../shared/dom.mjs";
import { counted } from "../shared/text.mjs";

/** @import { OpenedFacts } from "../journal/state.mjs" */

/** @param {OpenedFacts} opened */
function described({ trees, class_ids: classIds, channels, images }) {
  const [first] = images;
  const trained = images.length === 1 ? `an image of ${first.columns} × ${first.rows}` : `${images.length} images`;
  return [
    counted(trees, "tree"), counted(classIds.length, "class", "classes"),
    channels === null ? "any channels" : counted(channels, "channel"), ...(first ? [`trained on ${trained}`] : []),
  ].join(" · ");
}

/**
 * Show the card, if a classifier was opened.
 * @param {?OpenedFacts} opened
 * @param {string} text how it takes part, once the server has told
 */
export function showOpened(opened, text) {
  byId("opened").hidden = !opened;
  if (!opened) return;
  byId("opened-name").textContent = opened.name;
  byId("opened-name").title = opened.name;
  byId("opened-facts").textContent = described(opened);
  byId("opened-text").textContent = text;
}
