/* The list of classes: which one is chosen, its name, colour, strokes, and the share of the image that it takes. */

import { element, icon } from "../shared/dom.mjs";
import { counted } from "../shared/text.mjs";
import { setUpOrdering } from "./classorder.mjs";
import { ClassWeight } from "./classweight.mjs";

/** @import { LabelClass, State } from "../journal/state.mjs" */

const CROSS = "M6 6l12 12M18 6L6 18";
const PENCIL = "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3";
const EYE = "M4 12s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5zM12 10a2 2 0 1 0 .010 0z";
const EYE_CROSSED_OUT = "M4 12s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5zM5 19L19 5";

/**
 * @typedef {object} ClassActions what a person does in the list
 * @property {(id: number) => void} choose
 * @property {(id: number, name: string) => void} rename
 * @property {(id: number, colour: string) => void} recolour
 * @property {(id: number, hidden: boolean) => void} hide
 * @property {(id: number) => void} remove
 * @property {(id: number, weight: number) => void} weigh
 * @property {(ids: number[]) => void} order
 */

/** @typedef {Record<string, number>} PixelCounts how many pixels each class has, by its id */

/**
 * @typedef {object} Counted
 * @property {?PixelCounts} labelled pixels that the strokes cover
 * @property {?PixelCounts} segmented pixels that the segmentation gives the classes
 * @property {?PixelCounts} margins how far their shares may be off to either side
 */

/**
 * @typedef {object} ClassFacts what a row shows of a class
 * @property {number} index in the list
 * @property {number} strokes how many it has on the current image
 * @property {number | undefined} labelled how many pixels these cover, once the server has told
 * @property {number | undefined} segmented how many pixels of the image the segmentation gives it
 * @property {?number} share that these are of the image
 * @property {string} whole what it is a share of
 * @property {?number} margin how far that may be off to either side, once it is known
 * @property {number} weight
 * @property {boolean} hidden
 * @property {boolean} chosen
 * @property {boolean} only whether there is no other class
 */

const digits = new Intl.NumberFormat("en");

/** @param {number} value */
const grouped = (value) => digits.format(value);

/** One class in the list. */
class Row {
  /**
   * @param {number} id of the class
   * @param {ClassActions} actions
   */
  constructor(id, actions) {
    this.choose = element("button", {
      type: "button", class: "class-choose", role: "radio", onclick: () => actions.choose(id),
    });
    this.colour = element("input", {
      type: "color", class: "swatch", "aria-label": "Colour", onchange: () => actions.recolour(id, this.colour.value),
    });
    this.name = element("input", {
      type: "text", class: "class-name", maxLength: 60, "aria-label": "Name", spellcheck: "false",
      onfocus: () => actions.choose(id),
      onclick: () => actions.choose(id),
      ondblclick: () => this.editName(),
      onmousedown: (/** @type {MouseEvent} */ event) => this.onPress(event),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.onKey(event),
      onchange: () => actions.rename(id, this.name.value.trim()),
    });
    this.pencil = element("button", {
      type: "button", class: "mini rename", title: "Rename (F2, or double-click the name)",
      onclick: () => this.editName(),
    }, icon(PENCIL));
    this.hide = element("button", {
      type: "button", class: "mini hide",
      onclick: () => actions.hide(id, this.hide.getAttribute("aria-pressed") !== "true"),
    });
    this.remove = element("button", {
      type: "button", class: "mini remove", title: "Remove this class, or merge it into another",
      onclick: () => actions.remove(id),
    }, icon(CROSS));
    this.weight = new ClassWeight((weight) => actions.weigh(id, weight));
    this.facts = element("span", { class: "class-facts" });
    this.share = element("span", { class: "class-share" });
    this.segmented = element("span", { class: "class-segmented" });
    this.bar = element("span", { class: "class-bar" });
    this.root = element(
      "div", {
        class: "class-row",
        onclick: (/** @type {MouseEvent} */ { target }) => {
          if (target instanceof Element && !target.closest("input, button")) actions.choose(id);
        },
      },
      this.choose, this.colour, this.name, this.pencil, this.share, this.hide, this.remove,
      element("div", { class: "class-counts" }, this.facts, this.weight.reset, this.segmented),
      this.bar, this.weight.root,
    );
  }

  /**
   * A click on the name chooses the class: the keys that follow are meant for the image.
   * @param {MouseEvent} event
   */
  onPress(event) {
    if (document.activeElement !== this.name) event.preventDefault();
  }

  /** Let the name be typed. */
  editName() {
    this.name.focus();
    this.name.select();
  }

