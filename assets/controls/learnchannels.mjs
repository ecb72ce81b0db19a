/* Which channels of the image a classifier learns from, and which kinds of features of each. */

import { aboutImage } from "../picture/about.mjs";
import { byId, element } from "../shared/dom.mjs";

/** @import { Session } from "../session/session.mjs" */

const KINDS = ["intensity", "edges", "texture", "differences", "colour"];

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
    const now = JSON.stringify([image.hash, features]);
    if (now === this.shown) return;
    this.shown = now;
    byId("learn-channels").hidden = image.channels < 2;
    if (image.channels < 2) return;
    await this.session.picture.photo.shown; // first things first
    const about = await aboutImage(image);
    if (this.shown !== now) return;
    const all = Array.from({ length: image.channels }, (_, index) => index);
    const used = features.channels ?? all;
    const names = all.map((index) => about?.channels[index].name ?? `channel ${index + 1}`);
    this.showTable(names, used);
    const boxes = all.map((index) => element("label", {}, element("input", {
      type: "checkbox", checked: used.includes(index), disabled: used.length === 1 && used.includes(index),
      title: used.length === 1 && used.includes(index) ? "One channel at least is learnt from" : "",
      onchange: () => this.use(index, !used.includes(index)),
    }), ` ${names[index]}`));
    byId("learn-channels-boxes").replaceChildren(...boxes);
  }

  /**
   * Show which kinds of features are looked at in each channel that is used.
   * @param {string[]} names of all channels
   * @param {number[]} used indices of the channels that are learnt from
   */
  showTable(names, used) {
    const { features } = this.session.state;
    const kinds = KINDS.filter((kind) => features[kind]);
    const focused = document.activeElement?.getAttribute("aria-label");
    const head = element("tr", {}, element("td"), ...kinds.map((kind) => element("th", { scope: "col" }, kind)));
    const rows = used.map((index) => element(
      "tr", {}, element("th", { scope: "row", title: names[index] }, names[index]),
      ...kinds.map((kind) => element("td", {}, element("input", {
        type: "checkbox", checked: this.kindsOf(index).includes(kind),
        "aria-label": `Look at ${kind} in ${names[index]}`,
        onchange: () => this.toggle(index, kind),
      }))),
    ));
    byId("learn-table").replaceChildren(head, ...rows);
    const again = [...byId("learn-table").querySelectorAll("input")].find((one) => one.ariaLabel === focused);
    again?.focus();
  }

  /** @param {number} index of a channel @returns {string[]} the kinds that are looked at in it */
  kindsOf(index) {
    return this.session.state.features.by_channel?.[index] ?? KINDS;
  }

  /**
   * Look at a kind of features in a channel, or not.
   * @param {number} index
   * @param {string} kind
   */
  toggle(index, kind) {
    const { by_channel: before, ...features } = this.session.state.features;
    const kinds = KINDS.filter((one) => this.kindsOf(index).includes(one) !== (one === kind));
    const after = { ...before, [index]: kinds };
    if (kinds.length === KINDS.length) delete after[index];
    const chosen = Object.keys(after).length ? { by_channel: after } : {};
    this.session.append({ type: "settings.change", features: { ...features, ...chosen } });
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
