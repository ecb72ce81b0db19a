/* The steps of the clean-up, in the order in which they are done: what they do is seen while a slider moves. */

import { all, byId, element } from "../shared/dom.mjs";
import { looking } from "./context.mjs";
import { sizeInPixels, sizeInUnit } from "./lengths.mjs";

/** @import { PixelSize } from "./lengths.mjs" */
/** @import { CleanUpStep, LabelClass, StateWithImage } from "../journal/state.mjs" */

/**
 * @typedef {object} Kind
 * @property {string} name what it is called
 * @property {number} first size that a new step has
 * @property {number} largest size at the end of the slider
 * @property {number} least the smallest size that can be typed
 * @property {number} most the largest
 * @property {"area" | "length" | "share" | "none"} scale
 */

/** @type {Record<string, Kind>} */
const KINDS = {
  fill_holes: { name: "Fill holes up to", first: 50, largest: 100_000, least: 1, most: 1_000_000_000, scale: "area" },
  drop_small: { name: "Drop parts below", first: 20, largest: 100_000, least: 1, most: 1_000_000_000, scale: "area" },
  smooth: { name: "Smooth borders", first: 2, largest: 20, least: 1, most: 50, scale: "length" },
  drop_border: { name: "Drop parts at the border", first: 0, largest: 0, least: 0, most: 0, scale: "none" },
  keep_border: { name: "Keep parts at the border", first: 0, largest: 0, least: 0, most: 0, scale: "none" },
  split: { name: "Split touching objects", first: 0.7, largest: 1, least: 0, most: 1, scale: "share" },
  split_corners: { name: "Split at corners (4 neighbours)", first: 0, largest: 0, least: 0, most: 0, scale: "none" },
};

/** Steps that ask for a class. */
const BY_BORDER = ["drop_border", "keep_border"];

const AREA_STEPS = 100;
/* So near 1, 2, 5, 10, 20... a size snaps to it. */
const DIGITS = 2;

/**
 * Sizes of areas grow from step to step by the same factor.
 * @param {Kind} kind
 * @param {number} position of the slider
 */
function sizeAt({ scale, largest }, position) {
  if (scale !== "area") return scale === "share" ? position / 100 : position;
  return Math.max(1, Number((largest ** (position / AREA_STEPS)).toPrecision(DIGITS)));
}

/**
 * @param {Kind} kind
 * @param {number} size
 */
function positionOf({ scale, largest }, size) {
  if (scale !== "area") return scale === "share" ? Math.round(100 * size) : size;
  return Math.round((AREA_STEPS * Math.log(size)) / Math.log(largest));
}

/**
 * @param {Kind} kind
 * @param {number} size
 */
function asText({ scale }, size) {
  if (scale === "share") return `${Math.round(100 * size)} %`;
  return scale === "area" ? `${size.toLocaleString("en")} px²` : `± ${size} px`;
}

export class CleanUp {
  /** How large a pixel of the image is. @type {() => ?PixelSize} */
  pixelSize = () => null;

  /**
   * @param {(steps: CleanUpStep[]) => void} onTry what is seen while a slider moves
   * @param {(steps: CleanUpStep[]) => void} onChange other steps were chosen
   */
  constructor(onTry, onChange) {
    this.onTry = onTry;
    this.onChange = onChange;
    /** @type {CleanUpStep[]} */
    this.steps = [];
    this.shown = "";
    this.moving = false;
    /** @type {?StateWithImage} */
    this.state = null;
    const add = byId("clean-up-add", HTMLSelectElement);
    for (const [kind, { name }] of Object.entries(KINDS)) add.append(element("option", { value: kind }, name));
    add.disabled = looking;
    add.addEventListener("change", () => {
      this.add(add.value);
      add.value = "";
    });
  }

  /** The size of a pixel may have become known. */
  showAgain() {
    if (this.state) this.show(this.state);
  }

  /** @param {StateWithImage} state */
  show(state) {
    this.state = state;
    if (this.moving) return;
    const { cleanUp, classes } = state;
    this.steps = cleanUp;
    this.classes = classes;
    const shown = JSON.stringify([cleanUp, classes, this.pixelSize()]);
    if (shown === this.shown) return;
    const focused = all(":focus", byId("clean-up-steps"))[0]?.dataset.control;
    this.shown = shown;
    byId("clean-up-steps").replaceChildren(...cleanUp.map((step, index) => this.row(step, index, classes)));
    all("[data-control]", byId("clean-up-steps")).find((one) => one.dataset.control === focused)?.focus();
  }

  /** @param {string} kind */
  add(kind) {
    const classes = BY_BORDER.includes(kind) ? [this.classes?.[0]?.id ?? 1] : null;
    this.onChange([...this.steps, { kind, size: KINDS[kind].first, classes }]);
  }