  /**
   * Keys while the name is typed.
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    const undo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (undo || event.key === "Escape") {
      /* The browser's own undo would reach into other fields. */
      event.preventDefault();
      this.name.value = this.name.dataset.kept ?? "";
    }
    if (event.key === "Enter" || event.key === "Escape") this.name.blur();
    event.stopPropagation();
  }

  /**
   * @param {LabelClass} labelClass
   * @param {ClassFacts} facts
   */
  fill(labelClass, facts) {
    this.fillChoice(labelClass, facts);
    this.fillVisibility(labelClass, facts.hidden);
    this.fillCounts(facts);
    this.weight.show(labelClass.name, facts.weight);
    this.root.style.setProperty("--class-colour", labelClass.colour);
    this.name.dataset.kept = labelClass.name;
    if (document.activeElement !== this.name) this.name.value = labelClass.name;
    this.colour.value = labelClass.colour;
    this.pencil.setAttribute("aria-label", `Rename ${labelClass.name}`);
    this.remove.setAttribute("aria-label", `Remove ${labelClass.name}`);
    this.remove.disabled = facts.only;
  }

  /**
   * @param {LabelClass} labelClass
   * @param {ClassFacts} facts
   */
  fillChoice({ name }, { index, chosen }) {
    const key = index < 9 ? String(index + 1) : "·";
    if (this.choose.textContent !== key) this.choose.textContent = key;
    this.choose.setAttribute("aria-checked", String(chosen));
    this.choose.setAttribute("aria-label", `Choose ${name}`);
    this.choose.title = `${index < 9 ? `Choose (${key})` : "Choose"}. Drag it to another place`;
    this.root.classList.toggle("chosen", chosen);
  }

  /**
   * @param {LabelClass} labelClass
   * @param {boolean} hidden
   */
  fillVisibility({ name }, hidden) {
    this.root.classList.toggle("hidden-class", hidden);
    this.hide.setAttribute("aria-pressed", String(hidden));
    this.hide.title = hidden ? "Show this class" : "Hide this class";
    this.hide.setAttribute("aria-label", `${this.hide.title}: ${name}`);
    if (this.hide.dataset.hidden === String(hidden)) return;
    this.hide.dataset.hidden = String(hidden);
    this.hide.replaceChildren(icon(hidden ? EYE_CROSSED_OUT : EYE));
  }

  /** @param {ClassFacts} facts */
  fillCounts({ strokes, labelled, segmented, share, whole, margin }) {
    const covered = strokes && labelled !== undefined ? `, ${grouped(labelled)} px` : "";
    this.facts.textContent = `${counted(strokes, "stroke")}${covered}`;
    this.facts.title = covered && labelled !== undefined ? `${grouped(labelled)} pixels labelled by hand` : "";
    this.share.replaceChildren(...(share === null ? [] : [`${(100 * share).toFixed(2)} %`]));
    const [low, high] = [Math.max(0, (share ?? 0) - (margin ?? 0)), Math.min(1, (share ?? 0) + (margin ?? 0))];
    const ends = `${(100 * low).toFixed(2)} and ${(100 * high).toFixed(2)} %`;
    if (margin !== null) this.share.append(element("small", {}, ` ± ${(100 * margin).toFixed(margin < 0.1 ? 1 : 0)}`));
    this.segmented.textContent = share === null || segmented === undefined ? "" : `${grouped(segmented)} px`;
    for (const node of [this.share, this.segmented]) node.title = whole;
    if (margin !== null) this.share.title = `${whole}; with a confidence of about 95 % between ${ends}`;
    this.bar.style.setProperty("--share", String(share ?? 0));
    this.bar.style.setProperty("--low", String(low));
    this.bar.style.setProperty("--high", String(margin === null ? low : high));
  }
}

/** The list; rows that stay are kept, so that nobody is interrupted while typing. */
export class ClassList {
  /**
   * @param {HTMLElement} container
   * @param {ClassActions} actions
   */
  constructor(container, actions) {
    this.container = container;
    this.actions = actions;
    /** @type {Map<number, Row>} */
    this.rows = new Map();
    setUpOrdering({ container, moved: () => actions.order(this.ids) });
  }

  /** The ids of the classes as they are listed. */
  get ids() {
    const ids = new Map([...this.rows].map(([id, { root }]) => [/** @type {Element} */ (root), id]));
    return [...this.container.children].flatMap((root) => ids.get(root) ?? []);
  }

  /**
   * Show the classes.
   * @param {State} state
   * @param {number} chosenId of the class that is drawn in
   * @param {Counted} counts
   */
  update(state, chosenId, { labelled, segmented, margins }) {
    const total = Object.values(segmented ?? {}).reduce((sum, value) => sum + value, 0);
    /** @type {Map<number, number>} */
    const drawn = new Map();
    for (const { class_id: id } of state.strokes) drawn.set(id, (drawn.get(id) ?? 0) + 1);
    for (const [id, row] of this.rows) {
      if (!state.classes.some((one) => one.id === id)) {
        row.root.remove();
        this.rows.delete(id);
      }
    }
    state.classes.forEach((labelClass, index) => {
      const { id } = labelClass;
      const pixels = segmented?.[id];
      this.rowAt(index, id).fill(labelClass, {
        index,
        strokes: drawn.get(id) ?? 0,
        labelled: labelled?.[id],
        segmented: pixels,
        share: total && pixels !== undefined ? pixels / total : null,
        whole: state.image?.stack === undefined ? "of the image" : "of this plane",
        margin: total && pixels !== undefined ? margins?.[id] ?? null : null,
        weight: state.weights.get(id) ?? 1,
        hidden: state.hidden.has(id),
        chosen: id === chosenId,
        only: state.classes.length === 1,
      });
    });
  }

  /**
   * The row of a class, new if need be, at its place.
   * @param {number} index
   * @param {number} id
   */
  rowAt(index, id) {
    const row = this.rows.get(id) ?? new Row(id, this.actions);
    this.rows.set(id, row);
    const there = this.container.children[index];
    if (there !== row.root) this.container.insertBefore(row.root, there ?? null);
    return row;
  }

  /**
   * Let the name of a class be typed.
   * @param {number} id
   */
  editName(id) {
    this.rows.get(id)?.editName();
  }
}
