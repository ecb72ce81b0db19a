/* What a person does with the classes of a session. */

import { ClassList } from "../page/classlist.mjs";
import { facts } from "../page/context.mjs";
import { showLearntFrom, showNotes } from "../page/learntfrom.mjs";
import { byId, element } from "../shared/dom.mjs";
import { ask, showMessage } from "../shared/messages.mjs";
import { counted } from "../shared/text.mjs";
import { classesOfFile, MAX_LIST_BYTES } from "./classfile.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */
/** @import { NamedClass } from "./classfile.mjs" */
/** @import { Session } from "./session.mjs" */

const MAX_CLASS_ID = 255;
const GREY = "#888888";

/**
 * Colours that no class has yet.
 * @param {LabelClass[]} classes
 */
function unusedColours(classes) {
  const used = new Set(classes.map(({ colour }) => colour));
  return [...facts().palette.filter((one) => !used.has(one)), GREY];
}

export class Classes {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.list = new ClassList(byId("classes"), {
      choose: (id) => this.choose(id),
      rename: (id, name) => this.rename(id, name),
      recolour: (id, colour) => session.append({ type: "class.change", class_id: id, colour }),
      hide: (id, hidden) => session.append({ type: "class.hide", class_id: id, hidden }),
      remove: (id) => this.remove(id),
      weigh: (id, weight) => session.append({ type: "class.weigh", class_id: id, weight }),
      order: (ids) => this.order(ids),
    });
  }

  /** Show the classes as they are. */
  show() {
    const { state, view, segmentation: { counts } } = this.session;
    this.list.update(state, view.classId, counts);
    showLearntFrom(state, counts.learntFrom);
    showNotes([...counts.strokeNotes, ...counts.notes], [counts.remark, ...counts.calm].join(" ").trim());
  }

  /**
   * Draw in a class from now on; what is selected becomes of this class.
   * @param {number} classId
   */
  choose(classId) {
    const { view, drawing } = this.session;
    const given = drawing.selection.classify(classId);
    const tool = ["erase", "pan", "select", "region"].includes(view.tool) && !given ? "squiggle" : view.tool;
    this.session.chooseView({ classId, tool });
    this.show();
  }

  /** Add a class in a colour of its own, and let its name be typed. */
  add() {
    const { classes, lastClassId } = this.session.state;
    const id = lastClassId + 1;
    if (id > MAX_CLASS_ID) showMessage("This session has used up its 255 classes: start a new one.");
    else {
      const [colour] = unusedColours(classes);
      this.session.append({ type: "class.add", class: { id, name: `Class ${id}`, colour } });
      this.choose(id);
      this.list.editName(id);
    }
  }

  /**
   * @param {number} classId
   * @param {string} name
   */
  rename(classId, name) {
    const old = this.session.state.classes.find((one) => one.id === classId);
    if (name && old && name !== old.name) this.session.append({ type: "class.change", class_id: classId, name });
    else this.show();
  }

  /** @param {number} classId */
  async remove(classId) {
    const { classes, strokes, strokesElsewhere, corrections, correctionsElsewhere } = this.session.state;
    const name = classes.find((one) => one.id === classId)?.name;
    const all = [strokes, ...strokesElsewhere.values(), corrections, ...correctionsElsewhere.values()].flat();
    const drawn = all.filter((stroke) => stroke.class_id === classId).length;
    const along = drawn ? ` Its ${drawn === 1 ? "stroke goes" : `${drawn} strokes go`} along.` : "";
    const question = `Remove the class “${name}”?${along} Undo brings all back.`;
    if (await ask(question, "Remove", this.merging(classId))) {
      this.session.append({ type: "class.remove", class_id: classId });
    }
  }

  /**
   * What can be done instead of removing a class: its strokes become those of another.
   * @param {number} from id of the class
   */
  merging(from) {
    const others = this.session.state.classes.filter(({ id }) => id !== from);
    if (!others.length) return null;
    const into = element(
      "select", { id: "merge-into", "aria-label": "Class that gets the strokes" },
      ...others.map(({ id, name }) => element("option", { value: String(id) }, name)),
    );
    const merge = () => {
      byId("question", HTMLDialogElement).close("other");
      this.session.append({ type: "class.merge", from, into: Number(into.value) });
    };
    const button = element("button", { id: "merge", type: "button", class: "quiet", onclick: merge }, "Merge");
    return element("span", { class: "merging" }, "Or give its strokes to", into, button);
  }

  /** @param {number[]} ids as the classes are listed from now on */
  order(ids) {
    const { classes } = this.session.state;
    if (ids.join() === classes.map(({ id }) => id).join()) return;
    this.session.append({ type: "class.order", class_ids: ids });
    this.show();
  }

  /**
   * Let the classes be those that a file lists: those that are here get its names, in the order of the list, and
   * further ones are added.
   * @param {File} file
   */
  async importList(file) {
    try {
      if (file.size > MAX_LIST_BYTES) throw new Error("It is too large for a list of classes.");
      this.takeOver(classesOfFile(await file.text()));
    } catch (error) {
      showMessage(`“${file.name}” was not imported. ${error instanceof Error ? error.message : ""}`);
    }
  }

  /** @param {NamedClass[]} listed */
  takeOver(listed) {
    const { classes, lastClassId } = this.session.state;
    const room = classes.length + MAX_CLASS_ID - lastClassId;
    if (listed.length > room) throw new Error(`There is room for ${room} classes, and it lists ${listed.length}.`);
    const asked = listed.map(({ colour }) => ({ colour: colour ?? "" }));
    const colours = unusedColours([...classes, .../** @type {LabelClass[]} */ (asked)]);
    const imported = listed.map(({ name, colour }, index) => {
      const old = classes[index];
      if (old) return { id: old.id, name, colour: colour ?? old.colour };
      const id = lastClassId + 1 + index - classes.length;
      return { id, name, colour: colour ?? colours[Math.min(index - classes.length, colours.length - 1)] };
    });
    const changed = imported.filter(({ name, colour }, index) => (
      classes[index] && (name !== classes[index].name || colour !== classes[index].colour)
    )).length;
    const added = Math.max(imported.length - classes.length, 0);
    if (changed || added) this.session.append({ type: "class.import", classes: imported });
    const left = Math.max(classes.length - imported.length, 0);
    const stays = left ? ` ${counted(left, "class stays", "classes stay")} as before.` : "";
    const undo = changed || added ? " Undo takes it back." : "";
    showMessage(`Changed ${counted(changed, "class", "classes")}, added ${added}.${stays}${undo}`);
  }
}