  /**
   * The steps with one of them changed, or without it.
   * @param {number} index
   * @param {?Partial<CleanUpStep>} change
   */
  with(index, change) {
    return this.steps.flatMap((step, at) => (at === index ? (change ? [{ ...step, ...change }] : []) : [step]));
  }

  /**
   * @param {CleanUpStep} step
   * @param {number} index
   * @param {LabelClass[]} classes
   */
  row(step, index, classes) {
    const kind = KINDS[step.kind];
    const up = element("button", {
      type: "button", class: "mini", title: "Do it before the step above", "aria-label": `${kind.name}: earlier`,
      disabled: index === 0 || looking, "data-control": `up-${index}`,
      onclick: () => {
        const steps = [...this.steps];
        steps.splice(index - 1, 2, steps[index], steps[index - 1]);
        this.onChange(steps);
      },
    }, "↑");
    const remove = element("button", {
      type: "button", class: "mini", title: "Leave this step out", "aria-label": `${kind.name}: leave out`,
      disabled: looking, "data-control": `remove-${index}`, onclick: () => this.onChange(this.with(index, null)),
    }, "×");
    return element(
      "div", { class: "clean-up-step", "data-kind": step.kind },
      element("span", { class: "clean-up-name" }, kind.name), this.classSelect(step, index, classes), up, remove,
      ...(kind.scale === "none" ? [] : this.slider(step, index)),
    );
  }

  /**
   * @param {CleanUpStep} step
   * @param {number} index
   * @param {LabelClass[]} classes
   */
  classSelect(step, index, classes) {
    const kind = KINDS[step.kind];
    const chosen = step.classes?.join(",") ?? "";
    const options = classes.map(({ id, name }) => ({ value: String(id), name }));
    if (!BY_BORDER.includes(step.kind)) options.unshift({ value: "", name: "all classes" });
    if (!options.some(({ value }) => value === chosen)) {
      options.push({ value: chosen, name: `class ${step.classes?.join(", ")}` });
    }
    const select = element("select", {
      "aria-label": `${kind.name}: of which class`, disabled: looking, "data-control": `class-${index}`,
      onchange: () => this.onChange(this.with(index, {
        classes: select.value ? select.value.split(",").map(Number) : null,
      })),
    }, ...options.map(({ value, name }) => element("option", { value }, name)));
    select.value = chosen;
    return select;
  }

  /**
   * @param {CleanUpStep} step
   * @param {number} index
   */
  slider(step, index) {
    const kind = KINDS[step.kind];
    const value = element("output", {}, asText(kind, step.size));
    const ends = { area: AREA_STEPS, length: kind.largest, share: 100, none: 0 };
    const slider = element("input", {
      type: "range", min: kind.scale === "length" ? "1" : "0", max: String(ends[kind.scale]), step: "1",
      "aria-label": `${kind.name}: size`, "aria-valuetext": asText(kind, step.size), disabled: looking,
      "data-control": `size-${index}`,
      oninput: () => {
        const size = sizeAt(kind, Number(slider.value));
        this.moving = true;
        value.textContent = asText(kind, size);
        slider.setAttribute("aria-valuetext", asText(kind, size));
        this.onTry(this.with(index, { size }));
      },
      onchange: () => {
        this.moving = false;
        this.onChange(this.with(index, { size: sizeAt(kind, Number(slider.value)) }));
      },
    });
    slider.value = String(positionOf(kind, step.size));
    const size = this.pixelSize();
    if (!size || size.unit === "°" || kind.scale === "share") return [slider, value];
    const typed = this.unitField(step, index, size);
    slider.addEventListener("input", () => typed.show(sizeAt(kind, Number(slider.value))));
    return [slider, value, typed.field];
  }

  /**
   * Shows the size of a step in the unit of the image, in which another can be typed.
   * @param {CleanUpStep} step
   * @param {number} index
   * @param {PixelSize} size of a pixel
   */
  unitField(step, index, size) {
    const { name, scale, least, most } = KINDS[step.kind];
    const power = scale === "area" ? 2 : 1;
    const field = element("input", {
      "class": "clean-up-unit", "aria-label": `${name}: size in ${size.unit}`, "disabled": looking,
      "title": `The size in ${size.unit}: type another`, "data-control": `unit-${index}`,
      "onchange": () => {
        const pixels = sizeInPixels(field.value, size, power) ?? step.size;
        const within = Math.min(Math.max(pixels, least), most);
        if (within === step.size) show(within);
        else this.onChange(this.with(index, { size: within }));
      },
    });
    const show = (/** @type {number} */ pixels) => { field.value = sizeInUnit(pixels, size, power); };
    show(step.size);
    return { field, show };
  }
}
