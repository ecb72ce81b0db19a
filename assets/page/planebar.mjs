/* The bar below the image of a stack: a slider for each axis with marks where strokes are, and play. */

import { byId, element, icon } from "../shared/dom.mjs";
import { placeOf } from "./entries.mjs";

/** @import { Stack } from "../journal/stacks.mjs" */

/**
 * @typedef {object} PlaneActions what a person does in the bar
 * @property {(axis: number, place: number) => void} go
 * @property {() => void} play
 */

/** @typedef {{slider: HTMLInputElement, told: HTMLElement, marks: HTMLElement, track: HTMLElement}} Row */

const PLAY = "M8 5v14l11-7z";
const PAUSE = "M8 5v14M16 5v14";
const WORDS = /** @type {Record<string, string>} */ ({ z: "Depth (z)", t: "Time (t)" });
const KEYS = /** @type {Record<string, string>} */ ({
  z: "↑ ↓, or Alt + wheel", t: "← →, or Alt + Shift + wheel",
});
const MOST_TOLD = 30;

export class PlaneBar {
  /** @param {PlaneActions} actions */
  constructor(actions) {
    this.actions = actions;
    this.container = byId("plane-axes");
    /** @type {Row[]} */
    this.rows = [];
    this.axes = "";
    this.playing = element("button", { type: "button", class: "mini", id: "play", onclick: () => actions.play() });
    this.showPlaying(false);
  }

  /**
   * Show a stack, and which plane of it is seen.
   * @param {Stack} stack
   * @param {number} index of the plane, from 0
   * @param {number[]} drawn indices of the planes that have strokes
   */
  show(stack, index, drawn) {
    const axes = JSON.stringify(stack.axes);
    if (axes !== this.axes) this.build(stack);
    this.axes = axes;
    const place = placeOf(stack, index);
    this.rows.forEach((row, axis) => {
      this.showPlace(axis, place[axis]);
      this.mark(row, stack, axis, drawn.map((one) => placeOf(stack, one)), place);
    });
  }

  /** @param {Stack} stack */
  build({ axes }) {
    const timed = axes.findIndex(([name]) => name === "t");
    this.rows = axes.map(([name, length], axis) => {
      const slider = element("input", {
        type: "range", min: 0, max: length - 1, step: 1, value: "0", "aria-label": WORDS[name],
        title: `${WORDS[name]}: ${KEYS[name]}`, "data-axis": name,
        oninput: () => this.actions.go(axis, slider.valueAsNumber),
      });
      const marks = element("span", { class: "plane-marks" });
      const track = element("span", { class: "plane-track" }, slider, marks);
      return { slider, told: element("output", { "data-axis": name }), marks, track };
    });
    const ordered = [...this.rows.keys()].sort((a, b) => Number(axes[b][0] === "z") - Number(axes[a][0] === "z"));
    this.container.replaceChildren(...ordered.map((axis) => {
      const { told, track } = this.rows[axis];
      const parts = [element("span", { class: "plane-name" }, axes[axis][0]), track, told];
      return element("div", { class: "plane-axis" }, ...parts, ...(axis === timed ? [this.playing] : []));
    }));
  }

  /**
   * @param {number} axis
   * @param {number} place from 0
   */
  showPlace(axis, place) {
    const { slider, told } = this.rows[axis];
    if (slider.valueAsNumber !== place) slider.value = String(place);
    told.textContent = `${place + 1} / ${Number(slider.max) + 1}`;
    slider.setAttribute("aria-valuetext", `${place + 1} of ${Number(slider.max) + 1}`);
  }

  /**
   * Marks where strokes are; those that only this slider leads to stand out.
   * @param {Row} row
   * @param {Stack} stack
   * @param {number} axis
   * @param {number[][]} drawn places that have strokes
   * @param {number[]} place that is seen
   */
  mark({ marks, slider, track }, stack, axis, drawn, place) {
    const length = stack.axes[axis][1];
    const here = drawn.filter((one) => one.every((at, other) => other === axis || at === place[other]));
    const lines = (/** @type {number[][]} */ places, /** @type {string} */ kind) => (
      [...new Set(places.map((one) => one[axis]))].map((at) => {
        const line = element("i", { class: kind });
        line.style.setProperty("--at", String(length > 1 ? at / (length - 1) : 0));
        return line;
      })
    );
    const told = JSON.stringify([drawn, here]);
    if (marks.dataset.told === told) return;
    marks.dataset.told = told;
    marks.replaceChildren(...lines(drawn, "far"), ...lines(here, "here"));
    const names = [...new Set(drawn.map((one) => one[axis] + 1))].sort((a, b) => a - b);
    const more = names.length > MOST_TOLD ? "…" : "";
    const strokes = names.length ? `. Strokes on ${names.slice(0, MOST_TOLD).join(", ")}${more}` : "";
    const [name] = stack.axes[axis];
    track.title = `${WORDS[name]}: ${KEYS[name]}${strokes}`;
    slider.title = track.title;
  }

  /** @param {boolean} playing whether the planes go by */
  showPlaying(playing) {
    this.playing.replaceChildren(icon(playing ? PAUSE : PLAY));
    this.playing.setAttribute("aria-label", playing ? "Stop" : "Play");
    this.playing.setAttribute("aria-pressed", String(playing));
    this.playing.title = playing ? "Stop (K)" : "Play the images one after the other (K)";
  }
}
