/* Opening image files, one after the other. */

import { facts, sessionUrl } from "../page/context.mjs";
import { announce, showStatus, waitFor } from "../page/status.mjs";
import { byId } from "../shared/dom.mjs";
import { hideMessage, showMessage } from "../shared/messages.mjs";
import { sendPatiently } from "../shared/requests.mjs";
import { importSession } from "../shared/sessions.mjs";
import { counted, inOrderOfNames, megabytes } from "../shared/text.mjs";
import { Bringer } from "./bring.mjs";
import { filePicker } from "./pickers.mjs";
import { Preparing } from "./preparing.mjs";

/** @import { ImageFacts, State } from "../journal/state.mjs" */
/** @import { Session } from "../session/session.mjs" */

/**
 * @typedef {ImageFacts & {error?: string, notes?: string[], labels?: boolean,
 *   preparing?: {hash: string, name: string}}} Answer an image's facts, or why it was not opened, or that it looks like
 *   labels, or that it is prepared first
 */

/**
 * @typedef {object} Outcome of sending several images
 * @property {ImageFacts[]} opened
 * @property {{name: string, error: string}[]} failed
 * @property {string[]} preparing names of those that the server prepares first
 * @property {Set<string>} notes what is to be said of those that were opened
 * @property {number} brought how many strokes came in files of strokes or labels
 * @property {File[]} unsent left over when the server ceased to answer
 */

const NOT_SENT = "could not be sent: the server does not answer. Try again in a moment.";
const MOST_SIZES = 100;
const TOLD_AT_ONCE = 3;
const STROKES = /\.(geo)?json$/i;
/** Of files that may be larger: stacks, and images that are read part by part. */
const MAY_BE_LARGER = /\.(tiff?|czi|nd2|lif|nii|h5|hdf5|ozx|zip)$/i;
const LABELS = /mask|label|annotation|segmentation/i;

/**
 * Images first, then what may belong to them.
 * @param {File[]} files
 */
function imagesFirst(files) {
  /** @param {File} file */
  const rank = ({ name }) => (STROKES.test(name) ? 2 : LABELS.test(name) ? 1 : 0);
  return inOrderOfNames(files).sort((a, b) => rank(a) - rank(b));
}

/**
 * Rows and columns of the images, and of the stacks with the number of their planes, as the server is asked with them.
 * @param {State} state
 */
function sizesIn({ images, stacks }) {
  const sizes = new Set(images.flatMap(({ rows, columns, stack }) => {
    const planes = stacks.get(stack ?? "")?.planes.length;
    return [`${rows}x${columns}`, ...(planes ? [`${rows}x${columns}x${planes}`] : [])];
  }));
  return [...sizes].slice(0, MOST_SIZES);
}

/**
 * Send an image file; a busy server is asked again after a while.
 * @param {File} file
 * @param {string[]} beside sizes of what it may be the labels of
 * @returns {Promise<Answer | {error: string, notes?: undefined, labels?: undefined, preparing?: undefined}>}
 */
async function send(file, beside) {
  const limit = MAY_BE_LARGER.test(file.name) ? facts().maxStackBytes : facts().maxUploadBytes;
  if (file.size > limit) {
    return { error: `It has ${megabytes(file.size)}; this server takes at most ${megabytes(limit)}.` };
  }
  const url = `${sessionUrl}images?name=${encodeURIComponent(file.name)}&beside=${beside.join(",")}`;
  return sendPatiently(url, { body: file });
}

/**
 * @param {Outcome["failed"]} failed
 * @param {number} total
 */
function whatFailed(failed, total) {
  const [first] = failed;
  if (total === 1) return `“${first.name}” was not opened. ${first.error}`;
  const told = failed.slice(0, TOLD_AT_ONCE).map(({ name, error }) => `“${name}”: ${error}`).join(" ");
  const more = failed.length > TOLD_AT_ONCE ? ` And ${failed.length - TOLD_AT_ONCE} more.` : "";
  return `${failed.length} of ${total} files were not opened. ${told}${more}`;
}

/** @param {File[]} unsent */
function sayWhatIsUnsent([first, ...rest]) {
  showMessage(`“${first.name}”${rest.length ? ` and ${rest.length} more` : ""} ${NOT_SENT}`);
  showStatus("What was there before is still here.", null);
}

/** @returns {Outcome} */
const nothingYet = () => ({ opened: [], failed: [], preparing: [], notes: new Set(), brought: 0, unsent: [] });

