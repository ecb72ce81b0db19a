/* What a person does with the classes of a session. */

import { ClassList } from "../page/classlist.mjs";
import { facts } from "../page/context.mjs";
import { showLearntFrom, showNotes } from "../page/learntfrom.mjs";
import { byId } from "../shared/dom.mjs";
import { ask, showMessage } from "../shared/messages.mjs";

/** @import { Session } from "./session.mjs" */

const MAX_CLASSES = 20;
const MAX_CLASS_ID = 255;
const GREY = "#888888";

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
    });
  }

  /** Show the classes as they are. */
  show() {
    const { state, view, segmentation: { counts } } = this.session;
    this.list.update(state, view.classId, counts.labelled, counts.segmented);
    showLearntFrom(state, counts.learntFrom);
    showNotes(counts.notes);
  }

  /**
   * Draw in a class from now on; what is selected becomes of this class.
   * @param {number} classId
   */
  choose(classId) {
    const { view, drawing } = this.session;
    const given = drawing.selection.classify(classId);
    const tool = ["erase", "pan", "select"].includes(view.tool) && !given ? "squiggle" : view.tool;
    this.session.chooseView({ classId, tool });
    this.show();
  }

  /** Add a class in a colour of its own, and let its name be typed. */
  add() {
    const { classes, lastClassId } = this.session.state;
    const id = lastClassId + 1;
    if (classes.length >= MAX_CLASSES) showMessage(`There can be at most ${MAX_CLASSES} classes.`);
    else if (id > MAX_CLASS_ID) showMessage("This session has used up its 255 classes: start a new one.");
    else {
      const used = new Set(classes.map((one) => one.colour));
      const colour = facts().palette.find((one) => !used.has(one)) ?? GREY;
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
    const { classes, strokes, strokesElsewhere } = this.session.state;
    const name = classes.find((one) => one.id === classId)?.name;
    const drawn = [strokes, ...strokesElsewhere.values()].flat().filter((stroke) => stroke.class_id === classId).length;
    const along = drawn ? ` Its ${drawn === 1 ? "stroke goes" : `${drawn} strokes go`} along.` : "";
    const question = `Remove the class “${name}”?${along} Undo brings all back.`;
    if (await ask(question, "Remove")) this.session.append({ type: "class.remove", class_id: classId });
  }
}
