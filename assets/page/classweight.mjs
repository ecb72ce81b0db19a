/* More or less of a class: the slider that weighs its probability. */

import { element } from "../shared/dom.mjs";

/* The slider has four steps to twice as much, and reaches from an eighth to eight times. */
const STEPS = 4;
const REACH = 12;

/** @param {number} step of the slider */
const weightOf = (step) => Math.round(1000 * 2 ** (step / STEPS)) / 1000;

/** @param {number} weight */
const stepOf = (weight) => Math.round(STEPS * Math.log2(weight));

/** @param {number} weight */
const asText = (weight) => `× ${Number(weight.toPrecision(3))}`;

export class ClassWeight {
  /** What the session says. */
  weight = 1;
  /** Whether the slider is being moved. */
  moving = false;

  /** @param {(weight: number) => void} onChange another weight was chosen */
  constructor(onChange) {
    const choose = () => {
      this.moving = false;
      if (this.chosen !== this.weight) onChange(this.chosen);
    };
    this.slider = element("input", {
      type: "range", class: "class-weight", min: String(-REACH), max: String(REACH), step: "1",
      oninput: () => {
        this.moving = true;
        this.say(this.chosen);
      },
      onchange: choose,
      onpointerdown: (/** @type {Event} */ event) => event.stopPropagation(),
    });
    this.reset = element("button", {
      type: "button", class: "mini class-weight-reset", onclick: () => onChange(1),
    });
    this.root = element(
      "div", { class: "class-weighing" }, element("span", {}, "Less"), this.slider, element("span", {}, "More"),
    );
  }

  /** The weight at which the slider stands. */
  get chosen() {
    const step = Number(this.slider.value);
    return step === stepOf(this.weight) ? this.weight : weightOf(step);
  }

  /**
   * Show a weight, unless another one is just being chosen.
   * @param {string} name of the class
   * @param {number} weight
   */
  show(name, weight) {
    this.slider.setAttribute("aria-label", `Less or more of ${name}`);
    if (this.moving) return;
    this.weight = weight;
    this.slider.value = String(stepOf(weight));
    this.say(weight);
  }

  /** @param {number} weight */
  say(weight) {
    const text = asText(weight);
    this.slider.setAttribute("aria-valuetext", text);
    this.reset.textContent = text;
    this.reset.hidden = weight === 1;
    this.reset.title = `The probability of this class counts ${text}: click to have it as it was learnt`;
  }
}
