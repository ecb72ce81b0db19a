/* The planes of the stack that is shown: turning to another one, by slider, keys, wheel, or all by themselves. */

import { indexOf, placeOf } from "../page/entries.mjs";
import { PlaneBar } from "../page/planebar.mjs";
import { byId } from "../shared/dom.mjs";

/** @import { StateWithImage } from "../journal/state.mjs" */
/** @import { Stack } from "../journal/stacks.mjs" */
/** @import { Session } from "./session.mjs" */

const REST_MS = 150;
const FRAME_MS = 100;
const NOTCH = 60;

export class Planes {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.bar = new PlaneBar({ go: (axis, place) => this.go(axis, place), play: () => this.play() });
    /** @type {?Stack} */
    this.stack = null;
    /** What is known by it. */
    this.key = "";
    /** Index of the plane that is asked for, or seen. */
    this.index = 0;
    /** The plane that comes next, once the one before is on screen. @type {?string} */
    this.wanted = null;
    this.turning = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.wheeled = 0;
    /** The plane that was seen last, of each stack. @type {Map<string, string>} */
    this.last = new Map();
  }

  /**
   * Show where the current image lies in its stack; the bar goes with a single image.
   * @param {StateWithImage} state
   */
  show({ image, stacks, strokes, strokesElsewhere }) {
    const { stack: key = "", page = 1 } = image;
    if (key !== this.key) this.stop();
    Object.assign(this, { key, stack: stacks.get(key) ?? null });
    byId("planes").hidden = !this.stack;
    if (!this.stack) return;
    this.last.set(key, image.hash);
    if (!this.turning) this.index = page - 1;
    const drawnOn = (/** @type {string} */ hash) => (hash === image.hash ? strokes : strokesElsewhere.get(hash));
    const drawn = this.stack.planes.flatMap((hash, index) => (drawnOn(hash)?.length ? [index] : []));
    this.bar.show(this.stack, this.index, drawn);
  }

  /**
   * Turn to another place along an axis.
   * @param {number} axis
   * @param {number} place from 0; beyond the ends nothing happens
   */
  go(axis, place) {
    const { stack } = this;
    if (!stack || place < 0 || place >= stack.axes[axis][1]) return;
    const index = indexOf(stack, placeOf(stack, this.index).with(axis, place));
    if (index === this.index) return;
    this.index = index;
    this.bar.showPlace(axis, place);
    this.turnTo(stack.planes[index]);
  }

  /**
   * Turn to the next plane, or the one before, along an axis; along the only one, if there is no such.
   * @param {"z" | "t"} name of the axis
   * @param {number} by
   */
  step(name, by) {
    const { stack } = this;
    if (!stack) return;
    const axis = Math.max(stack.axes.findIndex(([one]) => one === name), 0);
    const last = stack.axes[axis][1] - 1;
    const place = placeOf(stack, this.index)[axis];
    this.go(axis, Math.min(Math.max(place + by, 0), last));
  }

  /**
   * The wheel was turned.
   * @param {number} delta in pixels
   * @param {boolean} inTime
   */
  wheel(delta, inTime) {
    this.wheeled = Math.sign(delta) === Math.sign(this.wheeled) ? this.wheeled + delta : delta;
    const steps = Math.trunc(this.wheeled / NOTCH);
    if (!steps) return;
    this.wheeled = 0;
    this.step(inTime ? "t" : "z", Math.sign(steps));
  }

  /**
   * Show a plane; those that are passed by while another one is fetched are left out.
   * @param {string} hash
   */
  async turnTo(hash) {
    this.wanted = hash;
    if (this.turning) return;
    this.turning = true;
    while (this.wanted) {
      const next = this.wanted;
      this.wanted = null;
      this.session.images.turnTo(next, REST_MS);
      await this.session.picture.photo.shown;
    }
    this.turning = false;
  }

  /** Let the planes go by in time, or stop. */
  play() {
    if (this.timer !== undefined) this.stop();
    else {
      this.bar.showPlaying(true);
      this.playOn();
    }
  }

  async playOn() {
    const { stack } = this;
    const axis = stack?.axes.findIndex(([name]) => name === "t") ?? -1;
    if (!stack || axis < 0) return this.stop();
    this.timer = setTimeout(() => this.playOn(), FRAME_MS);
    if (this.turning) return undefined;
    const place = placeOf(stack, this.index)[axis] + 1;
    return this.go(axis, place % stack.axes[axis][1]);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.bar.showPlaying(false);
  }
}
