/* The Plotly graph: changing its layout would break a stroke that is being drawn off, so changes wait for its end. */

import { byId } from "../shared/dom.mjs";

const LATER_MS = 400;
/* Before the list of shapes is emptied, since Dash's callback looks what is in it. */
const DASH_MS = 300;
const LOOK_MS = 20;

/** @typedef {Record<string, any>} Changes attributes of the layout by their paths, as `Plotly.relayout` takes them */

/**
 * @typedef {object} Shape as Plotly draws it
 * @property {string} name
 * @property {string} path
 * @property {number} x0
 * @property {number} y0
 * @property {number} x1
 * @property {number} y1
 */

/** @type {Changes} */
let changesToCome = {};
let pressed = false;
/** What Plotly has told and Dash has not heard. @type {(() => void)[]} */
const forDash = [];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let dashTimer;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let laterTimer;
/** @type {Map<string, () => void>} */
const afterStroke = new Map();

/** @returns {any} the element of the graph; null until it is drawn */
function drawnGraph() {
  /** @type {any} */
  const graph = document.querySelector("#graph .js-plotly-plot");
  return graph?._fullLayout?.xaxis ? graph : null;
}

/** Resolves once Dash has laid out the page and Plotly has drawn the graph. */
export async function graphIsDrawn() {
  while (!window.Plotly || !drawnGraph()) await new Promise((resolve) => { setTimeout(resolve, LOOK_MS); });
}

/**
 * Be told by Plotly itself that the layout has changed. Dash, which then looks through all components of the page, is
 * told after a while, in which the answer to most strokes comes: it would keep what the server says from being shown.
 * @param {() => void} told
 */
export function whenRelayouted(told) {
  const graph = drawnGraph();
  const { emit } = graph;
  graph.emit = (/** @type {string} */ event, /** @type {any[]} */ ...data) => {
    if (event !== "plotly_relayout") {
      emit(event, ...data);
      return;
    }
    forDash.push(() => emit(event, ...data));
    tellDashLater();
    told();
  };
}

function tellDashLater() {
  clearTimeout(dashTimer);
  dashTimer = setTimeout(() => {
    if (pressed) tellDashLater();
    else forDash.splice(0).forEach((tell) => tell());
  }, DASH_MS);
}

/** @returns {Shape[]} the shapes that have been drawn and are still in the graph's layout */
export function drawnShapes() {
  return drawnGraph()?.layout?.shapes ?? [];
}

function relayoutNow() {
  clearTimeout(laterTimer);
  const graph = drawnGraph();
  if (pressed || !graph || !Object.keys(changesToCome).length) return;
  const changes = changesToCome;
  changesToCome = {};
  window.Plotly.relayout(graph, changes);
}

/**
 * Change the graph's layout, at once or when the stroke has ended.
 * @param {Changes} changes
 */
export function relayout(changes) {
  Object.assign(changesToCome, changes);
  relayoutNow();
}

/**
 * Change what nobody sees: when the answer to the last stroke is there, but before the next one begins.
 * @param {Changes} changes
 */
export function relayoutLater(changes) {
  Object.assign(changesToCome, changes);
  clearTimeout(laterTimer);
  laterTimer = setTimeout(relayoutNow, LATER_MS);
}

/**
 * Do what would pull the image away from under the pen: at once, or when the stroke has ended; of a name only the last.
 * @param {string} name
 * @param {() => void} work
 */
export function betweenStrokes(name, work) {
  if (pressed) afterStroke.set(name, work);
  else work();
}

function press() {
  relayoutNow();
  pressed = true;
}

function release() {
  pressed = false;
  setTimeout(() => {
    relayoutNow();
    const works = [...afterStroke.values()];
    afterStroke.clear();
    works.forEach((work) => work());
  });
}

/** Notice when strokes begin and end; to be called when all else that listens to the stage does so already. */
export function watchStrokes() {
  byId("stage").addEventListener("pointerdown", press);
  for (const type of ["pointerup", "pointercancel"]) window.addEventListener(type, release);
}
