/* What lies under the pointer: the position, in pixels and in units, the class, and the value of each channel. */

import { sessionUrl } from "../page/context.mjs";
import { FEATURE } from "../page/layers.mjs";
import { readable } from "../page/lengths.mjs";
import { byId } from "../shared/dom.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */
/** @import { Session } from "../session/session.mjs" */
/** @import { PixelSize } from "../page/lengths.mjs" */

const PATCH = 32;
const MOST_PATCHES = 200;
const MOST_SHOWN = 6;

/**
 * @param {string} layer
 * @param {LabelClass[]} classes
 */
function describeLayer(layer, classes) {
  if (layer.startsWith(FEATURE)) return layer.slice(FEATURE.length);
  const found = classes.find(({ id }) => String(id) === layer);
  return found ? `probability of ${found.name}` : "uncertainty";
}

export class Pointer {
  /**
   * @param {Session} session
   * @param {() => ?PixelSize} size of a pixel of the current image
   */
  constructor(session, size) {
    this.session = session;
    this.size = size;
    /** Values of small parts of images, as they are fetched. @type {Map<string, Float64Array | null>} */
    this.patches = new Map();
    /** @type {?MouseEvent} */
    this.last = null;
    byId("stage").addEventListener("pointermove", (event) => this.show(event));
    byId("stage").addEventListener("pointerleave", () => {
      this.last = null;
      byId("position").textContent = "";
    });
  }

  /** @param {MouseEvent} event */
  show(event) {
    this.last = event;
    const { state: { image, classes }, viewport, picture, people } = this.session;
    if (!image) return;
    const [x, y] = viewport.toImage(event).map(Math.round);
    const inside = x >= 0 && y >= 0 && x < image.columns && y < image.rows;
    const id = inside ? picture.classAt(x, y) : 0;
    const found = classes.find((one) => one.id === id);
    const size = this.size();
    const world = size ? `${readable(x * size.x, size.unit)}, ${readable(y * size.y, size.unit)}` : "";
    const value = inside ? picture.valueAt(x, y) : undefined;
    const layer = value === undefined ? "" : `${describeLayer(picture.look.layer, classes)} ${value} %`;
    const told = inside ? [`x ${x}, y ${y}${found ? `: ${found.name}` : ""}`, layer, world, this.values(x, y)] : [];
    byId("position").textContent = [...told, people.whose(...viewport.toImage(event))].filter(Boolean).join(" · ");
  }

  /**
   * The values of a pixel's channels, once they are here.
   * @param {number} x
   * @param {number} y
   */
  values(x, y) {
    const { image } = this.session.state;
    if (!image) return "";
    const [row, column] = [y - (y % PATCH), x - (x % PATCH)];
    const key = `${image.hash} ${row} ${column}`;
    const patch = this.patches.get(key);
    if (patch === undefined) this.fetch(key, row, column);
    if (!patch) return "";
    const width = Math.min(PATCH, image.columns - column);
    const at = ((y - row) * width + x - column) * image.channels;
    const values = [...patch.subarray(at, at + image.channels)];
    if (values.some(Number.isNaN)) return "no data";
    const shown = values.slice(0, MOST_SHOWN).map((value) => String(Number(value.toPrecision(6))));
    return `${image.channels > 1 ? "values" : "value"} ${shown.join(" ")}${values.length > MOST_SHOWN ? " …" : ""}`;
  }

  /**
   * @param {string} key
   * @param {number} row the first of the patch
   * @param {number} column
   */
  async fetch(key, row, column) {
    const { image } = this.session.state;
    if (!image) return;
    this.patches.set(key, null);
    if (this.patches.size > MOST_PATCHES) this.patches.delete(this.patches.keys().next().value ?? "");
    const rows = `${row},${Math.min(row + PATCH, image.rows)}`;
    const columns = `${column},${Math.min(column + PATCH, image.columns)}`;
    const url = `${sessionUrl}images/${image.hash}/values?rows=${rows}&columns=${columns}`;
    const response = await fetch(url).catch(() => null);
    if (!response?.ok) {
      this.patches.delete(key);
      return;
    }
    this.patches.set(key, new Float64Array(await response.arrayBuffer()));
    if (this.last) this.show(this.last);
  }
}
