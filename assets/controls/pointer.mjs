/* What lies under the pointer: the position, in pixels and in units, the class, and the value of each channel. */

import { sessionUrl } from "../page/context.mjs";
import { FEATURE } from "../page/layers.mjs";
import { readablePlace } from "../page/lengths.mjs";
import { byId } from "../shared/dom.mjs";
import { fetchShown } from "../shared/requests.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */
/** @import { Session } from "../session/session.mjs" */
/** @import { PixelSize } from "../page/lengths.mjs" */

const PATCH = 32;
const MOST_PATCHES = 200;
const MOST_SHOWN = 6;
const REST_MS = 150;

/**
 * @param {string} layer
 * @param {LabelClass[]} classes
 */
function describeLayer(layer, classes) {
  if (layer.startsWith(FEATURE)) return layer.slice(FEATURE.length);
  const found = classes.find(({ id }) => String(id) === layer);
  return found ? found.name : "uncertainty";
}

/** @param {number[]} values of the channels of a pixel */
function describeValues(values) {
  if (values.some(Number.isNaN)) return "no data";
  const shown = values.slice(0, MOST_SHOWN).map((value) => String(Number(value.toPrecision(6))));
  return `${values.length > 1 ? "values" : "value"} ${shown.join(" ")}${values.length > MOST_SHOWN ? " …" : ""}`;
}

export class Pointer {
  /**
   * @param {Session} session
   * @param {() => ?PixelSize} size of a pixel of the current image
   * @param {(values: ?number[]) => void} onValues is told those of all channels of the pixel, as far as they are here
   */
  constructor(session, size, onValues) {
    this.session = session;
    this.size = size;
    this.onValues = onValues;
    /** Values of small parts of images, as they are fetched. @type {Map<string, Float64Array | null>} */
    this.patches = new Map();
    /** @type {?MouseEvent} */
    this.last = null;
    /**
     * Of each class, 0 to 1, at a pixel where the pointer has rested.
     * @type {{key: string, shares: Record<string, number>}}
     */
    this.probabilities = { key: "", shares: {} };
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.rest = undefined;
    byId("stage").addEventListener("pointermove", (event) => this.show(event));
    byId("stage").addEventListener("pointerleave", () => {
      this.last = null;
      clearTimeout(this.rest);
      byId("position").textContent = "";
      this.onValues(null);
    });
  }

  /** Show what lies under the pointer now, where it was last. */
  showAgain() {
    if (this.last) this.show(this.last);
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
    const world = size ? readablePlace(x * size.x, y * size.y, size.unit) : "";
    const value = inside ? picture.valueAt(x, y) : undefined;
    const ofClass = value !== undefined && picture.look.layer === String(found?.id);
    const layer = value === undefined || ofClass ? "" : `${describeLayer(picture.look.layer, classes)} ${value} %`;
    const sure = ofClass ? ` ${value} %` : found ? this.probability(found, x, y) : "";
    const place = `x ${x}, y ${y}${found ? `: ${found.name}${sure}` : ""}`;
    const values = inside ? this.values(x, y) : null;
    this.onValues(values);
    const all = inside ? [place, layer, world, values ? describeValues(values) : ""] : [];
    byId("position").textContent = [...all, people.whose(...viewport.toImage(event))].filter(Boolean).join(" · ");
  }

  /**
   * How probable a class is at a pixel, as soon as the pointer has rested there.
   * @param {LabelClass} labelClass
   * @param {number} x
   * @param {number} y
   */
  probability({ id }, x, y) {
    const { imageHash, segmentation } = this.session;
    const key = `${imageHash} ${segmentation.key} ${x} ${y}`;
    if (this.probabilities.key !== key && !segmentation.outdated) {
      this.probabilities = { key, shares: {} };
      clearTimeout(this.rest);
      this.rest = setTimeout(() => this.fetchProbabilities(key, x, y), REST_MS);
    }
    const share = this.probabilities.key === key ? this.probabilities.shares[id] : undefined;
    return share === undefined ? "" : ` ${Math.round(100 * share)} %`;
  }

  /**
   * @param {string} key of the pixel and its segmentation
   * @param {number} x
   * @param {number} y
   */
  async fetchProbabilities(key, x, y) {
    const query = `image=${this.session.imageHash}&row=${y}&column=${x}`;
    const shares = await fetchShown(`${sessionUrl}probabilities?${query}`, () => this.probabilities.key === key)
      .then((response) => (response.ok ? response.json() : null))
      .catch(() => null);
    if (!shares) return;
    if (this.probabilities.key !== key) return;
    this.probabilities = { key, shares };
    this.showAgain();
  }

  /**
   * The values of a pixel's channels; null until they are here.
   * @param {number} x
   * @param {number} y
   */
  values(x, y) {
    const { image } = this.session.state;
    if (!image) return null;
    const [row, column] = [y - (y % PATCH), x - (x % PATCH)];
    const key = `${image.hash} ${row} ${column}`;
    const patch = this.patches.get(key);
    if (patch === undefined) this.fetch(key, row, column);
    if (!patch) return null;
    const width = Math.min(PATCH, image.columns - column);
    const at = ((y - row) * width + x - column) * image.channels;
    return [...patch.subarray(at, at + image.channels)];
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
    const values = await fetch(url)
      .then((response) => (response.ok ? response.arrayBuffer() : null))
      .catch(() => null);
    if (!values) {
      this.patches.delete(key);
      return;
    }
    this.patches.set(key, new Float64Array(values));
    this.showAgain();
  }
}
