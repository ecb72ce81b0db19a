/* The card of the classifier that was opened from a file. */

import { byId } from "../shared/dom.mjs";
import { counted } from "../shared/text.mjs";

/** @import { OpenedFacts } from "../journal/state.mjs" */

/** @param {OpenedFacts} opened */
function described({ trees, class_ids: classIds, channels, images, learned }) {
  const [first] = images;
  const trained = images.length === 1 ? `an image of ${first.columns} × ${first.rows}` : `${images.length} images`;
  return [
    counted(trees, "tree"), counted(classIds.length, "class", "classes"),
    channels === null ? "any channels" : counted(channels, "channel"),
    ...(learned ? ["learned texture"] : []), ...(first ? [`trained on ${trained}`] : []),
  ].join(" · ");
}

/** @typedef {{text: string, choice: string}} Learnt how an opened classifier takes part, and what else could be */

/** What the button says, by the choice that there is. @type {Record<string, string>} */
const CHOICES = { anew: "Learn anew from my strokes", keep: "Keep using it" };

/**
 * Show the card, if a classifier was opened.
 * @param {?OpenedFacts} opened
 * @param {Learnt} learnt once the server has told
 */
export function showOpened(opened, { text, choice }) {
  byId("opened").hidden = !opened;
  if (!opened) return;
  byId("opened-name").textContent = opened.name;
  byId("opened-name").title = opened.name;
  byId("opened-facts").textContent = described(opened);
  byId("opened-text").textContent = text;
  const button = byId("opened-choice");
  button.hidden = !choice;
  button.dataset.choice = choice;
  button.textContent = CHOICES[choice] ?? "";
}
