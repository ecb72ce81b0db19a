/* How many planes of a stack features look at: each by itself, those around it too, or the volume. */

import { aboutImage } from "../picture/about.mjs";
import { byId } from "../shared/dom.mjs";
import { showMessage } from "../shared/messages.mjs";
import { depthOf, switchedOff } from "../session/learning.mjs";

/** @import { Session } from "../session/session.mjs" */
/** @import { PixelSize } from "../page/lengths.mjs" */

const FLAT = "flat";
const AROUND = "around";
const VOLUME = "volume";

export class Depth {
  /**
   * @param {Session} session
   * @param {() => ?PixelSize} size of a pixel of the current image
   */
  constructor(session, size) {
    this.session = session;
    this.size = size;
    this.select = byId("feature-depth", HTMLSelectElement);
    this.distance = byId("plane-distance", HTMLInputElement);
    this.select.addEventListener("change", () => this.choose(this.select.value));
    this.distance.addEventListener("change", () => this.type());
  }

  /** Bring the controls up to date; they are there for stacks along z alone. */
  show() {
    const { image, features, stacks } = this.session.state;
    const axes = stacks.get(image?.stack ?? "")?.axes ?? [];
    const { dimensions, planes_around: around, plane_distance: distance } = features;
    const chosen = dimensions === 3 ? VOLUME : around ? AROUND : FLAT;
    byId("learn-depth").hidden = chosen === FLAT && !axes.some(([name, length]) => name === "z" && length > 1);
    if (document.activeElement !== this.select) this.select.value = chosen;
    byId("plane-distance-field").hidden = chosen !== VOLUME;
    if (document.activeElement !== this.distance) this.distance.value = String(distance ?? 1);
  }

  /** How far the planes of the stack lie apart, in pixels, as far as it is known. */
  async known() {
    const { image } = this.session.state;
    const size = this.size() ?? (image && (await aboutImage(image))?.pixel_size);
    return size?.z ? Number((size.z / size.x).toPrecision(4)) : 1;
  }

  /** @param {string} depth what was chosen */
  async choose(depth) {
    if (depth === VOLUME) this.change({ dimensions: 3, plane_distance: await this.known() });
    else this.change(depth === AROUND ? { planes_around: 1 } : {});
  }

  /** A distance of planes was typed. */
  type() {
    const distance = this.distance.valueAsNumber;
    this.distance.blur();
    if (distance >= 0.01 && distance <= 100) this.change({ dimensions: 3, plane_distance: distance });
    else showMessage("Planes lie between 0.01 and 100 pixels apart.");
    this.show();
  }

  /** @param {Record<string, number>} depth */
  change(depth) {
    const { features } = this.session.state;
    const before = Object.keys(depthOf(features));
    const others = Object.fromEntries(Object.entries(features).filter(([name]) => !before.includes(name)));
    const chosen = { ...others, standardise: false, learned: false, ...depth };
    const off = switchedOff(features, chosen);
    this.session.append({ type: "settings.change", features: chosen });
    if (off) showMessage(off);
  }
}
