/* Sigmas in units of length, where the size of pixels is known. */

import { parseSize, pixelsOf, readable, squareSide } from "../page/lengths.mjs";
import { byId } from "../shared/dom.mjs";
import { showMessage } from "../shared/messages.mjs";

/** @import { Session } from "../session/session.mjs" */
/** @import { PixelSize } from "../page/lengths.mjs" */

/** The fields, and which sigma each says. @type {Record<string, string>} */
const FIELDS = { "sigma-min-length": "sigma_min", "sigma-max-length": "sigma_max" };

export class Sigmas {
  /**
   * @param {Session} session
   * @param {() => ?PixelSize} size of a pixel of the current image
   */
  constructor(session, size) {
    this.session = session;
    this.size = size;
    for (const [id, name] of Object.entries(FIELDS)) {
      byId(id).addEventListener("change", () => this.type(id, name));
    }
  }

  /** Bring the fields up to date. */
  show() {
    const side = squareSide(this.size());
    byId("sigma-lengths").hidden = !side;
    if (!side) return;
    for (const [id, name] of Object.entries(FIELDS)) {
      const field = byId(id, HTMLInputElement);
      const text = readable(this.session.state.features[name] * side.length, side.unit);
      if (document.activeElement !== field) field.value = text;
    }
  }

  /**
   * A sigma was typed.
   * @param {string} id of the field
   * @param {string} name of the sigma
   */
  type(id, name) {
    const length = parseSize(byId(id, HTMLInputElement).value);
    const side = squareSide(this.size());
    const pixels = length && side ? pixelsOf(length, side) : null;
    if (pixels === null) showMessage("Give a length and its unit, such as 2 µm.");
    else {
      const { features } = this.session.state;
      this.session.append({ type: "settings.change", features: { ...features, [name]: pixels } });
    }
    byId(id).blur();
    this.show();
  }
}
