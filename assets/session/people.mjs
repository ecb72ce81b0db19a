/* The people of a session: who is here, and whose stroke is whose. */

import { NAMELESS, whoDrew } from "../journal/people.mjs";
import { me } from "../page/me.mjs";
import { showFrames, showPeople } from "../page/people.mjs";

/** @import { Person } from "../page/people.mjs" */
/** @import { Session } from "./session.mjs" */

const DRAWING = ["squiggle", "closed", "rectangle", "circle"];

export class People {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** @type {Person[]} */
    this.others = [];
    this.known = { length: -1, ...whoDrew([]) };
  }

  /** What the others are told of this window. */
  get here() {
    const { imageHash, viewport } = this.session;
    return { author: me(), image: imageHash ?? "", view: viewport.visible };
  }

  /** @param {Person[]} others who are here now */
  meet(others) {
    if (JSON.stringify(others) === JSON.stringify(this.others)) return;
    this.others = others;
    this.show();
  }

  /** Show who is here, and where they look. */
  show() {
    const { images } = this.session.state;
    showPeople(this.others, (hash) => images.find((image) => image.hash === hash)?.name ?? null);
    this.place();
  }

  /** Follow the image as it is moved. */
  place() {
    showFrames(this.others.filter(({ image }) => image && image === this.session.imageHash), this.session.viewport);
  }

  /**
   * Whose the stroke under the pointer is, where others have drawn too and nothing is being drawn here; else nothing.
   * @param {number} x in the image
   * @param {number} y
   */
  whose(x, y) {
    const { conversation: { events }, drawing, view } = this.session;
    if (DRAWING.includes(view.tool)) return "";
    if (this.known.length !== events.length) this.known = { length: events.length, ...whoDrew(events) };
    const { authors, names } = this.known;
    const id = me().id;
    if (![...authors.values()].some((author) => author !== id)) return "";
    const stroke = drawing.strokeAt(x, y);
    const author = stroke && authors.get(stroke.id);
    if (!author) return "";
    const here = this.others.find(({ person }) => person === author)?.name;
    return author === id ? "drawn by you" : `drawn by ${here || (names.get(author) ?? NAMELESS)}`;
  }
}
