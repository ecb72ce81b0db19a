/* The card of objects: the table, the histogram, and what of it is seen on the image. */

import { asText, objectColumns, objectRows, unitOf, unpackObjects } from "../page/objectcolumns.mjs";
import { showHistogram } from "../page/objecthistogram.mjs";
import { quantile } from "../page/objectstatistics.mjs";
import { ObjectTable } from "../page/objecttable.mjs";
import { sessionUrl } from "../page/context.mjs";
import { isLarge, NOT_WHOLE } from "../page/large.mjs";
import { channelNames } from "../picture/about.mjs";
import { csvOf } from "../page/csv.mjs";
import { byId, element, saveFile } from "../shared/dom.mjs";
import { AWAY, fetchShown, reasonOf } from "../shared/requests.mjs";
import { splits } from "../session/learning.mjs";
import { counted } from "../shared/text.mjs";

/** @import { CleanUpStep } from "../journal/state.mjs" */
/** @import { Found } from "../page/objectcolumns.mjs" */
/** @import { Column } from "../page/objecttable.mjs" */
/** @import { Session } from "../session/session.mjs" */

/* An object fills about so much of the view when one goes there, but pixels become no larger than this. */
const FILLS = 0.25;
const LARGEST_SCALE = 8;
const STILL = 3;
const SAVES = "Save the objects that are shown, in this order (Take home has all objects)";
const NOTHING_TO_SAVE = "Once objects are measured, and some are shown, these are saved here as a table";
/** Lets the page do something else. */
const pause = () => new Promise((resolve) => { setTimeout(resolve); });
/** Tools with which one points at what is there. */
const POINTS = ["select", "pan"];

