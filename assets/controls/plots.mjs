/* The drawer of plots below the image: how a measure is distributed, on each image, and one measure against another. */

import { sessionUrl } from "../page/context.mjs";
import { csvOf } from "../page/csv.mjs";
import { objectColumns, unitOf, unpackObjects } from "../page/objectcolumns.mjs";
import { boxFigure, histogramFigure, scatterFigure } from "../page/plotfigures.mjs";
import { channelNames } from "../picture/about.mjs";
import { byId, element, saveFile } from "../shared/dom.mjs";
import { AWAY, fetchShown, reasonOf } from "../shared/requests.mjs";

/** @import { Found } from "../page/objectcolumns.mjs" */
/** @import { Column } from "../page/objecttable.mjs" */
/** @import { Figure, Group } from "../page/plotfigures.mjs" */
/** @import { Session } from "../session/session.mjs" */
/** @import { Objects } from "./objects.mjs" */

/** @typedef {{name: string, hash: string, found: Found}} Measured the objects of an image */

/** How much of the drawer the axes of a plot take. */
const [AXES_WIDTH, AXES_HEIGHT] = [70, 56];
const GREY = "#888888";

export class Plots {
  /**
   * @param {Session} session
   * @param {Objects} objects
   */
  constructor(session, objects) {
    this.session = session;
    this.objects = objects;
    this.open = false;
    /** What is drawn. @type {?Figure} */
    this.figure = null;
    /** The part of a scatter plot in which objects were picked. @type {?{x: number[], y: number[]}} */
    this.region = null;
    /** The objects of images, by their hashes, of what is segmented now. @type {Map<string, Measured>} */
    this.measured = new Map();
    this.asked = 0;
    this.place = /** @type {any} */ (byId("plot"));
    this.kind = byId("plot-kind", HTMLSelectElement);
    this.x = byId("plot-x", HTMLSelectElement);
    this.y = byId("plot-y", HTMLSelectElement);
    this.offered = "";
    for (const select of [this.kind, this.x, this.y]) select.addEventListener("change", () => this.letGo());
    byId("open-plots").addEventListener("click", () => this.show(!this.open));
    byId("close-plots").addEventListener("click", () => this.show(false));
    byId("plot-picked").addEventListener("click", () => this.letGo());
    for (const one of ["png", "svg"]) byId(`plot-${one}`).addEventListener("click", () => this.savePicture(one));
    byId("plot-csv").addEventListener("click", () => this.saveData());
    objects.onFilter = () => this.draw();
    objects.onStale = () => this.measured.clear();
    new ResizeObserver(() => { if (this.open) this.draw(); }).observe(this.place);
  }

  /** @param {boolean} open */
  show(open) {
    this.open = open;
    byId("plots").hidden = !open;
    byId("open-plots").setAttribute("aria-expanded", String(open));
    this.objects.show(open || byId("panel").dataset.tab === "objects");
    this.letGo();
  }

  /** Nothing is picked any more. */
  letGo() {
    this.region = null;
    if (this.objects.picked) this.objects.pick(null);
    else this.draw();
  }

  /** The measures that can be plotted. @returns {Column[]} */
  get measures() {
    return this.objects.columns.slice(2);
  }

  offerMeasures() {
    const { measures } = this;
    const names = measures.map(({ name, title }) => `${name} ${title}`).join();
    if (names === this.offered) return;
    this.offered = names;
    for (const [select, first] of /** @type {[HTMLSelectElement, number][]} */ ([[this.x, 0], [this.y, 4]])) {
      const chosen = select.value;
      select.replaceChildren(...measures.map(({ name, title }) => element("option", { value: name }, title)));
      select.value = measures.some(({ name }) => name === chosen) ? chosen : measures[first].name;
    }
  }

  draw() {
    if (!this.open) return;
    const scatters = this.kind.value === "scatter";
    this.y.hidden = !scatters;
    byId("plot-picked").hidden = !this.objects.picked;
    if (!this.objects.found) {
      this.say(byId("objects-text").textContent ?? "");
      this.showFigure(null);
      return;
    }
    this.offerMeasures();
    this.asked += 1;
    if (this.kind.value === "boxes") this.drawBoxes(this.asked);
    else if (scatters) this.drawScatter();
    else {
      this.say("");
      const groups = this.groupsOf(this.objects.table.objects);
      this.showFigure(histogramFigure(groups, this.measure(this.x).title, this.colours));
    }
  }

  /** @param {HTMLSelectElement} select */
  measure(select) {
    return this.measures.find(({ name }) => name === select.value) ?? this.measures[0];
  }

  get colours() {
    const { color: text, borderTopColor: line, backgroundColor: surface } = getComputedStyle(this.place);
    return { text, line, surface };
  }

  /**
   * The chosen measure of objects of the image that is shown, by class.
   * @param {number[]} objects
   * @returns {Group[]}
   */
  groupsOf(objects) {
    const measure = this.measure(this.x);
    const classIds = this.objects.found?.columns.get("class_id") ?? [];
    return this.session.state.classes.map(({ id, name, colour }) => ({
      name, colour, values: objects.filter((object) => classIds[object] === id).map(measure.value),
    })).filter(({ values }) => values.length);
  }

