/* Alt + click: why a pixel has its class, and the way to the strokes that decided. */

import { hideExplanation, placeExplanation, showExplanation } from "../page/explanation.mjs";
import { channelNames } from "../picture/about.mjs";
import { sessionUrl } from "../page/context.mjs";
import { showStatus } from "../page/status.mjs";
import { targetOf } from "../shared/dom.mjs";
import { AWAY, fetchShown, reasonOf } from "../shared/requests.mjs";

/** @import { Session } from "./session.mjs" */

/**
 * Show a stroke: it is selected, so that it can be changed or deleted.
 * @param {Session} session
 * @param {string} image
 * @param {string} id
 */
export function goToStroke(session, image, id) {
  session.images.choose(image);
  session.chooseView({ tool: "select" });
  session.drawing.selection.select(id);
}

export class Explaining {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** Counts what was asked for, so that a late answer does not come before one's eyes. */
    this.asked = 0;
  }

  listen() {
    /* Before the stage hears of it, which would draw. */
    for (const type of ["pointerdown", "mousedown"]) {
      document.addEventListener(type, (event) => this.onDown(/** @type {MouseEvent} */ (event)), { capture: true });
    }
    document.addEventListener("keydown", ({ key }) => { if (key === "Escape") this.hide(); });
  }

  /** @param {MouseEvent} event */
  onDown(event) {
    const target = targetOf(event);
    if (target.closest("#explanation")) return;
    this.hide();
    if (!event.altKey || event.button !== 0 || !target.closest("#stage")) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.type === "pointerdown") this.explain(event);
  }

  hide() {
    this.asked += 1;
    hideExplanation();
  }

  /** @param {MouseEvent} event */
  async explain(event) {
    const { session } = this;
    const [column, row] = session.viewport.toImage(event).map(Math.round);
    const box = session.viewport.stage.getBoundingClientRect();
    const asked = this.asked + 1; /* The mouse button that follows the pointer hides once more. */
    const query = `image=${session.imageHash}&row=${Math.max(0, row)}&column=${Math.max(0, column)}`;
    showStatus("Asking the trees…", 0);
    try {
      const response = await fetchShown(`${sessionUrl}explain?${query}`);
      const answer = response.ok ? await response.json() : { error: await reasonOf(response) };
      if (this.asked > asked) return;
      if (answer.error) {
        showStatus(answer.error, null);
        return;
      }
      const { classes, image } = session.state;
      const channels = image ? await channelNames(image.hash) : [];
      if (this.asked > asked) return;
      showExplanation(
        answer, classes, (hash, id) => this.named(hash, id), (hash, id) => this.go(hash, id), channels,
      );
      placeExplanation(event.clientX - box.left, event.clientY - box.top);
      showStatus("Why it is what it is. Esc closes.", null);
    } catch {
      showStatus(AWAY, null);
    }
  }

  /**
   * @param {string} image
   * @param {string} id of a stroke
   */
  strokeOf(image, id) {
    const { state } = this.session;
    const strokes = state.image?.hash === image ? state.strokes : state.strokesElsewhere.get(image) ?? [];
    return strokes.find((stroke) => stroke.id === id);
  }

  /**
   * @param {string} image
   * @param {string} id of a stroke
   */
  named(image, id) {
    const stroke = this.strokeOf(image, id);
    const { classes, images } = this.session.state;
    const labelClass = classes.find((one) => one.id === stroke?.class_id);
    if (!stroke || !labelClass) return null;
    const where = images.length > 1 ? `, ${images.find(({ hash }) => hash === image)?.name ?? ""}` : "";
    return { id, image, text: `${labelClass.name}${where}`, colour: labelClass.colour };
  }

  /**
   * Show a stroke: it is selected, so that it can be changed or deleted.
   * @param {string} image
   * @param {string} id
   */
  go(image, id) {
    this.hide();
    goToStroke(this.session, image, id);
    showStatus("This stroke decided. Delete takes it away, a class gives it to another.", null);
  }
}
