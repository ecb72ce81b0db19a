/* Files that come back: strokes, label images, GeoJSON; what is not clear about them is asked. */

import { REGION } from "../page/classids.mjs";
import { sessionUrl } from "../page/context.mjs";
import { byId, element } from "../shared/dom.mjs";
import { reasonOf } from "../shared/requests.mjs";
import { counted } from "../shared/text.mjs";

/** @import { LabelClass } from "../journal/state.mjs" */
/** @import { Session } from "../session/session.mjs" */

/**
 * @typedef {object} Question what the server asks about a file
 * @property {{key: string, text: string, images: {hash: string, name: string}[], chosen: string}[]} places
 * @property {{value: string, pixels: number, chosen: number | "new"}[]} [values]
 * @property {number} [planes] how many label images it holds, if it belongs to a stack
 * @property {string[]} notes
 */

/** @typedef {{images: Record<string, string>, values?: Record<string, number | "new">}} Answers */

/**
 * @typedef {object} Brought what became of a file
 * @property {string} [error] why it was not brought in
 * @property {boolean} [asImage] whether it is to be opened as an image
 * @property {string[]} notes what is to be said of it
 * @property {number} strokes how many it brought; 0 if the person thought better of it
 */

const ALL_OTHERS = "*";

/**
 * A choice among images or classes.
 * @param {[value: string, label: string][]} options
 * @param {string} chosen
 * @param {string} label for those who cannot see what stands beside it
 */
function choice(options, chosen, label) {
  const select = element("select", { "aria-label": label });
  for (const [value, text] of options) select.append(element("option", { value }, text));
  select.value = chosen;
  return select;
}

/**
 * What a value of a label image is called.
 * @param {string} value
 */
const valueName = (value) => (value === ALL_OTHERS ? "All values above 0" : `Value ${value}`);

/**
 * Ask what is not clear.
 * @param {string} name of the file
 * @param {Question} question
 * @param {LabelClass[]} classes
 * @param {boolean} perhapsImage whether it may be an image to be opened instead
 * @returns {Promise<{answers: Answers, score: boolean} | "image" | null>} null if the person thought better of it
 */
function ask(name, { places, values: asked, planes, notes }, classes, perhapsImage) {
  const isLabelImage = asked !== undefined;
  const values = asked ?? [];
  const optional = places.length > 1;
  const images = places.map(({ text, images: some, chosen }) => {
    const options = some.map(({ hash, name: label }) => /** @type {[string, string]} */ ([hash, label]));
    if (optional) options.push(["", "none: leave them out"]);
    return { text, select: choice(options, chosen, text) };
  });
  const meanings = values.map(({ value, pixels, chosen }) => {
    const options = classes.map(({ id, name: label }) => /** @type {[string, string]} */ ([String(id), label]));
    options.push(["new", "a new class"], ["0", "nothing"], [String(REGION), "only here: where to work"]);
    const text = `${valueName(value)}, ${counted(pixels, "pixel")}`;
    return { text, select: choice(options, String(chosen), text) };
  });
  /** @param {{text: string, select: HTMLSelectElement}} field */
  const row = ({ text, select }) => element("label", { class: "bring-field" }, element("span", {}, text), select);
  byId("bring-title").textContent = perhapsImage ? `“${name}” looks like a label image` : `Bring in “${name}”`;
  byId("bring-fields").replaceChildren(
    ...notes.map((note) => element("p", { class: "note" }, note)), ...images.map(row),
    ...(meanings.length ? [element("p", { class: "note" }, "What do its values mean?")] : []), ...meanings.map(row),
  );
  byId("bring-image").hidden = !perhapsImage;
  byId("bring-score").hidden = !isLabelImage || planes !== undefined;
  const dialog = byId("bring", HTMLDialogElement);
  dialog.returnValue = "";
  dialog.showModal();
  byId("bring-yes").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      if (!["yes", "score"].includes(dialog.returnValue)) {
        resolve(dialog.returnValue === "image" ? "image" : null);
        return;
      }
      /** @type {Answers} */
      const answers = { images: Object.fromEntries(places.map(({ key }, n) => [key, images[n].select.value])) };
      if (values.length) {
        answers.values = Object.fromEntries(values.map(({ value }, n) => {
          const meant = meanings[n].select.value;
          return [value, meant === "new" ? "new" : Number(meant)];
        }));
      }
      resolve({ answers, score: dialog.returnValue === "score" });
    }, { once: true });
  });
}

/** Brings files into a session. */
export class Bringer {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    const dialog = byId("bring", HTMLDialogElement);
    for (const answer of ["no", "score", "image", "yes"]) {
      byId(`bring-${answer}`).addEventListener("click", () => dialog.close(answer));
    }
  }

  /**
   * Bring a file in, after what is to be asked.
   * @param {File} file
   * @param {boolean} perhapsImage whether it may be an image to be opened instead
   * @returns {Promise<Brought>}
   */
  async bring(file, perhapsImage) {
    const { session } = this;
    /* The server is to know the images that have just been opened. */
    await session.conversation.settled();
    /** @type {Partial<Answers>} */
    let answers = {};
    for (;;) {
      const { error, question, event, notes = [] } = await this.send(file, answers);
      if (error) return { error, notes: [], strokes: 0 };
      if (event) {
        session.append({ type: "strokes.add", ...event });
        const [first] = Object.keys(event.strokes);
        if (!event.strokes[session.state.image?.hash ?? ""]) session.images.choose(first);
        return { notes, strokes: Object.values(event.strokes).flat().length };
      }
      const given = await ask(file.name, question, session.state.classes, perhapsImage);
      if (given === null) return { notes: [], strokes: 0 };
      if (given === "image") return { asImage: true, notes: [], strokes: 0 };
      if (given.score) {
        await session.scores.scoreAgainst(file, given.answers);
        return { notes: [], strokes: 0 };
      }
      answers = given.answers;
    }
  }

  /**
   * @param {File} file
   * @param {Partial<Answers>} answers
   * @returns {Promise<any>} what the server says of it
   */
  async send(file, answers) {
    const { image, lastClassId } = this.session.state;
    const said = JSON.stringify({ ...answers, current: image?.hash ?? "", last_class_id: lastClassId });
    const query = `name=${encodeURIComponent(file.name)}&answers=${encodeURIComponent(said)}`;
    const response = await fetch(`${sessionUrl}brought?${query}`, { method: "POST", body: file });
    return response.ok ? response.json() : { error: await reasonOf(response) };
  }
}
