/* Which channels of the image a classifier learns from. */

import { aboutImage } from "../picture/about.mjs";
import { byId, element } from "../shared/dom.mjs";

/** @import { Session } from "../session/session.mjs" */

export class LearnChannels {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.shown = "";
  }

  /** Show the channels of the current image, where it has several. */
  async show() {
    const { image, features } = this.session.state;
    if (!image) return;
    const now = `${image.hash} ${features.channels}`;
    if (now === this.shown) return;
    this.shown = now;
    byId("learn-channels").hidden = image.channels < 2;
    if (image.channels < 2) return;
    await this.session.picture.photo.shown; // first things first
    const about = await aboutImage(image.hash);
    if (this.shown !== now) return;
    const used = features.channels ?? Array.from({ length: image.channels }, (_, index) => index);
    const boxes = Array.from({ length: image.channels }, (_, index) => element("label", {}, element("input", {
      type: "checkbox", checked: used.includes(index), disabled: used.length === 1 && used.includes(index),
      title: used.length === 1 && used.includes(index) ? "One channel at least is learnt from" : "",
      onchange: () => this.use(index, !used.includes(index)),
    }), ` ${about?.channels[index].name ?? `channel ${index + 1}`}`));
    byId("learn-channels-boxes").replaceChildren(...boxes);
  }

  /**
   * Learn from a channel, or not.
   * @param {number} index
   * @param {boolean} on
   */
  use(index, on) {
    const { image, features } = this.session.state;
    if (!image) return;
    const all = Array.from({ length: image.channels }, (_, one) => one);
    const chosen = all.filter((one) => (one === index ? on : (features.channels ?? all).includes(one)));
    const channels = chosen.length === all.length ? null : chosen;
    this.session.append({ type: "settings.change", features: { ...features, channels } });
  }
}
