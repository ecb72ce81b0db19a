/* The card that says how good the segmentation is, as far as strokes tell that were held out. */

import { byId, element } from "../shared/dom.mjs";
import { counted } from "../shared/text.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */

/** @typedef {{strokes: number, mean_iou: number, standard_error: ?number}} CurvePoint */

/**
 * @typedef {object} Scores
 * @property {number} mean_iou
 * @property {?number} [standard_error]
 * @property {{id: number, pixels: number, strokes?: number, iou: ?number, f1: ?number}[]} classes
 * @property {number[][]} confusion pixels by true class (rows) and found class (columns)
 * @property {CurvePoint[]} [curve] the mean after each stroke
 */

const TOO_FEW = "Two strokes of a class tell how well one is found that was not learnt from.";
const COMING = "Holding strokes out, in turn…";
const HOW = "Each stroke was looked at by a forest that had not learnt from it. Strokes lie where somebody drew them: "
  + "this compares one state with another, and is no measure of the whole image.";
const CLASSIFIER_ALONE = "What was corrected by hand does not count: this is how good the classifier is.";
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 84;
const HEIGHT = 24;
const MARGIN = 3;

/**
 * A score as people read it.
 * @param {?number | undefined} value
 */
export function shownScore(value) {
  return value === null || value === undefined ? "–" : value.toFixed(2);
}

/**
 * A mean with its uncertainty.
 * @param {Scores} scores
 */
export function shownMean({ mean_iou: mean, standard_error: error }) {
  return error === null || error === undefined ? shownScore(mean) : `${shownScore(mean)} ± ${shownScore(error)}`;
}

/**
 * Where the points of a curve and the band of its uncertainty lie in its picture.
 * @param {CurvePoint[]} curve
 * @returns {{line: string, band: string, last: number[]}}
 */
export function curvePaths(curve) {
  const errors = curve.map((point) => point.standard_error ?? 0);
  const low = Math.min(...curve.map((point, n) => point.mean_iou - errors[n]), 0.9) - 0.02;
  const first = curve[0].strokes;
  const span = Math.max(1, curve[curve.length - 1].strokes - first);
  /** @param {CurvePoint} point */
  const x = (point) => MARGIN + ((WIDTH - 2 * MARGIN) * (curve.length > 1 ? point.strokes - first : span)) / span;
  /** @param {number} value */
  const y = (value) => MARGIN + ((HEIGHT - 2 * MARGIN) * (1 - Math.min(1, value))) / (1 - low);
  /** @param {(point: CurvePoint, n: number) => number} of */
  const places = (of) => curve.map((point, n) => `${x(point).toFixed(1)},${y(of(point, n)).toFixed(1)}`);
  const upper = places((point, n) => point.mean_iou + errors[n]);
  const lower = places((point, n) => point.mean_iou - errors[n]);
  const end = curve[curve.length - 1];
  return {
    line: places((point) => point.mean_iou).join(" "),
    band: [...upper, ...lower.reverse()].join(" "),
    last: [x(end), y(end.mean_iou)],
  };
}

/** @param {CurvePoint[]} curve */
function curvePicture(curve) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("role", "img");
  const told = curve.map(({ strokes, mean_iou: mean }) => `${strokes}: ${shownScore(mean)}`).join(", ");
  svg.setAttribute("aria-label", `Mean IoU after each number of strokes: ${told}`);
  const { line, band, last } = curvePaths(curve);
  /**
   * @param {string} tag
   * @param {Record<string, string>} attributes
   */
  const draw = (tag, attributes) => {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    svg.append(node);
  };
  draw("polygon", { points: band, class: "band" });
  draw("polyline", { points: line, class: "line" });
  draw("circle", { cx: last[0].toFixed(1), cy: last[1].toFixed(1), r: "2.2" });
  return svg;
}

/** @param {LabelClass | undefined} one @param {number} id */
function classCell(one, id) {
  const swatch = element("i", { class: "score-swatch" });
  swatch.style.setProperty("--class-colour", one?.colour ?? "");
  return element("th", { scope: "row" }, swatch, one?.name ?? `Class ${id}`);
}

/**
 * @param {Scores} scores
 * @param {LabelClass[]} classes
 */
