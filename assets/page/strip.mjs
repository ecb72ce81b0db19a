/* The strip of thumbnails: the images of the session, the current one marked, the strokes on each counted. */

import { byId, element, icon } from "../shared/dom.mjs";
import { askAgain } from "../shared/requests.mjs";
import { counted } from "../shared/text.mjs";
import { canBeSeen, imagesAlike, serves } from "./alike.mjs";
import { hasClass } from "./classids.mjs";
import { sessionUrl } from "./context.mjs";
import { entryKey } from "./entries.mjs";
import { betweenStrokes } from "./graph.mjs";
import { namesOf } from "./title.mjs";

/** @import { StateWithImage } from "../journal/state.mjs" */
/** @import { Entry } from "./entries.mjs" */

/**
 * @typedef {object} ImageActions what a person does in the strip
 * @property {(key: string) => void} chooseEntry
 * @property {(by: number) => void} step
 * @property {(key: string) => void} remove
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
   * Show the images and stacks of a state; with a single one there is no strip.
   * @param {StateWithImage} state
   * @param {Entry[]} entries
   * @param {boolean} stackable whether the current image could be a plane of a stack with others
   */
  update(state, entries, stackable) {
    const several = entries.length > 1;
    byId("make-stack").hidden = !stackable;
    if (byId("strip").hidden === several) betweenStrokes("strip", () => { byId("strip").hidden = !several; });
    if (!several) return;
    for (const [key, item] of this.items) {
      if (!entries.some((entry) => entry.key === key)) {
        item.root.remove();
        this.items.delete(key);
      }
    }
    entries.forEach((entry, index) => this.fill(this.itemAt(index, entry), entry, state));
    this.sayWhatIsLeftOut(state);
    if (this.current !== entryKey(state.image)) {
      this.current = entryKey(state.image);
      this.items.get(this.current)?.root.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }

  /**
   * The item of an image, new if need be, at its place.
   * @param {number} index
   * @param {Entry} entry
   */
  itemAt(index, entry) {
    const item = this.items.get(entry.key) ?? this.newItem(entry);
    this.items.set(entry.key, item);
    const there = this.container.children[index];
    if (there !== item.root) this.container.insertBefore(item.root, there ?? null);
    return item;
  }

  /**
   * @param {Entry} entry
   * @returns {Item}
   */
  newItem({ key, name, image, hashes }) {
    const picture = askAgain(element("img", {
      src: `${sessionUrl}images/${image.hash}/thumbnail`, alt: "", loading: "lazy", draggable: false,
    }));
    const planes = hashes.length > 1 ? [element("span", { class: "thumb-planes" }, `${hashes.length}`)] : [];
    const strokes = element("span", { class: "thumb-strokes" });
    const choose = element(
      "button", { type: "button", class: "thumb-choose", role: "radio", onclick: () => this.actions.chooseEntry(key) },
      picture, strokes, ...planes, element("span", { class: "thumb-name" }, name),
    );
    const remove = element("button", {
      type: "button", class: "mini thumb-remove", title: "Remove this from the session (Delete)",
      "aria-label": `Remove ${name}`, tabIndex: -1, onclick: () => this.actions.remove(key),
    }, icon("M6 6l12 12M18 6L6 18"));
    return { root: element("div", { class: "thumb" }, choose, remove), choose, strokes };
  }

  /**
   * @param {Item} item
   * @param {Entry} entry
   * @param {StateWithImage} state
   */
  fill({ root, choose, strokes }, { key, name, image, hashes }, state) {
    const current = key === entryKey(state.image);
    const drawn = hashes.flatMap((hash) => (
      hash === state.image.hash ? state.strokes : state.strokesElsewhere.get(hash) ?? []
    ));
    const count = drawn.filter(hasClass).length;
    const unlike = !serves(image, state.image) && !serves(state.image, image);
    const flat = !canBeSeen(image, state);
    const why = unlike ? "has other channels" : "is no plane along z of a stack that came as one file";
    root.classList.toggle("chosen", current);
    root.classList.toggle("apart", unlike || flat);
    choose.setAttribute("aria-checked", String(current));
    choose.tabIndex = current ? 0 : -1;
    const facts = [counted(count, "stroke"), ...(unlike || flat ? [`${why}: its strokes do not count here`] : [])];
    if (hashes.length > 1) facts.unshift(counted(hashes.length, "plane"));
    choose.title = `${hashes.length > 1 ? name : namesOf(image)}: ${facts.join(", ")}`;
    choose.setAttribute("aria-label", choose.title);
    strokes.textContent = count ? String(count) : "";
  }

  /** @param {StateWithImage} state */
  sayWhatIsLeftOut(state) {
    const { image, images, strokes, strokesElsewhere } = state;
    const labelled = images.filter(({ hash }) => (
      (hash === image.hash ? strokes : strokesElsewhere.get(hash))?.some(hasClass)
    ));
    const seen = labelled.filter((one) => canBeSeen(one, state));
    const [flat, ...more] = labelled.filter((one) => !seen.includes(one));
    const unlike = seen.length - imagesAlike(image, seen).length;
    const others = more.length ? ` and ${counted(more.length, "more image")}` : "";
    byId("images-note").textContent = [
      unlike && `Not learnt from here: ${counted(unlike, "image")} with other channels.`,
      flat && `Not learnt from in depth: “${flat.name}”${others}, no plane along z of a stack that came as one file.`,
    ].filter(Boolean).join(" ");
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
