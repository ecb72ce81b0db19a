/* How good the segmentation is, and what a person is told of it. */

import { sessionUrl } from "../page/context.mjs";
import { scoresAreComing, showMaskScores, showScores, unfoldScores } from "../page/scores.mjs";
import { byId } from "../shared/dom.mjs";
import { hideMessage, showMessage } from "../shared/messages.mjs";
import { reasonOf } from "../shared/requests.mjs";
import { goToStroke } from "./explaining.mjs";

/** @import { Message } from "../journal/conversation.mjs" */
/** @import { Session } from "./session.mjs" */

export class SessionScores {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** Strokes that were pointed at; each is once. @type {Set<string>} */
    this.told = new Set();
    byId("scores-toggle").addEventListener("click", () => unfoldScores());
    session.segmentation.whenSegmented(scoresAreComing);
  }

  /** The stroke that an undo would take back: its image and its id; null if that would be something else. */
  get newest() {
    const { state, conversation } = this.session;
    const event = state.undo && conversation.events.find(({ id }) => id === state.undo);
    return event && event.type === "stroke.add" ? [event.image, event.stroke.id] : null;
  }

  /** What the server is asked, beside the segmentation. */
  get request() {
    return { newest: this.newest };
  }

  /** @param {Message} message */
  show({ scores, note }) {
    showScores(scores, note, this.session.state.classes);
    const stroke = scores?.fall?.stroke;
    if (!stroke || this.told.has(stroke) || this.newest?.[1] !== stroke) {
      this.doubt(scores?.doubted ?? []);
      return;
    }
    this.told.add(stroke);
    const { before, after } = scores.fall;
    showMessage(
      `Since your last stroke the others are found less well: mean IoU ${after.toFixed(2)}, before it `
      + `${before.toFixed(2)}. Does it lie where it should?`,
      { label: "Undo that stroke", run: () => this.session.undo() },
    );
  }

  /**
   * Point at a stroke that disagrees with all others, once.
   * @param {{image: string, stroke: string, class_id: number}[]} doubted
   */
  doubt(doubted) {
    const { session } = this;
    const { state } = session;
    const first = doubted.find(({ stroke }) => !this.told.has(stroke));
    if (!first) return;
    this.told.add(first.stroke);
    const strokes = state.image?.hash === first.image ? state.strokes : state.strokesElsewhere.get(first.image) ?? [];
    const own = strokes.find(({ id }) => id === first.stroke)?.class_id;
    const [drawn, found] = [own, first.class_id].map((id) => state.classes.find((one) => one.id === id)?.name);
    if (!drawn || !found) return;
    showMessage(`A stroke of “${drawn}” looks like “${found}” to all other strokes. Is it right?`, {
      label: "Show it", run: () => { hideMessage(); goToStroke(session, first.image, first.stroke); },
    });
  }

  /**
   * Hold the segmentation against a mask.
   * @param {File} file
   * @param {object} answers to which image it belongs, and what its values mean
   */
  async scoreAgainst(file, answers) {
    const { conversation, state: { classes } } = this.session;
    await conversation.settled();
    const query = `name=${encodeURIComponent(file.name)}&answers=${encodeURIComponent(JSON.stringify(answers))}`;
    const response = await fetch(`${sessionUrl}mask-scores?${query}`, { method: "POST", body: file });
    const { error, ...found } = response.ok ? await response.json() : { error: await reasonOf(response) };
    if (error) {
      showMessage(`“${file.name}” was not held against the segmentation. ${error}`);
      return;
    }
    const again = () => this.scoreAgainst(file, answers);
    showMaskScores(`“${found.image}” against “${file.name}”`, found, classes, again);
  }
}