export class Objects {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.open = false;
    /** @type {?Found} */
    this.found = null;
    this.asked = 0;
    this.stale = true;
    /** @type {?[number, number]} */
    this.range = null;
    /** Objects that pass class and range. @type {number[]} */
    this.offered = [];
    /** Those of them that were picked in a plot; null for all. @type {?((object: number) => boolean)} */
    this.picked = null;
    /** How often the histogram was asked for. */
    this.drawing = 0;
    /** Told when other objects are shown. */
    this.onFilter = () => {};
    /** Told when something else is segmented. */
    this.onStale = () => {};
    this.table = new ObjectTable((object) => this.choose(object, true));
    this.classes = byId("object-class", HTMLSelectElement);
    this.measure = byId("object-measure", HTMLSelectElement);
    this.ends = ["from", "to"].map((end) => element("input", {
      id: `object-${end}`, type: "number", step: "any", placeholder: end, "aria-label": `Show objects ${end}`,
    }));
    byId("object-range").append(this.ends[0], "–", this.ends[1]);
    byId("save-objects").addEventListener("click", () => this.save());
    this.classes.addEventListener("change", () => this.filter(null));
    this.measure.addEventListener("change", () => this.filter(null));
    for (const end of this.ends) end.addEventListener("change", () => this.typed());
    session.segmentation.whenSegmented(() => {
      this.stale = true;
      this.onStale();
      this.refresh();
    });
    /** Steps of a clean-up whose outlines are to be seen next; one request is under way at a time. */
    this.triedNext = "";
    this.trying = false;
    /** What was measured depends on it, beside the segmentation. */
    this.depends = "[[],null]";
    session.onTried = (steps) => this.tryOut(steps);
    this.listenToStage();
  }

  /**
   * See at once how steps that are tried out would split objects.
   * @param {CleanUpStep[]} steps
   */
  async tryOut(steps) {
    const split = JSON.stringify(steps.filter(splits));
    if (!this.open || !this.found || split === this.triedNext) return;
    this.triedNext = split;
    if (this.trying) return;
    this.trying = true;
    const { session, asked } = this;
    const { imageHash } = session;
    try {
      for (let shown = ""; shown !== this.triedNext;) {
        shown = this.triedNext;
        const query = `image=${imageHash}&clean_up=${encodeURIComponent(shown)}`;
        const response = await fetchShown(`${sessionUrl}download/outlines.bin?${query}`);
        if (!response.ok) break;
        const seen = await unpackObjects(response, imageHash);
        if (asked !== this.asked || this.stale || imageHash !== session.imageHash) break;
        this.say(`${counted(seen.objects, "object")} so far.`);
        session.picture.setObjects({ ...seen, faded: new Uint8Array(seen.objects + 1), chosen: 0 });
      }
    } catch {
      /* What is chosen is measured anyway, and says what is wrong. */
    } finally {
      this.trying = false;
    }
  }

  /** What is chosen may split objects in another way, or pixels be of another size: that is measured anew. */
  notice() {
    const { cleanUp, measured } = this.session.state;
    const depends = JSON.stringify([cleanUp.filter(splits), measured.get(this.session.imageHash ?? "")]);
    if (depends === this.depends) return;
    this.depends = depends;
    this.stale = true;
    this.onStale();
    this.refresh();
  }

  /** @param {boolean} open whether the card is seen */
  show(open) {
    this.open = open;
    if (open) this.refresh();
    this.mark();
  }

  /** A click on an object, with a tool that draws nothing, chooses it. */
  listenToStage() {
    /** @type {?PointerEvent} */
    let pressed = null;
    byId("stage").addEventListener("pointerdown", (event) => { pressed = event; }, true);
    /* With some tools Plotly lays a cover over the page while a button is down. */
    window.addEventListener("pointerup", (event) => {
      const still = pressed && Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) < STILL;
      pressed = null;
      if (!this.open || !this.found || !still || !POINTS.includes(this.session.view.tool)) return;
      const [column, row] = this.session.viewport.toImage(event).map(Math.round);
      const { rows, across, labels } = this.found;
      const inside = row >= 0 && column >= 0 && row < rows && column < across;
      const label = inside ? labels[row * across + column] : 0;
      if (label) this.choose(label - 1, false);
    }, true);
  }

  /** Ask for the objects of what is segmented now. */
  async refresh() {
    const { session } = this;
    if (!this.open) return;
    if (isLarge(session.state.image)) {
      this.forget(NOT_WHOLE);
      return;
    }
    if (!session.segmentation.counts.segmented) {
      this.forget("Once the image is segmented, its objects are counted and measured here.");
      return;
    }
    if (!this.stale && this.found?.image === session.imageHash) return;
    this.stale = false;
    this.asked += 1;
    const { asked } = this;
    this.say("Measuring the objects…");
    await session.conversation.settled();
    const { imageHash } = session;
    try {
      const response = await fetchShown(`${sessionUrl}download/objects.bin?image=${imageHash}`);
      if (asked !== this.asked) return;
      if (!response.ok) {
        this.forget(await reasonOf(response));
        return;
      }
      const found = await unpackObjects(response, imageHash, await channelNames(imageHash ?? ""));
      if (asked === this.asked) this.take(found);
    } catch {
      if (asked !== this.asked) return;
      this.depends = "";
      this.forget(AWAY);
    }
  }

  /** @param {string} sentence */
  say(sentence) {
    byId("objects-text").textContent = sentence;
  }

  /** @param {string} sentence on why there are none */
  forget(sentence) {
    this.found = null;
    byId("objects-found").hidden = true;
    this.enableSaving(0);
    this.say(sentence);
    this.mark();
    this.onFilter();
  }

  /** @param {Found} found */
  take(found) {
    this.found = found;
    this.picked = null;
    const chosen = this.classes.value;
    this.classes.replaceChildren(
      element("option", { value: "" }, "all classes"),
      ...this.session.state.classes.map(({ id, name }) => element("option", { value: String(id) }, name)),
    );
    this.classes.value = [...this.classes.options].some(({ value }) => value === chosen) ? chosen : "";
    const measure = this.measure.value;
    const columns = this.columns.slice(2);
    this.measure.replaceChildren(...columns.map(({ name, title }) => element("option", { value: name }, title)));
    this.measure.value = columns.some(({ name }) => name === measure) ? measure : columns[0].name;
    this.filter(this.range);
  }

  /** The columns of the table: in the unit of the image, where it has one. @returns {Column[]} */
  get columns() {
    const found = /** @type {Found} */ (this.found);
    return objectColumns(found, this.session.state.classes, unitOf(found));
  }

  typed() {
    const [from, to] = this.ends.map((end) => (end.value === "" ? null : Number(end.value)));
    this.filter(from === null && to === null ? null : [from ?? -Infinity, to ?? Infinity]);
  }

  /**
   * Show the objects of a class whose measure lies in a range.
   * @param {?[number, number]} range null: whatever it is
   */
  filter(range) {
    const { found } = this;
    if (!found) return;
    this.range = range;
    const { columns } = this;
    this.table.chosen = -1;
    const measure = columns.find(({ name }) => name === this.measure.value) ?? columns[2];
    const classIds = /** @type {Float64Array} */ (found.columns.get("class_id"));
    const wanted = Number(this.classes.value);
    const ofClass = [...classIds.keys()].filter((object) => !wanted || classIds[object] === wanted);
    const [low, high] = range ?? [-Infinity, Infinity];
    this.offered = ofClass.filter((object) => measure.value(object) >= low && measure.value(object) <= high);
    const kept = this.offered.filter((object) => this.picked?.(object) ?? true);
    this.faded = new Uint8Array(found.objects + 1).fill(1);
    for (const object of kept) this.faded[object + 1] = 0;
    if (wanted) for (const object of classIds.keys()) if (classIds[object] !== wanted) this.faded[object + 1] = 0;
    [low, high].forEach((end, index) => { this.ends[index].value = Number.isFinite(end) ? asText(end) : ""; });
    const name = this.session.state.classes.find(({ id }) => id === wanted)?.name;
    const area = columns[2];
    const unit = area.title.slice("Area, ".length);
    const median = kept.length ? `, median area ${asText(quantile(kept.map(area.value), 0.5))} ${unit}` : "";
    const where = this.session.state.image?.stack === undefined ? "" : " on this plane";
    this.say(ofClass.length
      ? `${kept.length.toLocaleString("en")} of ${ofClass.length.toLocaleString("en")} objects${where}${median}.`
      : `No pixel is ${name ? `“${name}”` : "of any class"}, and so there are no objects.`);
    byId("objects-found").hidden = !ofClass.length;
    this.table.show(columns, kept);
    this.enableSaving(kept.length);
    this.mark();
    this.drawRest(measure, ofClass);
  }

  /**
   * Draw what may come a moment later, so that the page follows the pointer between one and the next.
   * @param {Column} measure
   * @param {number[]} ofClass the objects of the class
   */
  async drawRest(measure, ofClass) {
    const { found } = this;
    this.drawing += 1;
    const { drawing } = this;
    const classIds = found?.columns.get("class_id") ?? [];
    await pause();
    if (drawing !== this.drawing || found !== this.found) return;
    if (ofClass.length) {
      const groups = this.session.state.classes.map(({ id, name: ofGroup, colour }) => ({
        name: ofGroup, colour,
        values: ofClass.filter((one) => classIds[one] === id).map(measure.value).filter(Number.isFinite),
      }));
      showHistogram(groups.filter(({ values }) => values.length), measure.title, (drawn) => this.filter(drawn));
    }
    await pause();
    if (drawing === this.drawing && found === this.found) this.onFilter();
  }

  /** @param {?((object: number) => boolean)} picked which objects were picked in a plot; null for all */
  pick(picked) {
    this.picked = picked;
    this.filter(this.range);
  }

  /** @param {number} shown how many objects are */
  enableSaving(shown) {
    const button = byId("save-objects", HTMLButtonElement);
    button.disabled = !shown;
    button.title = shown ? SAVES : isLarge(this.session.state.image) ? NOT_WHOLE : NOTHING_TO_SAVE;
  }

  /** Save the objects that are shown, with all their measures, as a table. */
  save() {
    const { found, session: { state } } = this;
    const image = state.images.find(({ hash }) => hash === found?.image);
    if (!found || !image) return;
    const text = csvOf(objectRows(found, this.table.objects, { ...state, image }));
    saveFile(new Blob([text], { type: "text/csv" }), `${image.name.replace(/\.[^.]*$/, "")}-objects-shown.csv`);
  }

  /** Show on the image what is found, while the card is open. */
  mark() {
    const { found, faded = new Uint8Array(0) } = this;
    this.session.picture.setObjects(
      this.open && found?.image === this.session.imageHash ? { ...found, faded, chosen: this.table.chosen + 1 } : null,
    );
  }

  /**
   * @param {number} object
   * @param {boolean} goes whether the view goes there
   */
  choose(object, goes) {
    this.table.choose(object);
    this.mark();
    const { found } = this;
    if (!goes || found?.image !== this.session.imageHash) return;
    const [top, left, bottom, right] = [0, 1, 2, 3].map((side) => found.columns.get(`bbox-${side}`)?.[object] ?? 0);
    const { viewport } = this.session;
    const fits = FILLS * Math.min(viewport.width / (right - left), viewport.height / (bottom - top));
    const scale = Math.min(LARGEST_SCALE, Math.max(fits, viewport.scale));
    viewport.goTo((left + right - 1) / 2, (top + bottom - 1) / 2, scale);
  }
}
