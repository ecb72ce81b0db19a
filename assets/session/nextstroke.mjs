/* Where a further stroke helps most: the page goes there, one place after the other, and a ring shows it. */

import { sessionUrl } from "../page/context.mjs";
import { isLarge, NOT_WHOLE, refuse } from "../page/large.mjs";
import { showStatus } from "../page/status.mjs";
import { byId } from "../shared/dom.mjs";
import { AWAY, fetchShown, reasonOf } from "../shared/requests.mjs";
import { learningKey } from "./learning.mjs";

/** @import { StateWithImage } from "../journal/state.mjs" */
/** @import { Session } from "./session.mjs" */

/** @typedef {{image: string, row: number, column: number}} Place */

const RADIUS = 22;

export class NextStroke {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** The best first, as of a key of all that they depend on. @type {Place[]} */
    this.places = [];
    this.key = "";
    /** Which of them is shown. */
    this.shown = -1;
    this.asking = false;
    byId("next-stroke").addEventListener("click", () => this.go());
    /* Another image is segmented first, which is said too: what to do is said after that. */
    session.segmentation.whenSegmented(() => setTimeout(() => { if (!byId("next-ring").hidden) this.say(); }));
  }

  /** Go to the best place, or to the next one. */
  async go() {
    if (this.asking) return;
    if (isLarge(this.session.state.image)) {
      showStatus(NOT_WHOLE, null);
      return;
    }
    const key = this.keyNow;
    if (key !== this.key && !(await this.ask())) return;
    this.shown = (this.shown + 1) % this.places.length;
    const { image, row, column } = this.places[this.shown];
    this.session.images.choose(image);
    this.look(row, column);
    this.say();
  }

  /** Say what to do where the ring is. */
  say() {
    const first = this.shown === 0 ? "Here a stroke helps most" : `Place ${this.shown + 1} of ${this.places.length}`;
    showStatus(`${first}: draw on what you see in the ring, in its class. N for the next place.`, null);
  }

  /** All that the places depend on. */
  get keyNow() {
    const { state } = this.session;
    return state.image ? learningKey(/** @type {StateWithImage} */ (state)) : "";
  }

  /** Ask the server; gives whether there are places. */
  async ask() {
    const { conversation, state } = this.session;
    this.asking = true;
    showStatus("Looking for places where a stroke helps…", 0);
    try {
      await conversation.settled();
      const key = this.keyNow;
      const response = await fetchShown(`${sessionUrl}next-strokes?image=${state.image?.hash ?? ""}`);
      const { error, places } = response.ok ? await response.json() : { error: await reasonOf(response) };
      Object.assign(this, { places: places ?? [], key, shown: -1 });
      if (!this.places.length) showStatus(error ?? "No place is better than another: all votes agree.", null);
    } catch {
      showStatus(AWAY, null);
      this.places = [];
    }
    if (!this.places.length) this.key = "";
    this.asking = false;
    return this.places.length > 0;
  }

  /**
   * Bring a place of the current image to the middle, unless it is well in sight.
   * @param {number} row
   * @param {number} column
   */
  look(row, column) {
    const { viewport } = this.session;
    const [left, top] = this.onStage(row, column);
    const inSight = left > 2 * RADIUS && top > 2 * RADIUS
      && left < viewport.width - 2 * RADIUS && top < viewport.height - 2 * RADIUS;
    if (!inSight) viewport.pan(viewport.width / 2 - left, viewport.height / 2 - top);
    this.place();
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  onStage(row, column) {
    const { x, y, scale } = this.session.viewport;
    return [(column + 0.5 - x) * scale, (row + 0.5 - y) * scale];
  }

  /** Let the ring follow the image as it is moved; once something else is learnt, it goes. */
  place() {
    refuse(byId("next-stroke", HTMLButtonElement), isLarge(this.session.state.image) ? NOT_WHOLE : "");
    const place = this.places[this.shown];
    const ring = byId("next-ring");
    ring.hidden = !place || place.image !== this.session.imageHash || this.key !== this.keyNow;
    if (ring.hidden) return;
    const [left, top] = this.onStage(place.row, place.column);
    Object.assign(ring.style, { left: `${left - RADIUS}px`, top: `${top - RADIUS}px` });
  }
}
