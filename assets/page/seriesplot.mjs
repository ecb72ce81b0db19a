/* A figure of the images of a series, drawn over their names or the numbers in them. */

import { byId } from "../shared/dom.mjs";
import { MEASURES, mixedUnits, numbersIn, told, unitsOf } from "./seriesrows.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */
/** @import { SeriesRow } from "./seriesrows.mjs" */

const MANY = 40;
const WHISKERS = { type: "data", symmetric: false, thickness: 1, width: 3 };

/**
 * The curves: one a class, with the interval of each figure where it is known.
 * @param {SeriesRow[]} rows
 * @param {LabelClass[]} classes
 * @param {string} measure
 * @param {(string | number)[]} x
 */
export function curves(rows, classes, measure, x) {
  const asked = measure === "trust" ? [{ id: 0, name: "Trust", colour: "" }] : classes;
  return asked.map(({ id, name, colour }) => {
    const figures = rows.map((row) => told(row, id, measure));
    const sure = figures.some((figure) => figure && figure.low !== null && figure.high !== null);
    const up = figures.map((figure) => (figure && figure.high !== null ? figure.high - figure.value : 0));
    const down = figures.map((figure) => (figure && figure.low !== null ? figure.value - figure.low : 0));
    return {
      type: "scatter", mode: rows.length > MANY ? "lines" : "lines+markers", name, x,
      y: figures.map((figure) => figure?.value ?? null), line: colour ? { color: colour } : {},
      text: rows.map((row) => row.name), hovertemplate: "%{text}<br>%{y:.4~g}<extra>%{fullData.name}</extra>",
      ...(sure ? { error_y: { ...WHISKERS, array: up, arrayminus: down } } : {}),
    };
  });
}

/**
 * @param {SeriesRow[]} rows
 * @param {LabelClass[]} classes
 * @param {string} measure
 * @param {boolean} byNumber whether the numbers in the names are the axis
 * @returns {Promise<string>} why there is no plot; empty if there is one
 */
export async function showPlot(rows, classes, measure, byNumber) {
  const place = /** @type {any} */ (byId("series-view-plot"));
  const isArea = measure === "mean" || measure === "median";
  const mixed = isArea && mixedUnits(rows);
  const problem = mixed && `These images are in different units and cannot stand on one axis: ${mixed}.`;
  place.hidden = Boolean(problem) || !rows.length;
  if (place.hidden) return problem || "Nothing is segmented yet.";
  const numbers = byNumber ? numbersIn(rows.map(({ name }) => name)) : null;
  const x = numbers ?? rows.map((_, index) => index + 1);
  const order = numbers ? [...numbers.keys()].sort((a, b) => numbers[a] - numbers[b]) : [...rows.keys()];
  const title = MEASURES.find(([name]) => name === measure)?.[1] ?? "";
  const unit = measure === "share" ? ", %" : isArea ? `, ${[...unitsOf(rows).keys()][0] ?? "px²"}` : "";
  const { color: text, borderTopColor: line } = getComputedStyle(place);
  const quiet = { color: text, gridcolor: line, zerolinecolor: line };
  const few = rows.length <= MANY;
  const named = numbers ? {} : {
    tickvals: few ? x : undefined, ticktext: few ? rows.map(({ name }) => name.split("/").at(-1)) : undefined,
    tickangle: few ? -45 : 0,
  };
  await window.Plotly.react(place, curves(order.map((at) => rows[at]), classes, measure, order.map((at) => x[at])), {
    margin: { l: 60, r: 12, t: 12, b: numbers || !few ? 48 : 110 }, font: { size: 12, color: text },
    paper_bgcolor: "transparent", plot_bgcolor: "transparent", showlegend: measure !== "trust",
    legend: { orientation: "h", y: 1.08 },
    xaxis: { ...quiet, ...named, title: { text: numbers ? "number in the name" : few ? "" : "image, by its name" } },
    yaxis: { ...quiet, title: { text: `${title}${unit}` }, rangemode: "tozero" },
  }, { displayModeBar: false, responsive: true });
  return "";
}

/** Save the plot as a picture. @param {string} name of the file, without its ending */
export function savePlot(name) {
  const size = { width: 1200, height: 700, scale: 2 };
  window.Plotly.downloadImage(byId("series-view-plot"), { format: "png", filename: name, ...size });
}
