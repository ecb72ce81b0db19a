/* Results as files. */

import { sessionUrl } from "../page/context.mjs";
import { placeInWords } from "../page/entries.mjs";
import { isLarge, OF_LARGE } from "../page/large.mjs";
import { all, byId, saveFile } from "../shared/dom.mjs";
import { AWAY, reasonOf } from "../shared/requests.mjs";

/** @import { ImageFacts, StateWithImage } from "../journal/state.mjs" */
/** @import { Stack } from "../journal/stacks.mjs" */
/** @import { Available } from "../session/learning.mjs" */
/** @import { Session } from "../session/session.mjs" */

/** That is enabled where what is left of corrections is counted. */
const CORRECTIONS = "corrections.json";
const CLASSIFIER = "classifier.squiggle";

const buttons = () => /** @type {HTMLButtonElement[]} */ (all("button.download"));

/**
 * @param {ImageFacts} image
 * @param {Map<string, Stack>} stacks
 */
function inStack(image, stacks) {
  const place = placeInWords(image, stacks);
  return place && ` (${place})`;
}

/**
 * Enable the buttons of what can be downloaded, and show those only of which there is something of the image.
 * @param {Available} available
 * @param {StateWithImage} state
 */
export function enableDownloads({ here, anywhere, outlined, result }, { image, images, stacks }) {
  /** @type {Record<string, boolean>} */
  const enough = { "labels.tif": here, "strokes.json": anywhere, "region.tif": outlined };
  for (const button of buttons()) {
    const file = button.dataset.file ?? "";
    button.hidden = isLarge(image) && !OF_LARGE.includes(file);
    if (file !== CORRECTIONS) button.disabled = !(enough[file] ?? result);
  }
  byId("downloads-hint").textContent = !result ? "Once two classes have strokes, all of these can be taken home."
    : images.length > 1
      ? `Of “${image.name}”${inStack(image, stacks)}, the image that is shown; strokes and classifier are those of all.`
      : "";
}

/**
 * What files of the current image are called after: "cells", or "cells-z3-t1" of a plane.
 * @param {Session} session
 */
function nameForFile({ state: { image, stacks } }) {
  if (!image) return "";
  const place = placeInWords(image, stacks).replaceAll(" ", "").replaceAll(",", "-");
  return [image.name.replace(/\.[^.]*$/, ""), place].filter(Boolean).join("-");
}

/** Downloads the results of a session. */
export class Downloads {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** What else to put into the file of a classifier. @type {string[]} */
    this.along = ["pixels"];
    for (const button of buttons()) button.addEventListener("click", () => this.run(button));
  }

  /** @param {HTMLButtonElement} button */
  async run(button) {
    const problem = byId("download-problem");
    problem.textContent = "";
    button.classList.add("busy");
    try {
      problem.textContent = await this.download(button.dataset.file ?? "");
    } catch {
      problem.textContent = AWAY;
    } finally {
      button.classList.remove("busy");
    }
  }

  /**
   * @param {string} file its name on the server
   * @returns {Promise<string>} why it could not be had; empty if it could
   */
  async download(file) {
    const { session } = this;
    await session.conversation.settled();
    const bare = file === CLASSIFIER && session.segmentation.learnt.asItCame && !session.state.opened?.pixels;
    const along = bare ? this.along.filter((one) => one !== "pixels") : this.along;
    const query = `image=${session.imageHash}&opacity=${session.view.opacity}&along=${along.join(",")}`;
    const response = await fetch(`${sessionUrl}download/${file}?${query}`);
    if (!response.ok) return reasonOf(response);
    saveFile(await response.blob(), `${nameForFile(session)}-${file}`);
    return along.length < this.along.length ? "It came without training pixels: none travel along." : "";
  }
}
