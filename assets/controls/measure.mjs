/* How large a pixel is: shown below the image, with a scale bar on it, and typed where the file does not say it. */

import { aboutImage } from "../picture/about.mjs";
import { byId, element } from "../shared/dom.mjs";
import { describeSize, parseSize, partsOfSize, scaleBar } from "../page/lengths.mjs";

/** @import { Session } from "../session/session.mjs" */
/** @import { PixelSize } from "../page/lengths.mjs" */

const WIDEST_BAR = 140;
const MARGIN = 16;
const INSET = 6;
const EXAMPLES = "0.325 µm, 0.3 × 0.4 mm, or 0.3 × 0.3 × 2 µm with the distance of planes";

/** @param {PixelSize} size */
function inWords(size) {
  const { first, others, unit } = partsOfSize(size);
  const [more, what] = [others, " a pixel"].map((text) => element("span", { class: "if-room" }, text));
  return [first, more, ` ${unit}`, what];
}

export class Measure {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** As the file of the current image says it. @type {?PixelSize} */
    this.said = null;
    this.hash = "";
    this.dialog = byId("measure", HTMLDialogElement);
    this.field = byId("measure-size", HTMLInputElement);
    byId("zoom").addEventListener("click", () => this.showOneToOne());
    byId("pixel-size").addEventListener("click", () => this.open());
    byId("measure-no").addEventListener("click", () => this.dialog.close());
    byId("measure-said").addEventListener("click", () => this.type(null));
    this.field.addEventListener("input", () => this.showProblem(""));
    byId("measure-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const size = parseSize(this.field.value);
      if (size) this.type(size);
      else this.showProblem(`Give the side of a pixel and a unit: ${EXAMPLES}.`);
    });
  }

  /** The size of a pixel of the current image, as somebody typed it, or else as the file says. */
  get size() {
    return this.session.state.measured.get(this.hash) ?? this.said;
  }

  /** Bring what is shown up to date. */
  async show() {
    const { image } = this.session.state;
    if (!image) return;
    if (image.hash !== this.hash) {
      Object.assign(this, { hash: image.hash, said: null });
      await this.session.picture.photo.shown; // first things first
      const about = await aboutImage(image);
      if (this.hash !== image.hash) return;
      this.said = about?.pixel_size ?? null;
    }
    const { viewport } = this.session;
    const { size } = this;
    byId("zoom").textContent = `${Number((100 * viewport.scale * devicePixelRatio).toPrecision(3))} %`;
    byId("pixel-size").replaceChildren(...(size ? inWords(size) : ["Pixel size…"]));
    const bar = byId("scale-bar");
    bar.hidden = !size;
    if (!size) return;
    const { text, width } = scaleBar(size, viewport.scale, WIDEST_BAR);
    bar.style.width = `${width}px`;
    const farthest = viewport.width - width - MARGIN;
    bar.style.left = `${Math.max(MARGIN, Math.min(viewport.imageLeft + INSET, farthest))}px`;
    bar.textContent = text;
  }

  /** Each pixel of the image on one of the screen. */
  showOneToOne() {
    const { viewport } = this.session;
    viewport.zoom(1 / devicePixelRatio / viewport.scale);
  }

  open() {
    this.field.value = this.size ? describeSize(this.size) : "";
    byId("measure-said").hidden = !this.session.state.measured.has(this.hash);
    byId("measure-said").textContent = this.said ? `As the file says: ${describeSize(this.said)}` : "Not known";
    this.showProblem("");
    this.dialog.showModal();
    this.field.select();
  }

  /** @param {string} text */
  showProblem(text) {
    byId("measure-problem").textContent = text;
    this.field.setAttribute("aria-invalid", String(text !== ""));
  }

  /** @param {?PixelSize} size null: as the file says */
  type(size) {
    this.dialog.close();
    this.session.append({ type: "image.measure", image: this.hash, pixel_size: size });
  }
}
