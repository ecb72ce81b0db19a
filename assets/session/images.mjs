/* What a person does with the images of a session. */

import { hasClass } from "../page/classids.mjs";
import { ask } from "../shared/messages.mjs";

/** @import { ImageFacts } from "../journal/state.mjs" */
/** @import { Session } from "./session.mjs" */

export class Images {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
  }

  /**
   * Show an image of the session, in this window.
   * @param {string} hash
   */
  choose(hash) {
    const { session } = this;
    if (hash === session.state.image?.hash) return;
    session.chooseView({ image: hash });
    session.conversation.changed();
    session.conversation.sync();
  }

  /**
   * Show the next image, or the one before.
   * @param {number} by 1 or -1
   */
  step(by) {
    const { image, images } = this.session.state;
    const next = images[images.findIndex((one) => one === image) + by];
    if (next) this.choose(next.hash);
  }

  /**
   * Let an image that the server has belong to the session; the sample, if it is alone, leaves for it.
   * @param {ImageFacts} image
   * @param {boolean} show whether to show it in this window
   * @returns {string} what else there is to say of it
   */
  add(image, show) {
    const { images, strokes } = this.session.state;
    const sample = images.length === 1 && images[0].hash === this.session.sample?.hash ? images[0].hash : image.hash;
    const known = images.find(({ hash }) => hash === image.hash);
    if (show) this.session.chooseView({ image: image.hash });
    this.session.append({ type: "image.open", image });
    if (known && !(known.names ?? [known.name]).includes(image.name)) {
      return `“${image.name}” has the same pixels as “${known.name}”, which is here: both names are kept.`;
    }
    if (sample === image.hash) return "";
    this.session.append({ type: "sample.leave", image: sample });
    return strokes.length ? "The sample has left, and what you drew on it. Undo brings both back." : "";
  }

  /**
   * Remove an image, after a question if anything is drawn on it.
   * @param {string} hash
   */
  async remove(hash) {
    const { image, images, strokes, strokesElsewhere, corrections, correctionsElsewhere } = this.session.state;
    const index = images.findIndex((one) => one.hash === hash);
    if (index < 0 || images.length < 2) return;
    const onIt = hash === image?.hash
      ? [...strokes, ...corrections]
      : [...strokesElsewhere.get(hash) ?? [], ...correctionsElsewhere.get(hash) ?? []];
    const drawn = onIt.filter(hasClass).length;
    const along = drawn === 1 ? "Its stroke goes" : `Its ${drawn} strokes go`;
    const question = `Remove “${images[index].name}” from this session? ${along} along. Undo brings all back.`;
    if (drawn && !(await ask(question, "Remove"))) return;
    const neighbour = images[index + 1] ?? images[index - 1];
    if (hash === this.session.state.image?.hash) this.session.chooseView({ image: neighbour.hash });
    this.session.append({ type: "image.remove", image: hash });
  }
}