/** Opens image files in a session. */
export class ImageOpener {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** Resolves when all files are sent that were chosen before. @type {Promise<void>} */
    this.opening = Promise.resolve();
    this.bringer = new Bringer(session);
    this.preparing = new Preparing(session, (image, turn) => this.show(image, turn));
    const attributes = { id: "image-file", multiple: true, accept: `${facts().accept},.json,.geojson` };
    const picker = filePicker(attributes, "Image files", (files) => this.open(files));
    byId("open-image").addEventListener("click", () => picker.click());
  }

  /**
   * Show an image that the server has opened otherwise than at once from a file.
   * @param {ImageFacts & {notes?: string[]}} opened
   * @param {boolean} [turn] whether to turn to it
   */
  show({ notes = [], ...image }, turn = true) {
    const outcome = nothingYet();
    this.add(image, notes, outcome, !turn, turn);
    if (turn) this.sayWhatOpened(outcome);
    else announce(`${image.name} is ready: it is in the strip below the image.`);
    if (outcome.notes.size) showMessage([...outcome.notes].join(" "));
  }

  /**
   * Let an image of a series that the server has opened belong to the session.
   * @param {Answer} answer
   * @returns {string} what is to be said
   */
  take({ notes = [], preparing, ...image }) {
    if (preparing) {
      this.preparing.watch(preparing);
      return [`“${preparing.name}” is prepared for view first, and opens then.`, ...notes].join(" ");
    }
    const said = [this.session.images.add(image, true), ...notes].filter(Boolean).join(" ");
    return said || `“${image.name}” is open: draw on it.`;
  }

  /**
   * Open image files, one after the other in the order of their names; the first is shown. The file of a session
   * becomes a session of its own; strokes and labels become strokes of the images that they belong to.
   * @param {File[]} files
   */
  open(files) {
    const session = files.find((file) => file.name.endsWith(facts().sessionSuffix));
    if (session) {
      importSession(session, showStatus);
      return;
    }
    const inOrder = imagesFirst(files);
    if (inOrder.length) this.opening = this.opening.then(() => this.openAll(inOrder));
  }

  /** @param {File[]} files */
  async openAll(files) {
    hideMessage();
    const outcome = await this.sendAll(files);
    const { failed, notes, unsent } = outcome;
    if (unsent.length) {
      sayWhatIsUnsent(unsent);
      return;
    }
    this.sayWhatOpened(outcome);
    if (failed.length) showMessage(whatFailed(failed, files.length));
    else if (notes.size) showMessage([...notes].join(" "));
  }

  /**
   * @param {File[]} files
   * @returns {Promise<Outcome>}
   */
  async sendAll(files) {
    const outcome = nothingYet();
    await waitFor(async (say) => {
      for (const [index, file] of files.entries()) {
        const which = files.length > 1 ? `image ${index + 1} of ${files.length}: ` : "";
        say(`Opening ${which}${file.name}…`, index / files.length);
        try {
          await this.sendOne(file, outcome, files.length);
        } catch {
          outcome.unsent = files.slice(index);
          return;
        }
      }
    });
    return outcome;
  }

  /**
   * @param {File} file
   * @param {Outcome} outcome
   * @param {number} total how many files are opened at once
   */
  async sendOne(file, outcome, total) {
    let beside = sizesIn(this.session.state);
    for (;;) {
      const { error, notes = [], labels, preparing, ...image } = STROKES.test(file.name)
        ? { labels: true } : await send(file, beside);
      if (error) outcome.failed.push({ name: file.name, error });
      else if (preparing) {
        outcome.preparing.push(preparing.name);
        for (const note of notes) outcome.notes.add(`“${preparing.name}”: ${note}`);
        this.preparing.watch(preparing);
      } else if (!labels) this.add(/** @type {ImageFacts} */ (image), notes, outcome, total > 1);
      else if (await this.bring(file, outcome)) {
        beside = [];
        continue;
      }
      return;
    }
  }

  /**
   * @param {File} file
   * @param {Outcome} outcome
   * @returns {Promise<boolean>} whether it is to be opened as an image instead
   */
  async bring(file, outcome) {
    const { error, notes, strokes, asImage = false } = await this.bringer.bring(file, !STROKES.test(file.name));
    if (error) outcome.failed.push({ name: file.name, error });
    for (const note of notes) outcome.notes.add(note);
    outcome.brought += strokes;
    return asImage;
  }

  /**
   * @param {ImageFacts} image
   * @param {string[]} notes
   * @param {Outcome} outcome
   * @param {boolean} named whether a note says of which image it is
   * @param {boolean} [turn] whether to turn to it, if it is the first
   */
  add(image, notes, outcome, named, turn = true) {
    const left = this.session.images.add(image, turn && !outcome.opened.length);
    if (left) outcome.notes.add(left);
    outcome.opened.push(image);
    for (const note of notes) outcome.notes.add(named ? `“${image.name}”: ${note}` : note);
  }

  /** @param {Outcome} outcome */
  sayWhatOpened({ opened, brought, preparing, failed }) {
    if (brought) announce(`Brought in ${counted(brought, "stroke")}. Undo takes them back.`);
    else if (!opened.length && preparing.length) {
      announce(`${preparing.join(", ")} is prepared for view first, and opens then. Go on here, if you like.`);
    } else if (!opened.length) {
      /* The message goes after some seconds: the reason stays as long as what follows from it. */
      const why = failed.length ? `${whatFailed(failed, failed.length)} ` : "";
      announce(`${why}The image before is still here.`);
    } else if (opened.length > 1) {
      const { stackable } = this.session.images;
      const stack = stackable ? " “Make a stack” beside it puts a slider through them." : "";
      announce(`Opened ${opened.length} images: the strip below the image moves between them.${stack}`);
    } else {
      const drawn = this.session.state.strokes.length;
      const next = drawn
        ? `You have drawn on it before: ${counted(drawn, "stroke")}.`
        : "Draw a squiggle in each of two classes.";
      const { name, pages = 1 } = opened[0];
      const ways = "the slider below it, or Alt + wheel, turns to them.";
      const turn = pages > 1 ? ` It has ${counted(pages, "plane")}: ${ways}` : "";
      announce(`Opened ${name}.${turn} ${next}`);
    }
  }
}
