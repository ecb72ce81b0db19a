/* Corrections: what is painted into the result. They stay whatever is learnt; with one switch they are learnt from. */

import { sessionUrl } from "../page/context.mjs";
import { setUpCorrectionSwitch, showCorrections } from "../page/corrections.mjs";
import { newId } from "../page/ids.mjs";
import { isLarge, NO_CORRECTIONS, refuse } from "../page/large.mjs";
import { byId, targetOf } from "../shared/dom.mjs";
import { showMessage } from "../shared/messages.mjs";
import { AWAY, fetchShown, reasonOf } from "../shared/requests.mjs";
import { correctionsLeft } from "./learning.mjs";

/** @import { Stroke } from "../journal/state.mjs" */
/** @import { Left } from "../page/corrections.mjs" */
/** @import { Session } from "./session.mjs" */

const NO_RESULT = "There is no result to correct yet: it comes once two classes have strokes.";

export class Corrections {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** What was shown last, and of which image. @type {Left & {image?: string}} */
    this.left = { here: 0, elsewhere: 0 };
    byId("correct").addEventListener("click", () => this.toggle());
    byId("correcting").addEventListener("click", () => this.toggle(false));
    byId("clear-corrections").addEventListener("click", () => this.clear());
    setUpCorrectionSwitch((learn) => session.append({ type: "correction.learn", learn }));
    session.viewport.stage.addEventListener("pointerdown", (event) => this.onPress(event), { capture: true });
  }

  show() {
    const { state, segmentation, view } = this.session;
    const large = isLarge(state.image);
    refuse(byId("correct", HTMLButtonElement), large ? NO_CORRECTIONS : "");
    if (large && view.corrects) this.session.chooseView({ corrects: false, tool: "squiggle" });
    const left = correctionsLeft(state, segmentation.corrected);
    const image = state.image?.hash;
    /* Until those that were just painted are counted, the former number stays; without live update none is counted. */
    const here = left.here === null && view.live && this.left.image === image ? this.left.here : left.here;
    this.left = { ...left, here, image };
    showCorrections(state, this.left, view.corrects);
  }

  /**
   * Let the pens paint into the result, or draw strokes again.
   * @param {boolean} [corrects]
   */
  toggle(corrects = !this.session.view.corrects) {
    const { session } = this;
    const large = isLarge(session.state.image);
    if (corrects && (large || !session.segmentation.counts.segmented)) {
      showMessage(large ? NO_CORRECTIONS : NO_RESULT);
      return;
    }
    const other = corrects ? ["select", "pan", "region"] : ["fill"];
    session.chooseView({ corrects, ...(other.includes(session.view.tool) ? { tool: "squiggle" } : {}) });
    this.show();
  }

  /**
   * Paint into the result; until it comes anew, what was painted is seen as it was drawn.
   * @param {Stroke} stroke
   * @param {string} image its hash
   */
  add(stroke, image) {
    const { picture } = this.session;
    if (stroke.class_id) picture.setCorrecting([...picture.correcting, stroke]);
    this.session.append({ type: "correction.add", image, stroke });
  }

  /** Take all corrections on the current image away. */
  clear() {
    const { corrections, image } = this.session.state;
    const strokes = corrections.map(({ id }) => id);
    if (strokes.length) this.session.append({ type: "correction.erase", image: image?.hash, strokes });
  }

  /** @param {PointerEvent} event */
  onPress(event) {
    const { view, viewport } = this.session;
    if (view.tool !== "fill" || event.button !== 0 || event.altKey || viewport.moving) return;
    if (!targetOf(event).closest(".over-stage")) this.fill(viewport.toImage(event).map(Math.round));
  }

  /**
   * Give the part of the result at a place to the chosen class.
   * @param {number[]} place column and row
   */
  async fill([column, row]) {
    const { session } = this;
    const { imageHash: image, view: { classId } } = session;
    if (!image) return;
    const query = `image=${image}&row=${Math.max(0, row)}&column=${Math.max(0, column)}`;
    await session.conversation.settled();
    try {
      const response = await fetchShown(`${sessionUrl}part?${query}`);
      const { error, ...outline } = response.ok ? await response.json() : { error: await reasonOf(response) };
      if (error) showMessage(error);
      else this.add({ id: newId(), class_id: classId, ...outline }, image);
    } catch {
      showMessage(AWAY);
    }
  }
}
