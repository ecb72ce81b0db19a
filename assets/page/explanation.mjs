/* The card that says why a pixel has its class. */

import { withChannelNames } from "./featurenames.mjs";
import { byId, element } from "../shared/dom.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */

/**
 * @typedef {object} Explanation
 * @property {number} class_id
 * @property {Record<string, number>} probabilities by class id
 * @property {{image: string, id: string, share: number}[]} strokes that decided, most first
 * @property {{name: string, share: number}[]} features that decided, for the class or, below 0, against it
 */

/** @typedef {{id: string, image: string, text: string, colour: string}} NamedStroke */

const MARGIN = 8;

/** @param {number} share */
const percent = (share) => `${Math.round(100 * share)} %`;

/**
 * How long bars are, from 0 to 1: the largest share fills its row, so that small ones can be told apart.
 * @param {number[]} shares
 */
export function barLengths(shares) {
  const largest = Math.max(...shares.map(Math.abs));
  return shares.map((share) => (largest > 0 ? Math.abs(share) / largest : 0));
}

/**
 * @param {Node} label
 * @param {string} text
 * @param {number} length from 0 to 1
 * @param {string} colour
 */
function bar(label, text, length, colour) {
  const row = element("div", { class: "explained" }, label, element("b", {}, text), element("i"));
  row.style.setProperty("--share", String(length));
  row.style.setProperty("--class-colour", colour);
  return row;
}

/** @param {string} text */
const label = (text) => element("span", {}, text);

/**
 * Show why a pixel has its class, beside it.
 * @param {Explanation} explanation
 * @param {LabelClass[]} classes
 * @param {(image: string, id: string) => NamedStroke | null} stroke names a stroke
 * @param {(image: string, id: string) => void} go to a stroke
 * @param {string[]} channels names of those of the image
 */
export function showExplanation(explanation, classes, stroke, go, channels) {
  const { class_id: found, probabilities, strokes, features } = explanation;
  const voted = classes.filter(({ id }) => probabilities[id] > 0);
  const shown = voted.sort((a, b) => probabilities[b.id] - probabilities[a.id]);
  const votes = shown.map(({ id, name, colour }) => (
    bar(label(name), percent(probabilities[id]), probabilities[id], colour)));
  const strokeLengths = barLengths(strokes.map(({ share }) => share));
  const decided = strokes.flatMap(({ image, id, share }, index) => {
    const named = stroke(image, id);
    if (!named) return [];
    const button = element("button", { type: "button", title: "Go there", onclick: () => go(image, id) }, named.text);
    return [bar(button, percent(share), strokeLengths[index], named.colour)];
  });
  const featureLengths = barLengths(features.map(({ share }) => share));
  const asked = features.map(({ name, share }, index) => {
    const text = `${share < 0 ? "−" : "+"}${Math.abs(share).toFixed(2)}`;
    return bar(label(withChannelNames(name, channels)), text, featureLengths[index], "var(--accent)");
  });
  const name = classes.find(({ id }) => id === found)?.name ?? `Class ${found}`;
  byId("explanation").replaceChildren(
    element("b", {}, `Why “${name}”?`), ...votes,
    element("p", { class: "note" }, "Strokes that decided"), ...decided,
    element("p", { class: "note" }, "Features that decided, for it or against it"), ...asked,
  );
}

/**
 * Put the card beside a place on the stage.
 * @param {number} left
 * @param {number} top
 */
export function placeExplanation(left, top) {
  const card = byId("explanation");
  const stage = byId("stage");
  card.hidden = false;
  const fits = left + MARGIN + card.offsetWidth <= stage.clientWidth;
  const beside = fits ? left + MARGIN : left - MARGIN - card.offsetWidth;
  const lowest = stage.clientHeight - card.offsetHeight - MARGIN;
  Object.assign(card.style, {
    left: `${Math.max(MARGIN, beside)}px`, top: `${Math.max(MARGIN, Math.min(top, lowest))}px`,
  });
}

/** Take the card away. */
export function hideExplanation() {
  byId("explanation").hidden = true;
}
