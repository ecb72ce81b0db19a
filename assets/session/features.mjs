/* Which features are learnt from: how much they matter, what leaving some out costs, and whether images drift. */

import { FEATURE } from "../page/layers.mjs";
import { looking, sessionUrl } from "../page/context.mjs";
import { costSentence, showFeatureChoice, showImportance } from "../page/importance.mjs";
import { channelNames } from "../picture/about.mjs";
import { byId } from "../shared/dom.mjs";
import { showMessage } from "../shared/messages.mjs";
import { AWAY, fetchShown, reasonOf } from "../shared/requests.mjs";
import { learningKey } from "./learning.mjs";

/** @import { StateWithImage } from "../journal/state.mjs" */
/** @import { Session } from "./session.mjs" */

export class Features {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** Whether the panel is seen. */
    this.seen = false;
    /** What is shown belongs to this. */
    this.key = "";
    /** Counts what was asked for, so that a late answer is not taken for one to something newer. */
    this.asked = 0;
    /** Images that were looked at for drift. @type {Set<string>} */
    this.looked = new Set();
    /** Whether drift was pointed at; once is enough. */
    this.told = false;
    /** What the buttons would choose. @type {{part: ?object, drift: ?boolean}} */
    this.offered = { part: null, drift: null };
    const look = byId("feature-look", HTMLSelectElement);
    look.addEventListener("change", () => (
      session.chooseView({ layer: look.value ? `${FEATURE}${look.value}` : "classes" })
    ));
    byId("leave-out").addEventListener("click", () => this.choose(this.offered.part));
    byId("ask-drift").addEventListener("click", () => this.askDrift());
    byId("take-drift").addEventListener("click", () => this.choose({ standardise: this.offered.drift }));
  }

  /** @param {boolean} seen whether the panel is */
  show(seen) {
    this.seen = seen;
    if (seen) this.update();
  }

  /** Something may have been learnt, or another image is shown. */
  async update() {
    const { state, segmentation } = this.session;
    this.suggest();
    if (!this.seen || !state.image) return;
    const key = `${state.image.hash} ${learningKey(/** @type {StateWithImage} */ (state))}`;
    if (key !== this.key) this.forget();
    if (key === this.key || !segmentation.counts.segmented || segmentation.outdated) return;
    this.key = key;
    const answer = await this.ask("importance");
    if (key !== this.key) return;
    if (!answer || answer.error) {
      this.key = "";
      byId("importance-note").textContent = answer?.error ?? "";
      return;
    }
    const names = await channelNames(state.image.hash);
    if (key !== this.key) return;
    showImportance(answer, names, (part, what) => this.askCost(part, what));
    showFeatureChoice(answer.features, this.session.view.layer.replace(FEATURE, ""), names);
    byId("importance-note").textContent = answer.fixed ? "" : "Click a name to see what leaving it out would cost.";
  }

  /** What was said is no longer so. */
  forget() {
    this.asked += 1;
    this.offered = { part: null, drift: null };
    for (const id of ["leave-out", "take-drift"]) byId(id).hidden = true;
    byId("drift").textContent = "";
  }

  /**
   * Ask the server; gives its answer, or null if it is away, or something newer was asked for.
   * @param {string} what
   * @param {string} [query]
   */
  async ask(what, query = "") {
    this.asked += 1;
    const { asked, session } = this;
    try {
      await session.conversation.settled();
      const response = await fetchShown(`${sessionUrl}${what}?image=${session.imageHash}${query}`);
      const answer = response.ok ? await response.json() : { error: await reasonOf(response) };
      return asked === this.asked ? answer : null;
    } catch {
      return asked === this.asked ? { error: AWAY } : null;
    }
  }

  /**
   * Ask what it costs to leave some features out.
   * @param {string} part
   * @param {string} what it is called
   */
  async askCost(part, what) {
    byId("leave-out").hidden = true;
    byId("importance-note").textContent = `Holding strokes out, without ${what}…`;
    const answer = await this.ask("leaving-out", `&part=${encodeURIComponent(part)}`);
    if (!answer) return;
    byId("importance-note").textContent = answer.error ?? costSentence(what, answer);
    this.offered.part = answer.features ?? null;
    byId("leave-out").textContent = `Leave ${what} out`;
    byId("leave-out").hidden = Boolean(answer.error);
  }

  /** Ask whether features of standardised images would be better. */
  async askDrift() {
    byId("take-drift").hidden = true;
    byId("drift").textContent = "Measuring both…";
    const answer = await this.ask("drift");
    if (!answer) return;
    byId("drift").textContent = answer.error ?? answer.sentence;
    this.offered.drift = answer.standardise ?? null;
    byId("take-drift").textContent = answer.standardise ? "Switch it on" : "Switch it off";
    byId("take-drift").hidden = !answer.clear || answer.standardise === answer.now;
  }

  /** Once an image without strokes is segmented: say so, once, if it looks clearly better relative to itself. */
  async suggest() {
    const { state, segmentation, imageHash } = this.session;
    const { counts: { segmented, learntFrom }, outdated, learnt } = segmentation;
    const ready = state.image?.hash === imageHash && segmented && !outdated && learntFrom?.length && !learnt.asItCame;
    if (looking || this.told || !ready || !imageHash || learntFrom.includes(imageHash)) return;
    if (state.features.standardise || this.looked.has(imageHash)) return;
    this.looked.add(imageHash);
    try {
      const response = await fetchShown(`${sessionUrl}drift?image=${imageHash}`);
      const { error, standardise, now, clear, sentence } = await response.json();
      if (error || now || !standardise || !clear || this.told || this.session.imageHash !== imageHash) return;
      this.told = true;
      showMessage(`Brightness or colour seems to differ between these images. ${sentence}`, {
        label: "Switch it on", run: () => this.choose({ standardise: true }),
      });
    } catch {
      /* It can be asked for at any time. */
    }
  }

  /** @param {?object} change of the features */
  choose(change) {
    const features = { ...this.session.state.features, ...change };
    if (change) this.session.append({ type: "settings.change", features });
  }
}
