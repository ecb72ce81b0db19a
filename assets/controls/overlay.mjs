/* How the classes are shown over the image: filled or outlined, and how opaque each is. */

import { byId, element } from "../shared/dom.mjs";

/** @import { Session } from "../session/session.mjs" */

export class Overlay {
  /** The classes that have a slider. */
  shown = "";

  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.style = byId("overlay-style", HTMLSelectElement);
    this.style.addEventListener("change", () => session.chooseView({ style: this.style.value }));
    const more = byId("opacity-more");
    more.addEventListener("click", () => {
      const folded = more.getAttribute("aria-expanded") === "true";
      more.setAttribute("aria-expanded", String(!folded));
      byId("class-opacities").hidden = folded;
    });
  }

  /** Bring the controls up to date. */
  show() {
    const { state: { classes }, view } = this.session;
    this.style.value = view.style;
    if (JSON.stringify(classes) === this.shown) return;
    this.shown = JSON.stringify(classes);
    byId("class-opacities").replaceChildren(...classes.map(({ id, name, colour }) => {
      const value = element("output", {}, `${view.opacities[id] ?? 100} %`);
      const slider = element("input", {
        type: "range", min: 0, max: 100, step: 5, "aria-label": `Opacity of ${name}`,
        oninput: () => {
          value.textContent = `${slider.value} %`;
          this.choose(id, Number(slider.value));
        },
      });
      slider.value = String(view.opacities[id] ?? 100);
      const swatch = element("i", {});
      swatch.style.background = colour;
      const called = element("span", {}, name);
      return element("label", { class: "class-opacity", title: name }, swatch, called, slider, value);
    }));
  }

  /**
   * @param {number} id of a class
   * @param {number} percent of the opacity of all
   */
  choose(id, percent) {
    this.session.chooseView({ opacities: { ...this.session.view.opacities, [id]: percent } });
  }
}
