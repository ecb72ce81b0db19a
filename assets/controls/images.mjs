/* Opening image files, one after the other. */

import { facts, sessionUrl } from "../page/context.mjs";
import { announce, showStatus, waitFor } from "../page/status.mjs";
import { byId } from "../shared/dom.mjs";
import { hideMessage, showMessage } from "../shared/messages.mjs";
import { isBusy, pause, reasonOf, retryAfter } from "../shared/requests.mjs";
import { importSession } from "../shared/sessions.mjs";
import { counted, inOrderOfNames, megabytes } from "../shared/text.mjs";
import { Bringer } from "./bring.mjs";
import { filePicker } from "./pickers.mjs";

/** @import { ImageFacts, State } from "../journal/state.mjs" */
/** @import { Session } from "../session/session.mjs" */

/**
 * @typedef {ImageFacts & {error?: string, notes?: string[], labels?: boolean}} Answer an image's facts, or why it was
 *   not opened, or that it looks like labels
 */

/**
 * @typedef {object} Outcome of sending several images
 * @property {ImageFacts[]} opened
 * @property {{name: string, error: string}[]} failed
 * @property {Set<string>} notes what is to be said of those that were opened
 * @property {number} brought how many strokes came in files of strokes or labels
 * @property {File[]} unsent left over when the server ceased to answer
 */

const NOT_SENT = "could not be sent: the server does not answer. Try again in a moment.";
const ATTEMPTS = 6;
const MOST_SIZES = 100;
const TOLD_AT_ONCE = 3;
const STROKES = /\.(geo)?json$/i;
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
 * @returns {Promise<Answer | {error: string, notes?: undefined, labels?: undefined}>}
 */
async function send(file, beside) {
  const limit = /\.tiff?$/i.test(file.name) ? facts().maxStackBytes : facts().maxUploadBytes;
  if (file.size > limit) {
    return { error: `It has ${megabytes(file.size)}; this server takes at most ${megabytes(limit)}.` };
  }
  const url = `${sessionUrl}images?name=${encodeURIComponent(file.name)}&beside=${beside.join(",")}`;
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(url, { method: "POST", body: file });
    if (response.ok) return response.json();
    if (!isBusy(response) || attempt === ATTEMPTS) return { error: await reasonOf(response) };
    await pause(retryAfter(response, 1));
  }
}

/**
 * @param {Outcome["failed"]} failed
 * @param {number} total
 */
function sayWhatFailed(failed, total) {
  const [first] = failed;
  if (total === 1) {
    showMessage(`“${first.name}” was not opened. ${first.error}`);
    return;
  }
  const told = failed.slice(0, TOLD_AT_ONCE).map(({ name, error }) => `“${name}”: ${error}`).join(" ");
  const more = failed.length > TOLD_AT_ONCE ? ` And ${failed.length - TOLD_AT_ONCE} more.` : "";
  showMessage(`${failed.length} of ${total} files were not opened. ${told}${more}`);
}

/** @param {File[]} unsent */
function sayWhatIsUnsent([first, ...rest]) {
  showMessage(`“${first.name}”${rest.length ? ` and ${rest.length} more` : ""} ${NOT_SENT}`);
  showStatus("What was there before is still here.", null);
}

/** Opens image files in a session. */
export class ImageOpener {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** Resolves when all files are sent that were chosen before. @type {Promise<void>} */
    this.opening = Promise.resolve();
    this.bringer = new Bringer(session);
    const attributes = { id: "image-file", multiple: true, accept: `${facts().accept},.json,.geojson` };
    const picker = filePicker(attributes, "Image files", (files) => this.open(files));
    byId("open-image").addEventListener("click", () => picker.click());
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
    const { opened, failed, notes, brought, unsent } = await this.sendAll(files);
    if (unsent.length) {
      sayWhatIsUnsent(unsent);
      return;
    }
    this.sayWhatOpened(opened, brought);
    if (failed.length) sayWhatFailed(failed, files.length);
    else if (notes.size) showMessage([...notes].join(" "));
  }

  /**
   * @param {File[]} files
   * @returns {Promise<Outcome>}
   */
  async sendAll(files) {
    /** @type {Outcome} */
    const outcome = { opened: [], failed: [], notes: new Set(), brought: 0, unsent: [] };
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
      const { error, notes = [], labels, ...image } = STROKES.test(file.name)
        ? { labels: true } : await send(file, beside);
      if (error) outcome.failed.push({ name: file.name, error });
      else if (!labels) this.add(/** @type {ImageFacts} */ (image), notes, outcome, total);
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
   * @param {number} total how many files are opened at once: of several, a note says of which it is
   */
  add(image, notes, outcome, total) {
    const left = this.session.images.add(image, !outcome.opened.length);
    if (left) outcome.notes.add(left);
    outcome.opened.push(image);
    for (const note of notes) outcome.notes.add(total > 1 ? `“${image.name}”: ${note}` : note);
  }

  /**
   * @param {ImageFacts[]} opened
   * @param {number} brought
   */
  sayWhatOpened(opened, brought) {
    if (brought) announce(`Brought in ${counted(brought, "stroke")}. Undo takes them back.`);
    else if (!opened.length) announce("The image before is still here.");
    else if (opened.length > 1) {
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
