/* The strip of thumbnails: the images of the session, the current one marked, the strokes on each counted. */

import { byId, element, icon } from "../shared/dom.mjs";
import { counted } from "../shared/text.mjs";
import { hasClass } from "./classids.mjs";
import { sessionUrl } from "./context.mjs";
import { betweenStrokes } from "./graph.mjs";
import { namesOf } from "./title.mjs";

/** @import { ImageFacts, StateWithImage } from "../journal/state.mjs" */

/**
 * @typedef {object} ImageActions what a person does in the strip
 * @property {(hash: string) => void} choose
 * @property {(by: number) => void} step
 * @property {(hash: string) => void} remove
 */

/** @typedef {{root: HTMLElement, choose: HTMLButtonElement, strokes: HTMLElement}} Item */

/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

export class Strip {
  /** @param {ImageActions} actions */
  constructor(actions) {
    this.actions = actions;
    this.container = byId("images");
    /** @type {Map<string, Item>} */
    this.items = new Map();
    /** @type {?string} */
    this.current = null;
    this.container.addEventListener("keydown", (event) => this.onKey(event));
  }

  /**
   * Show the images of a state; with a single one there is no strip.
   * @param {StateWithImage} state
   */
  update(state) {
    const several = state.images.length > 1;
    if (byId("strip").hidden === several) betweenStrokes("strip", () => { byId("strip").hidden = !several; });
    if (!several) return;
    for (const [hash, item] of this.items) {
      if (!state.images.some((image) => image.hash === hash)) {
        item.root.remove();
        this.items.delete(hash);
      }
    }
    state.images.forEach((image, index) => this.fill(this.itemAt(index, image), image, state));
    this.sayWhatIsLeftOut(state);
    if (this.current !== state.image.hash) {
      this.current = state.image.hash;
      this.items.get(this.current)?.root.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }

  /**
   * The item of an image, new if need be, at its place.
   * @param {number} index
   * @param {ImageFacts} image
   */
  itemAt(index, image) {
    const item = this.items.get(image.hash) ?? this.newItem(image);
    this.items.set(image.hash, item);
    const there = this.container.children[index];
    if (there !== item.root) this.container.insertBefore(item.root, there ?? null);
    return item;
  }

  /**
   * @param {ImageFacts} image
   * @returns {Item}
   */
  newItem({ hash, name }) {
    const picture = element("img", {
      src: `${sessionUrl}images/${hash}/thumbnail`, alt: "", loading: "lazy", draggable: false,
    });
    const strokes = element("span", { class: "thumb-strokes" });
    const choose = element(
      "button", { type: "button", class: "thumb-choose", role: "radio", onclick: () => this.actions.choose(hash) },
      picture, strokes, element("span", { class: "thumb-name" }, name),
    );
    const remove = element("button", {
      type: "button", class: "mini thumb-remove", title: "Remove this image from the session (Delete)",
      "aria-label": `Remove ${name}`, tabIndex: -1, onclick: () => this.actions.remove(hash),
    }, icon("M6 6l12 12M18 6L6 18"));
    return { root: element("div", { class: "thumb" }, choose, remove), choose, strokes };
  }

  /**
   * @param {Item} item
   * @param {ImageFacts} image
   * @param {StateWithImage} state
   */
  fill({ root, choose, strokes }, image, state) {
    const current = image === state.image;
    const drawn = current ? state.strokes : state.strokesElsewhere.get(image.hash) ?? [];
    const count = drawn.filter(hasClass).length;
    const unlike = image.channels !== state.image.channels;
    root.classList.toggle("chosen", current);
    root.classList.toggle("apart", unlike);
    choose.setAttribute("aria-checked", String(current));
    choose.tabIndex = current ? 0 : -1;
    const facts = [counted(count, "stroke"), ...(unlike ? ["has other channels: its strokes do not count here"] : [])];
    choose.title = `${namesOf(image)}: ${facts.join(", ")}`;
    choose.setAttribute("aria-label", choose.title);
    strokes.textContent = count ? String(count) : "";
  }

  /** @param {StateWithImage} state */
  sayWhatIsLeftOut({ image, images, strokesElsewhere }) {
    const unlike = images.filter((one) => one.channels !== image.channels && strokesElsewhere.get(one.hash)?.length);
    byId("images-note").textContent = unlike.length
      ? `Not learnt from here: ${counted(unlike.length, "image")} with other channels.`
      : "";
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const step = STEPS[event.key];
    if (step) this.actions.step(step);
    else if (event.key === "Delete" && this.current) this.actions.remove(this.current);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.items.get(this.current ?? "")?.choose.focus();
  }
}
