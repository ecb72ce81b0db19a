/* Plots of the measures of objects, as Plotly takes them, each with its data as rows of a table. */

import { axisOf, boxOf } from "./objectstatistics.mjs";

/**
 * @typedef {object} Group values that are drawn in one colour
 * @property {string} name
 * @property {string} colour
 * @property {number[]} values
 */

/** @typedef {{name: string, groups: Group[]}} ImageGroups */

/**
 * @typedef {object} Points of a scatter plot, by object
 * @property {ArrayLike<number>} x
 * @property {ArrayLike<number>} y
 * @property {number[]} objects those that are drawn
 * @property {(object: number) => string} colour
 * @property {(object: number) => (string | number)[]} cells what its row begins with: number and class
 * @property {(object: number) => boolean} picked whether it is drawn in its colour
 */

/** @typedef {{text: string, line: string, surface: string}} Colours of what is around the data */

/**
 * @typedef {object} Figure
 * @property {object[]} traces
 * @property {Record<string, any>} layout
 * @property {() => (string | number)[][]} rows gives the data, titles first
 */

/** How far apart the boxes of an image are, all together. */
const SPREAD = 0.8;
const BOX_WIDTH = 0.7;
const MOST_BEYOND = 500;
const MARGIN = 0.03;
const POINT = 3;
/* Of points at the same place so many are drawn: they hide what is below. */
const MOST_ATOP = 8;
const DIGITS = 4;
const UNPICKED = "#888888";

/**
 * @param {Colours} colours
 * @returns {Record<string, any>}
 */
function layoutOf({ text, line, surface }) {
  const quiet = { color: text, gridcolor: line, zerolinecolor: line, fixedrange: true, automargin: true };
  return {
    margin: { l: 52, r: 12, t: 8, b: 40 }, bargap: 0, barmode: "overlay", showlegend: false,
    paper_bgcolor: surface, plot_bgcolor: surface, font: { size: 12, color: text }, dragmode: false,
    legend: { orientation: "h", y: 1, yanchor: "bottom", x: 0 }, selections: [], shapes: [], images: [],
    xaxis: { ...quiet }, yaxis: { ...quiet },
  };
}

/** @param {number[]} values */
const finite = (values) => values.filter(Number.isFinite);

/**
 * Between what the values of a bin lie.
 * @param {number[]} edges
 * @param {number} bin
 */
export const spanOf = (edges, bin) => (
  [edges[bin], edges[bin + 1]].map((edge) => Number(edge.toPrecision(DIGITS))).join(" to ")
);

/**
 * How often values occur, by class.
 * @param {Group[]} groups
 * @param {string} title of the measure
 * @param {Colours} colours
 * @returns {Figure}
 */
export function histogramFigure(groups, title, colours) {
  const all = groups.map((group) => ({ ...group, values: finite(group.values) }));
  const drawn = all.filter(({ values }) => values.length);
  const { bins, edges, counts: countsOf, ticks } = axisOf(drawn.flatMap(({ values }) => values));
  const counts = drawn.map(({ values }) => countsOf(values));
  const at = bins.centres.map((_, bin) => spanOf(edges, bin));
  const layout = layoutOf(colours);
  Object.assign(layout.xaxis, ticks);
  layout.showlegend = drawn.length > 1;
  layout.xaxis.title = { text: title };
  layout.yaxis.title = { text: "Objects" };
  return {
    layout,
    traces: drawn.map(({ name, colour }, index) => ({
      type: "bar", name, x: bins.centres, y: counts[index], width: bins.width,
      marker: { color: colour, opacity: drawn.length > 1 ? 0.6 : 0.9 },
      customdata: at, hovertemplate: "%{y} from %{customdata}<extra></extra>",
    })),
    rows: () => (drawn.length ? [
      [`${title}: from`, "to", ...drawn.map(({ name }) => name)],
      ...bins.centres.map((_, bin) => [edges[bin], edges[bin + 1], ...counts.map((ofClass) => ofClass[bin])]),
    ] : []),
  };
}

/**
 * A box for each class on each image.
 * @param {ImageGroups[]} images
 * @param {string} title of the measure
 * @param {Colours} colours
 * @returns {Figure}
 */
export function boxFigure(images, title, colours) {
  const names = [...new Set(images.flatMap(({ groups }) => groups.map(({ name }) => name)))];
  const width = SPREAD / Math.max(1, names.length);
  const layout = layoutOf(colours);
  /** @type {ReturnType<Figure["rows"]>} */
  const rows = [];
  const traces = names.flatMap((name, place) => {
    const boxes = images.flatMap(({ name: image, groups }, index) => {
      const group = groups.find((one) => one.name === name);
      const values = finite(group?.values ?? []);
      if (!group || !values.length) return [];
      const box = boxOf(values);
      rows.push([
        image, name, box.count, box.mean, box.least, box.low, box.lower, box.median, box.upper, box.high, box.most,
      ]);
      return [{ ...box, colour: group.colour, x: index + (place - (names.length - 1) / 2) * width }];
    });
    const half = (width * BOX_WIDTH) / 2;
    return [
      {
        type: "bar", name, x: boxes.map(({ x }) => x), base: boxes.map(({ lower }) => lower),
        y: boxes.map(({ lower, upper }) => upper - lower), width: 2 * half,
        marker: { color: boxes[0]?.colour, opacity: 0.6, line: { color: boxes[0]?.colour, width: 1.5 } },
        hovertext: boxes.map(({ count, median }) => `${count} objects, median ${Number(median.toPrecision(4))}`),
        hoverinfo: "text",
      },
      {
        type: "scatter", mode: "lines", showlegend: false, hoverinfo: "skip", line: { color: colours.text, width: 1.5 },
        x: boxes.flatMap(({ x }) => [x - half, x + half, null, x, x, null, x, x, null]),
        y: boxes.flatMap(({ median, low, lower, upper, high }) => (
          [median, median, null, low, lower, null, upper, high, null]
        )),
      },
      {
        type: "scatter", mode: "markers", showlegend: false, hoverinfo: "y",
        marker: { color: boxes[0]?.colour, size: 4 }, ...beyondOf(boxes),
      },
    ];
  });
  Object.assign(layout.xaxis, {
    tickvals: images.map((_, index) => index), ticktext: images.map(({ name }) => name), zeroline: false,
    range: [-0.5, images.length - 0.5],
  });
  layout.yaxis.title = { text: title };
  layout.showlegend = names.length > 1;
  const titles = ["image", "class", "objects", "mean", "least", "lower whisker", "first quartile", "median"];
  return { traces, layout, rows: () => [[...titles, "third quartile", "upper whisker", "most"], ...rows] };
}