function scoreTable({ classes: entries }, classes) {
  const strokes = entries.some((one) => one.strokes !== undefined);
  const head = ["", "IoU", "F1", strokes ? "strokes" : "pixels"].map((text) => element("th", { scope: "col" }, text));
  const rows = entries.map((entry) => element(
    "tr", {}, classCell(classes.find(({ id }) => id === entry.id), entry.id),
    element("td", {}, shownScore(entry.iou)), element("td", {}, shownScore(entry.f1)),
    element("td", {}, (entry.strokes ?? entry.pixels).toLocaleString("en")),
  ));
  return element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
}

/**
 * @param {Scores} scores
 * @param {LabelClass[]} classes
 */
function confusionTable({ classes: entries, confusion }, classes) {
  const named = entries.map(({ id }) => classes.find((one) => one.id === id));
  const head = entries.map(({ id }, n) => {
    const swatch = element("i", { class: "score-swatch" });
    swatch.style.setProperty("--class-colour", named[n]?.colour ?? "");
    return element("th", { scope: "col", title: named[n]?.name ?? "" }, swatch, String(id));
  });
  const rows = confusion.map((counts, row) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const cells = counts.map((count, column) => {
      const share = total ? count / total : 0;
      const cell = element("td", { title: counted(count, "pixel") }, total ? `${Math.round(100 * share)} %` : "–");
      cell.style.setProperty("--share", String(share));
      cell.className = row === column ? "right" : "wrong";
      return cell;
    });
    return element("tr", {}, classCell(named[row], entries[row].id), ...cells);
  });
  return element(
    "table", { class: "confusion" }, element("caption", {}, "What pixels of each class (rows) were taken for"),
    element("thead", {}, element("tr", {}, element("th"), ...head)), element("tbody", {}, ...rows),
  );
}

/**
 * All that is told of scores when the card is unfolded.
 * @param {Scores} scores
 * @param {LabelClass[]} classes
 * @param {string} how the scores came about
 */
function scoreDetails(scores, classes, how) {
  return [scoreTable(scores, classes), confusionTable(scores, classes), element("p", { class: "note" }, how)];
}

/**
 * Show how good the segmentation is.
 * @param {?Scores} scores null if it is not known
 * @param {string} note what is missing, if anything is
 * @param {LabelClass[]} classes
 */
export function showScores(scores, note, classes) {
  byId("scores").classList.remove("stale");
  byId("scores-mean").textContent = scores ? shownMean(scores) : "";
  byId("scores-curve").replaceChildren(...(scores?.curve?.length ? [curvePicture(scores.curve)] : []));
  byId("scores-note").textContent = note || (scores ? "" : TOO_FEW);
  byId("scores-held-out").replaceChildren(...(scores ? scoreDetails(scores, classes, HOW) : []));
}

/**
 * Show how good the segmentation is against a mask, and unfold the card.
 * @param {string} title what was held against what
 * @param {{scores: Scores, corrected: boolean}} found and whether the result was corrected
 * @param {LabelClass[]} classes
 * @param {() => void} again what to do to score once more
 */
export function showMaskScores(title, { scores, corrected }, classes, again) {
  const button = element("button", { type: "button", class: "quiet small", onclick: again }, "Score again");
  const head = element("div", { class: "section-head" }, element("b", {}, `${title}: ${shownMean(scores)}`), button);
  const section = byId("scores-mask");
  const how = `All pixels count whose class the mask knows.${corrected ? ` ${CLASSIFIER_ALONE}` : ""}`;
  section.replaceChildren(head, ...scoreDetails(scores, classes, how));
  section.classList.remove("stale");
  unfoldScores(true);
  section.scrollIntoView({ block: "nearest" });
}

/**
 * Unfold the card, or fold it.
 * @param {boolean} [open] without it, what it is not
 */
export function unfoldScores(open = Boolean(byId("scores-details").hidden)) {
  byId("scores-details").hidden = !open;
  byId("scores-toggle").setAttribute("aria-expanded", String(open));
}

/** There is no score yet, but soon there will be, or a note that says what is missing. */
export function scoresAreComing() {
  const note = byId("scores-note");
  if (!byId("scores-mean").textContent && ["", TOO_FEW].includes(note.textContent)) note.textContent = COMING;
}

/** What is shown is not what the strokes would give now. */
export function scoresAreStale() {
  for (const id of ["scores", "scores-mask"]) byId(id).classList.add("stale");
}