  drawScatter() {
    const { objects, region } = this;
    const [x, y] = [this.measure(this.x), this.measure(this.y)];
    const found = /** @type {Found} */ (objects.found);
    const classIds = /** @type {Float64Array} */ (found.columns.get("class_id"));
    const classes = new Map(this.session.state.classes.map((one) => [one.id, one]));
    const { width, height } = this.place.getBoundingClientRect();
    const figure = scatterFigure({
      x: /** @type {Float64Array} */ (found.columns.get(x.name)),
      y: /** @type {Float64Array} */ (found.columns.get(y.name)), objects: objects.offered,
      colour: (object) => classes.get(classIds[object])?.colour ?? GREY,
      cells: (object) => [object + 1, classes.get(classIds[object])?.name ?? ""],
      picked: (object) => objects.picked?.(object) ?? true,
    }, [x.title, y.title], this.colours, {
      width: Math.max(1, width - AXES_WIDTH), height: Math.max(1, height - AXES_HEIGHT),
    }, region);
    this.say(region ? "" : "Drag over points: their objects are picked, the others fade in the image.");
    this.showFigure(figure);
  }

  /**
   * Objects were picked in a part of the scatter plot.
   * @param {{x: number[], y: number[]}} region
   */
  pick(region) {
    const [x, y] = [this.measure(this.x).value, this.measure(this.y).value];
    const [[left, right], [low, high]] = [region.x, region.y].map((ends) => [...ends].sort((a, b) => a - b));
    this.region = region;
    this.objects.pick((object) => (
      x(object) >= left && x(object) <= right && y(object) >= low && y(object) <= high
    ));
  }

  /** @param {number} asked */
  async drawBoxes(asked) {
    const { session, objects } = this;
    const { image, images, classes } = session.state;
    const alike = images.filter(({ channels }) => channels === image?.channels);
    if (objects.found?.image === image?.hash && image && objects.found) {
      this.measured.set(image.hash, { name: image.name, hash: image.hash, found: objects.found });
    }
    const wanted = Number(objects.classes.value);
    const drawNow = () => {
      const known = alike.flatMap(({ hash }) => this.measured.get(hash) ?? []);
      const units = new Set(known.map(({ found }) => unitOf(found)));
      const unit = units.size === 1 ? [...units][0] : undefined;
      const place = this.x.selectedIndex;
      const groups = known.map(({ name, found }) => {
        const column = objectColumns(found, classes, unit).slice(2)[place];
        const classIds = /** @type {Float64Array} */ (found.columns.get("class_id"));
        return {
          name,
          title: column?.title ?? "",
          groups: classes.filter(({ id }) => !wanted || id === wanted).map(({ id, name: ofClass, colour }) => ({
            name: ofClass, colour,
            values: [...classIds.keys()].filter((one) => classIds[one] === id).map((one) => column?.value(one) ?? NaN),
          })),
        };
      });
      this.showFigure(groups.length ? boxFigure(groups, groups[0].title, this.colours) : null);
    };
    drawNow();
    let problem = "";
    for (const [index, { hash, name }] of alike.entries()) {
      if (this.measured.has(hash)) continue;
      this.say(`Measuring image ${index + 1} of ${alike.length}…`);
      try {
        const response = await fetchShown(`${sessionUrl}download/measures.bin?image=${hash}`);
        if (!response.ok) problem = `${name}: ${await reasonOf(response)}`;
        const found = response.ok ? await unpackObjects(response, hash, await channelNames(hash)) : null;
        if (found && asked === this.asked) this.measured.set(hash, { name, hash, found });
      } catch {
        problem = AWAY;
      }
      if (asked !== this.asked || !this.open) return;
      drawNow();
    }
    this.say(problem);
  }

  /** @param {string} sentence */
  say(sentence) {
    byId("plot-text").textContent = sentence;
  }

  /**
   * Show a figure; null for none.
   * @param {?Figure} figure
   */
  async showFigure(figure) {
    this.figure = figure;
    for (const format of ["png", "svg", "csv"]) {
      byId(`plot-${format}`, HTMLButtonElement).disabled = !figure?.traces.length;
    }
    if (!figure) {
      window.Plotly.purge(this.place);
      return;
    }
    const { width, height } = this.place.getBoundingClientRect();
    const layout = { ...figure.layout, width, height };
    await window.Plotly.react(this.place, figure.traces, layout, { displayModeBar: false, responsive: false });
    this.place.removeAllListeners("plotly_selected");
    this.place.on("plotly_selected", (/** @type {any} */ event) => {
      if (event?.range?.x && event.range.y) this.pick(event.range);
    });
  }

  /** @param {string} format */
  async savePicture(format) {
    const { width, height } = this.place.getBoundingClientRect();
    this.save(await window.Plotly.toImage(this.place, { format, width, height, scale: 2 }), format);
  }

  saveData() {
    this.save(new Blob([csvOf(this.figure?.rows() ?? [])], { type: "text/csv" }), "csv");
  }

  /**
   * @param {Blob | string} content
   * @param {string} ending
   */
  save(content, ending) {
    const stem = this.session.state.image?.name.replace(/\.[^.]*$/, "");
    saveFile(content, `${stem}-${this.kind.value}.${ending}`);
  }
}
