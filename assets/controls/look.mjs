/* How the image is shown: channels, colours, histogram with handles. Kept for each image, in this browser. */

import { entryKey } from "../page/entries.mjs";
import { aboutImage } from "../picture/about.mjs";
import { MOST_CHANNELS, applies, usualLook, withPreset } from "../picture/composite.mjs";
import { all, byId, element } from "../shared/dom.mjs";

/** @import { Session } from "../session/session.mjs" */
/** @import { ChannelFacts, ChannelLook, Look } from "../picture/composite.mjs" */

const MOST_IMAGES = 50;
/** After so long a change is on the screen: only then is the histogram drawn, which takes as long as the image does. */
const PAINTED_MS = 60;
const CONFIG = { displayModeBar: false, staticPlot: true };

/** @param {number} value as few digits as say it */
const short = (value) => Number(value.toPrecision(5));

export class LookPanel {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.hash = "";
    /** What the image is looked at together with: itself, or its stack. */
    this.key = "";
    /** @type {ChannelFacts[]} */
    this.facts = [];
    /** @type {Look} */
    this.look = [];
    /** Index of the channel whose histogram is shown. */
    this.chosen = 0;
    /** @type {number | undefined} */
    this.frame = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.later = undefined;
    const range = (/** @type {string} */ label, /** @type {"low" | "high"} */ end) => element("input", {
      type: "range", "aria-label": label, step: "any", min: 0, max: 1,
      oninput: (/** @type {Event} */ event) => this.drag(end, event),
    });
    const number = (/** @type {string} */ label, /** @type {"low" | "high"} */ end) => element("input", {
      type: "number", "aria-label": label, step: "any",
      onchange: (/** @type {Event} */ event) => this.drag(end, event),
    });
    this.handles = { low: range("Shown black", "low"), high: range("Shown white", "high") };
    this.numbers = { low: number("Smallest value", "low"), high: number("Largest value", "high") };
    this.gamma = element("input", {
      type: "range", id: "look-gamma", min: -1, max: 1, step: 0.02, title: "Left for brighter darks",
      oninput: () => this.change({ gamma: short(10 ** Number(this.gamma.value)) }),
    });
    this.gammaSaid = element("output", { for: "look-gamma" });
    this.auto = element("button", {
      type: "button", class: "quiet small", title: "The values that tell most", onclick: () => this.reset(),
    }, "Auto");
    byId("look-handles").append(this.handles.low, this.handles.high);
    byId("look-numbers").append(this.numbers.low, this.numbers.high, this.auto);
    byId("look-gamma-row").append(element("label", { for: "look-gamma" }, "Gamma"), this.gamma, this.gammaSaid);
    new ResizeObserver(() => this.drawHistogram()).observe(byId("look-histogram"));
    for (const button of all("#look-presets [data-preset]")) {
      button.addEventListener("click", () => this.usePreset(button.dataset.preset ?? ""));
    }
  }

  /** Turn to the current image, if it is another one. */
  async show() {
    const { image } = this.session.state;
    if (!image || (image.hash === this.hash && entryKey(image) === this.key)) return;
    this.hash = image.hash;
    this.key = entryKey(image);
    const { photo } = this.session.picture;
    const kept = this.session.view.looks[this.key];
    if (!kept) await photo.shown;
    const about = await aboutImage(image);
    if (this.hash !== image.hash || !about) return;
    this.facts = about.channels;
    this.look = kept?.length === this.facts.length ? kept : usualLook(this.facts);
    this.chosen = 0;
    if (kept) photo.develop({ facts: this.facts, look: this.look });
    this.list();
    this.showChosen();
  }

  /**
   * Take another look, and keep it.
   * @param {?Look} look null: the usual one, which the server shows
   */
  take(look) {
    this.look = look ?? usualLook(this.facts);
    const { view, picture } = this.session;
    const others = Object.entries(view.looks).filter(([key]) => key !== this.key);
    const kept = Object.fromEntries(others.slice(-MOST_IMAGES + 1));
    this.session.chooseView({ looks: look ? { ...kept, [this.key]: look } : kept });
    /* Handles tell more often than a screen is painted. */
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      const chosen = view.looks[this.key];
      picture.photo.develop(chosen ? { facts: this.facts, look: chosen } : null);
      this.showRange();
    });
  }

  /**
   * Change how a channel is shown.
   * @param {Partial<ChannelLook>} change
   * @param {number} [index] of the channel
   */
  change(change, index = this.chosen) {
    this.take(this.look.map((one, at) => (at === index ? { ...one, ...change } : one)));
    if ("on" in change) this.list();
  }

  /** The range of the chosen channel as at first. */
  reset() {
    const { low, high } = this.facts[this.chosen];
    this.change({ low, high, gamma: 1 });
  }

  /** @param {string} name of a preset */
  usePreset(name) {
    if (!this.facts.length) return;
    this.take(name === "usual" ? null : withPreset(this.look, name, this.chosen));
    this.list();
  }

  /**
   * A handle was dragged, or a number typed.
   * @param {"low" | "high"} end
   * @param {Event} event
   */
  drag(end, { target }) {
    const value = target instanceof HTMLInputElement ? target.valueAsNumber : NaN;
    if (!Number.isFinite(value) || !this.facts.length) return;
    const { low, high } = this.look[this.chosen];
    if (end === "low") this.change({ low: value, high: Math.max(high, value) });
    else this.change({ low: Math.min(low, value), high: value });
  }

  /** Show the list of channels, and the presets that say anything of them. */
  list() {
    for (const button of all("#look-presets [data-preset]")) {
      button.hidden = !applies(button.dataset.preset ?? "", this.facts.length);
    }
    const on = this.look.filter((one) => one.on).length;
    const rows = this.look.map((one, index) => {
      const { name } = this.facts[index];
      const box = element("input", {
        type: "checkbox", checked: one.on, "aria-label": `Show ${name}`, disabled: !one.on && on >= MOST_CHANNELS,
        title: !one.on && on >= MOST_CHANNELS ? `At most ${MOST_CHANNELS} channels at once` : "",
        onchange: () => this.change({ on: !one.on }, index),
      });
      const colour = element("input", {
        type: "color", value: one.colour, "aria-label": `Colour of ${name}`,
        oninput: (/** @type {any} */ event) => this.change({ colour: event.target.value }, index),
      });
      const button = element("button", {
        type: "button", class: "quiet small", "aria-pressed": String(index === this.chosen),
        title: "Its histogram and contrast", onclick: () => this.turnTo(index),
      }, name);
      return element("div", { class: "look-channel" }, box, colour, button, element("span", {}));
    });
    const list = byId("look-channels");
    const focused = list.contains(document.activeElement) ? [...list.querySelectorAll("input, button")] : [];
    const place = focused.findIndex((one) => one === document.activeElement);
    list.replaceChildren(...rows);
    const again = list.querySelectorAll("input, button")[place];
    if (again instanceof HTMLElement) again.focus();
  }

  /**
   * Show the value of each channel under the pointer.
   * @param {?number[]} values null if it is nowhere, or they are not known yet
   */
  showValues(values) {
    const places = document.querySelectorAll("#look-channels .look-channel > span");
    for (const [index, place] of places.entries()) {
      const value = values?.[index] ?? NaN;
      place.textContent = Number.isNaN(value) ? "" : String(Number(value.toPrecision(5)));
    }
  }

  /** @param {number} index of the channel whose histogram is to be shown */
  turnTo(index) {
    this.chosen = index;
    this.list();
    this.showChosen();
  }

  /** Show the histogram and the contrast of the chosen channel. */
  showChosen() {
    this.showRange();
    this.drawHistogram();
  }

  /** Show the contrast of the chosen channel, and its histogram once the image has been painted. */
  showRange() {
    const { smallest, largest } = this.facts[this.chosen];
    const { low, high, gamma } = this.look[this.chosen];
    for (const [end, value] of /** @type {["low" | "high", number][]} */ ([["low", low], ["high", high]])) {
      const handle = this.handles[end];
      Object.assign(handle, { min: String(smallest), max: String(largest) });
      handle.value = String(value);
      if (document.activeElement !== this.numbers[end]) this.numbers[end].value = String(short(value));
    }
    this.gamma.value = String(Math.log10(gamma));
    this.gammaSaid.textContent = gamma.toFixed(2);
    this.later ??= setTimeout(() => {
      this.later = undefined;
      this.drawHistogram();
    }, PAINTED_MS);
  }

  /** Draw the histogram of the chosen channel, if it is seen; what is beyond the range is grey. */
  drawHistogram() {
    const place = byId("look-histogram");
    if (!this.facts.length || !place.clientWidth) return;
    const { smallest, largest, histogram } = this.facts[this.chosen];
    const { low, high } = this.look[this.chosen];
    const width = (largest - smallest || 1) / histogram.length;
    const bars = {
      type: "bar", x: histogram.map((_, index) => smallest + (index + 0.5) * width), y: histogram.map(Math.sqrt), width,
      marker: { color: histogram.map((_, index) => {
        const value = smallest + (index + 0.5) * width;
        return value < low || value > high ? "#8a93a0" : "#1668dc";
      }) },
    };
    const axis = { visible: false, fixedrange: true };
    window.Plotly.react(place, [bars], {
      width: place.clientWidth,
      xaxis: { ...axis, range: [smallest, largest > smallest ? largest : smallest + 1] },
      yaxis: { ...axis, rangemode: "tozero" },
      margin: { l: 8, r: 8, t: 2, b: 0 }, bargap: 0, height: 72,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    }, CONFIG);
  }
}
