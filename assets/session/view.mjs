/* What a person has chosen to see, and to draw with, in this window. */

/** @type {("live" | "shown" | "strokes")[]} */
const SWITCHES = ["live", "shown", "strokes"];

/** @import { Look } from "../picture/composite.mjs" */

/** @typedef {Partial<Omit<View, "change" | "switches">>} ViewChange */

export class View {
  #key;

  /** Whether each change is segmented at once. */
  live = true;
  /** Whether the segmentation is seen. */
  shown = true;
  /** Whether the strokes are seen. */
  strokes = true;
  /** What is shown: the classes, their uncertainty, the probability of one, by its id, or, by its name, a feature. */
  layer = "classes";
  /** Whether the sliders for more or less of a class are seen. */
  weighing = false;
  /** Of the segmentation, in percent. */
  opacity = 50;
  /** Of single classes, in percent of that, by their ids, where it is not 100. @type {Record<string, number>} */
  opacities = {};
  /** How classes are seen: filled, outlines, or both. */
  style = "filled";
  /** Of the strokes to come, in image pixels; null: as wide as suits the zoom. @type {?number} */
  width = null;
  /** Of the eraser, likewise. @type {?number} */
  eraserWidth = null;
  /** Whether the eraser takes whole strokes. */
  whole = false;
  /** Id of the class that is drawn in. */
  classId = 1;
  tool = "squiggle";
  /** Whether what is drawn is painted into the result, instead of being learnt from. */
  corrects = false;
  /** Hash of the current image. @type {?string} */
  image = null;
  /** How images are shown, by their hashes, where somebody has chosen. @type {Record<string, Look>} */
  looks = {};
  /** Whether the session had more than one image. */
  several = false;

  /**
   * As this window had it, also where another one shows another image.
   * @param {string} sessionId
   */
  constructor(sessionId) {
    this.#key = `squiggle:view:${sessionId}`;
    try {
      const stored = sessionStorage.getItem(this.#key) ?? localStorage.getItem(this.#key);
      Object.assign(this, JSON.parse(stored ?? "{}"));
    } catch {
      /* Without storage everything is as at first. */
    }
  }

  /** @param {ViewChange} change */
  change(change) {
    Object.assign(this, change);
    try {
      for (const storage of [sessionStorage, localStorage]) storage.setItem(this.#key, JSON.stringify(this));
    } catch {
      /* A full or forbidden local storage: the choices last as long as the page. */
    }
  }

  /** The names of what is switched on. */
  get switches() {
    return SWITCHES.filter((name) => this[name]);
  }
}
