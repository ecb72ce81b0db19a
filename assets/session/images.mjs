/* What a person does with the images of a session. */

import { hasClass } from "../page/classids.mjs";
import { areAlike } from "../journal/stacks.mjs";
import { entriesOf, entryKey } from "../page/entries.mjs";
import { announce } from "../page/status.mjs";
import { element } from "../shared/dom.mjs";
import { ask } from "../shared/messages.mjs";
import { counted, inOrderOfNames } from "../shared/text.mjs";

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
    if (hash === this.session.state.image?.hash) return;
    this.turnTo(hash, 0);
  }

  /**
   * Show an image, and segment it a little later, since others may be turned to before.
   * @param {string} hash
   * @param {number} rest milliseconds
   */
  turnTo(hash, rest) {
    const { session } = this;
    session.chooseView({ image: hash });
    session.conversation.changed();
    session.conversation.syncSoon(rest);
  }

  /**
   * Show an entry of the strip: an image, or of a stack the plane that was seen last.
   * @param {string} key
   */
  chooseEntry(key) {
    const { state, planes } = this.session;
    const entry = entriesOf(state).find((one) => one.key === key);
    if (entry) this.choose(planes.last.get(key) ?? entry.image.hash);
  }

  /**
   * Show the next entry, or the one before.
   * @param {number} by 1 or -1
   */
  step(by) {
    const { state } = this.session;
    const entries = entriesOf(state);
    const next = state.image && entries[entries.findIndex(({ key }) => key === this.current) + by];
    if (next) this.chooseEntry(next.key);
  }

  /** What the current image, or its stack, is known by. */
  get current() {
    const { image } = this.session.state;
    return image ? entryKey(image) : "";
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
    if (show) this.session.chooseView({ image: image.pages ? null : image.hash });
    this.session.append({ type: "image.open", image });
    if (known && !(known.names ?? [known.name]).includes(image.name)) {
      return `“${image.name}” has the same pixels as “${known.name}”, which is here: both names are kept.`;
    }
    if (sample === image.hash) return "";
    this.session.append({ type: "sample.leave", image: sample });
    return strokes.length ? "The sample has left, and what you drew on it. Undo brings both back." : "";
  }

  /**
   * Remove an image, or a stack, after a question if anything is drawn on it.
   * @param {string} key
   */
  async remove(key) {
    const { image, stacks, strokes, strokesElsewhere, corrections, correctionsElsewhere } = this.session.state;
    const entries = entriesOf(this.session.state);
    const index = entries.findIndex((one) => one.key === key);
    if (index < 0 || entries.length < 2) return;
    const { hashes, name } = entries[index];
    const onIt = hashes.flatMap((hash) => (
      hash === image?.hash ? [...strokes, ...corrections]
        : [...strokesElsewhere.get(hash) ?? [], ...correctionsElsewhere.get(hash) ?? []]
    ));
    const drawn = onIt.filter(hasClass).length;
    const along = drawn === 1 ? "Its stroke goes" : `Its ${drawn} strokes go`;
    const planes = stacks.has(key) ? ` with its ${hashes.length} planes` : "";
    const question = `Remove “${name}”${planes} from this session? ${along} along. Undo brings all back.`;
    if (drawn && !(await ask(question, "Remove"))) return;
    if (key === this.current) this.chooseView(entries[index + 1] ?? entries[index - 1]);
    this.session.append({ type: "image.remove", image: hashes[0] });
  }

  /** @param {import("../page/entries.mjs").Entry} entry that this window shows from the next event on */
  chooseView({ key, image }) {
    this.session.chooseView({ image: this.session.planes.last.get(key) ?? image.hash });
  }

  /** The images that could be a stack with the current one, in the order of their names. */
  get alike() {
    const { image, images } = this.session.state;
    return image ? inOrderOfNames(images.filter((one) => areAlike([one, image]))) : [];
  }

  /** Whether the current image could be a plane of a stack with others. */
  get stackable() {
    return areAlike(this.alike);
  }

  /** Make a stack of the images that are like the current one, after a question. */
  async makeStack() {
    const planes = this.alike;
    if (!areAlike(planes)) return;
    const [first, last] = [planes[0].name, planes[planes.length - 1].name];
    const axis = element(
      "select", { "aria-label": "They follow each other in" },
      element("option", { value: "z" }, "depth (z)"), element("option", { value: "t" }, "time (t)"),
    );
    const asked = element("label", { class: "stack-axis" }, "They follow each other in ", axis);
    const which = `${counted(planes.length, "image")}, from “${first}” to “${last}”`;
    const question = `Make one stack of ${which}? Undo takes it apart again.`;
    if (!(await ask(question, "Make a stack", asked, false))) return;
    const name = `${first} – ${last}`.slice(0, 255);
    this.session.append({ type: "stack.make", name, images: planes.map(({ hash }) => hash), axis: axis.value });
    announce(`${counted(planes.length, "image")} are a stack: the slider below the image turns to its planes.`);
  }
}