/**
 * What lies beyond the whiskers, at most so many of a box: the farthest.
 * @param {{x: number, median: number, beyond: number[]}[]} boxes
 */
function beyondOf(boxes) {
  const points = boxes.flatMap(({ x, median, beyond }) => (
    beyond.sort((a, b) => Math.abs(b - median) - Math.abs(a - median)).slice(0, MOST_BEYOND).map((y) => ({ x, y }))
  ));
  return { x: points.map(({ x }) => x), y: points.map(({ y }) => y) };
}

/**
 * Two measures of each object. The points are a picture on Plotly's axes: a hundred thousand of them stay fluid.
 * @param {Points} points
 * @param {[x: string, y: string]} titles
 * @param {Colours} colours
 * @param {{width: number, height: number}} size of the plot on the page
 * @param {?{x: number[], y: number[]}} picked the part in which objects were picked
 * @returns {Figure}
 */
export function scatterFigure(points, titles, colours, size, picked) {
  const objects = points.objects.filter((one) => Number.isFinite(points.x[one]) && Number.isFinite(points.y[one]));
  const [x, y] = [points.x, points.y].map((values) => rangeOf(objects, values));
  const layout = layoutOf(colours);
  Object.assign(layout.xaxis, { title: { text: titles[0] }, range: x });
  Object.assign(layout.yaxis, { title: { text: titles[1] }, range: y });
  layout.dragmode = "select";
  if (objects.length) {
    layout.images = [{
      source: pictureOf(points, objects, x, y, size), xref: "x", yref: "y", x: x[0], y: y[1],
      sizex: x[1] - x[0], sizey: y[1] - y[0], sizing: "stretch", layer: "above",
    }];
  }
  if (picked) {
    const [[x0, x1], [y0, y1]] = [picked.x, picked.y];
    layout.shapes = [{ type: "rect", x0, x1, y0, y1, line: { color: colours.text, width: 1, dash: "dot" } }];
  }
  return {
    layout,
    traces: [{ type: "scatter", mode: "markers", x, y, marker: { opacity: 0 }, hoverinfo: "skip" }],
    rows: () => [
      ["No.", "class", ...titles], ...objects.map((one) => [...points.cells(one), points.x[one], points.y[one]]),
    ],
  };
}

/**
 * @param {number[]} objects
 * @param {ArrayLike<number>} values
 * @returns {[low: number, high: number]}
 */
function rangeOf(objects, values) {
  let [low, high] = [Infinity, -Infinity];
  for (const one of objects) {
    if (values[one] < low) low = values[one];
    if (values[one] > high) high = values[one];
  }
  if (!(low <= high)) return [0, 1];
  const margin = (high - low) * MARGIN || Math.abs(low) * MARGIN || 1;
  return [low - margin, high + margin];
}

/**
 * The points as the address of a picture.
 * @param {Points} points
 * @param {number[]} objects
 * @param {[number, number]} xRange
 * @param {[number, number]} yRange
 * @param {{width: number, height: number}} size
 */
function pictureOf(points, objects, xRange, yRange, { width, height }) {
  const density = Math.max(2, window.devicePixelRatio || 1);
  const canvas = Object.assign(document.createElement("canvas"), { width: width * density, height: height * density });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const side = POINT * density;
  const [xScale, yScale] = [canvas.width / (xRange[1] - xRange[0]), canvas.height / (yRange[1] - yRange[0])];
  const atop = new Uint8Array(canvas.width * canvas.height);
  for (const seen of [false, true]) {
    atop.fill(0);
    context.globalAlpha = seen ? 0.7 : 0.25;
    let set = "";
    for (const one of objects) {
      if (points.picked(one) !== seen) continue;
      const [left, top] = [(points.x[one] - xRange[0]) * xScale, (yRange[1] - points.y[one]) * yScale];
      const place = Math.floor(top) * canvas.width + Math.floor(left);
      if (atop[place] === MOST_ATOP) continue;
      atop[place] += 1;
      const colour = seen ? points.colour(one) : UNPICKED;
      if (colour !== set) context.fillStyle = colour; /* a canvas reads each as CSS, which is dear for so many */
      set = colour;
      context.fillRect(left - side / 2, top - side / 2, side, side);
    }
  }
  return canvas.toDataURL();
}
