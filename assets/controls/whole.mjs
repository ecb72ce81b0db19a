/* Segmenting all of an image that is read part by part: it is begun, goes on on the server, and its files go home. */

import { looking, sessionUrl } from "../page/context.mjs";
import { isLarge } from "../page/large.mjs";
import { outOfDate } from "../page/seriesrows.mjs";
import { all, byId } from "../shared/dom.mjs";
import { AWAY, reasonOf } from "../shared/requests.mjs";
import { duration } from "../shared/text.mjs";
import { ClassifierNow } from "./classifiernow.mjs";

/** @import { Session } from "../session/session.mjs" */
/** @import { Item, Now } from "../page/seriesrows.mjs" */
/** @import { SeriesFacts } from "./seriescard.mjs" */

/** @typedef {SeriesFacts & {items: Item[], part: number}} WholeFacts */

const LOOK_MS = 1500;
const HIDDEN_LOOK_MS = 10 * LOOK_MS;
const ENOUGH_TO_SAY = 0.02;
const BEGIN = "Segment the whole image";
const AGAIN = "Segment it again";
const ANEW = "Try again";
const NOT_READY = "Draw in two classes, or open a classifier, first.";
const LEFT_NOW = "“Go on” continues from there.";

/** Why a result is out of date, as it is told. @type {Record<string, string>} */
const SINCE = {
  learnt: "The classifier has learnt on since this was segmented.",
  outlined: "Where to work was outlined anew since this was segmented.",
  measured: "The size of the pixels was typed since this was segmented.",
};

/** Segments the image that is shown, if it is read part by part, as a whole. */
export class Whole {
  /**
   * @param {Session} session
   * @param {() => void} onAsked something was begun, cancelled or gone on with
   * @param {(image: string, part: number) => void} onPart so much of an image is done, as was seen now
   */
  constructor(session, onAsked, onPart) {
    this.onPart = onPart;
    this.session = session;
    this.onAsked = onAsked;
    this.isShown = false;
    /** Why all of the image that is shown cannot be segmented, where that is known. */
    this.cannot = "";
    /** Whether there is a classifier. */
    this.ready = false;
    /** What is known of the image that is shown; none before it was asked for. @type {?WholeFacts} */
    this.facts = null;
    /** The same of images that were shown before, so that who turns back sees it. @type {Map<string, ?WholeFacts>} */
    this.known = new Map();
    /** @type {?Now} */
    this.now = null;
    this.classifierNow = new ClassifierNow(session);
    /** The image that all this is of. */
    this.image = "";
    /** When the work was first seen, and how far it was then. @type {?{at: number, part: number}} */
    this.since = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.beginning = byId("whole-begin", HTMLButtonElement);
    this.stopping = byId("whole-stop", HTMLButtonElement);
    this.beginning.addEventListener("click", () => this.begin());
    this.stopping.addEventListener("click", () => this.act(this.facts?.running ? "stop" : "continue"));
    session.segmentation.whenSegmented(() => this.askForNow());
  }

  get url() {
    return `${sessionUrl}wholes/${this.image}`;
  }

  /** @param {boolean} ready whether there is a classifier to apply */
  enable(ready) {
    this.ready = ready;
    this.update();
  }

  /** @param {boolean} isShown whether the tab of what goes home is open */
  show(isShown) {
    this.isShown = isShown;
    this.notice();
  }

  /** Another image may be shown now. */
  notice() {
    const { image } = this.session.state;
    const large = image && isLarge(image) ? image.hash : "";
    byId("whole-image").hidden = !large;
    if (large !== this.image) {
      [this.image, this.facts, this.now, this.since] = [large, this.known.get(large) ?? null, null, null];
      this.cannot = "";
      this.update();
    }
    if (this.image && this.isShown) this.look();
    else clearTimeout(this.timer);
  }

  async look() {
    clearTimeout(this.timer);
    const { image } = this;
    try {
      const response = await fetch(this.url);
      const facts = response.ok ? await response.json() : null;
      if (image !== this.image) return;
      if (facts) [this.facts, this.cannot] = [facts.id === null ? null : facts, facts.cannot ?? ""];
      this.known.set(image, this.facts);
    } catch {
      /* The server is away: the next look may find it. */
    }
    if (image !== this.image) return;
    this.update();
    if (this.unfinished && this.facts?.running) this.onPart(image, this.facts.part);
    if (this.unfinished && this.facts?.running && this.isShown) {
      this.timer = setTimeout(() => this.look(), document.hidden ? HIDDEN_LOOK_MS : LOOK_MS);
    } else if (!this.now) {
      this.askForNow();
    }
  }

  /**
   * So much of an image is done, as was seen elsewhere: what is told of it is the same wherever one looks.
   * @param {string} image
   * @param {number} part
   */
  hear(image, part) {
    if (image !== this.image || !this.facts?.running || !this.unfinished) return;
    this.facts = { ...this.facts, part };
    this.update();
  }

  /** Learn what the session has now, so that it is seen whether the result is out of date. */
  async askForNow() {
    const { image } = this;
    if (!this.isShown || !image || !this.facts || this.unfinished) return;
    const now = await this.classifierNow.ask(image);
    if (!now || image !== this.image) return;
    this.now = now;
    this.update();
  }

  get unfinished() {
    return Boolean(this.facts && this.facts.waiting + this.facts.working);
  }

  async begin() {
    this.beginning.disabled = true;
    await this.session.conversation.settled();
    await this.ask(this.url);
  }

  /** @param {"stop" | "continue"} what */
  act(what) {
    return this.ask(`${sessionUrl}series/${this.facts?.id}/${what}`);
  }

  /** @param {string} url */
  async ask(url) {
    let problem = AWAY;
    try {
      const response = await fetch(url, { method: "POST" });
      problem = response.ok ? (await response.json()).error ?? "" : await reasonOf(response);
    } catch {
      /* It is said below. */
    }
    [this.now, this.since] = [null, null];
    this.onAsked();
    await this.look();
    if (problem) byId("whole-problem").textContent = problem;
  }

  /** Show what is known. */
  update() {
    const { facts, unfinished, beginning, stopping } = this;
    const item = facts?.items[0];
    beginning.hidden = unfinished;
    beginning.disabled = !this.ready || looking || Boolean(this.cannot);
    stopping.disabled = looking;
    beginning.textContent = item?.state === "failed" ? ANEW : facts ? AGAIN : BEGIN;
    stopping.hidden = !unfinished;
    stopping.textContent = facts?.running ? "Cancel" : "Go on";
    stopping.classList.toggle("quiet", Boolean(facts?.running));
    byId("whole-bar", HTMLProgressElement).value = facts?.part ?? 0;
    byId("whole-image").dataset.state = unfinished ? (facts?.running ? "running" : "cancelled") : item?.state ?? "";
    byId("whole-text").textContent = this.told(item);
    byId("whole-problem").textContent = item?.state === "failed" ? item.reason : "";
    this.link(Boolean(item?.images.length));
  }

  /** @param {boolean} made whether there are files to be taken home */
  link(made) {
    const name = this.session.state.image?.name.replace(/\.[^.]*$/, "") ?? "";
    for (const link of all("#whole-files a")) {
      const { whole: file } = link.dataset;
      link.setAttribute("aria-disabled", String(!made));
      if (made) link.setAttribute("href", `${this.url}/${file}`);
      else link.removeAttribute("href");
      link.setAttribute("download", `${name}-${file}`);
    }
  }

  /**
   * What is to be said of it.
   * @param {Item | undefined} item
   */
  told(item) {
    const { facts } = this;
    if (!facts || !item) return this.cannot || (this.ready ? "" : NOT_READY);
    const done = `${Math.floor(100 * facts.part)} %`;
    if (this.unfinished && !facts.running) return `Cancelled at ${done}. ${LEFT_NOW}`;
    if (facts.waiting) return `${facts.part ? `${done} segmented. ` : ""}It waits for its turn.`;
    if (facts.working) return `${done} segmented${item.reason ? "" : this.left(facts.part)}. ${item.reason}`.trim();
    const [image] = item.images;
    if (!image) return "";
    const whole = Object.values(image.pixels).reduce((sum, one) => sum + one, 0);
    const shares = (facts.classes ?? []).map(({ id, name }) => (
      `${name} ${(100 * (image.pixels[id] ?? 0) / Math.max(1, whole)).toFixed(2)} %`));
    return [`${shares.join(", ")}.`, ...item.notes, SINCE[outOfDate(item, this.now)]].filter(Boolean).join(" ");
  }

  /**
   * How long it still takes, by what was seen of it so far; empty before that can be told.
   * @param {number} part
   */
  left(part) {
    this.since ??= { at: Date.now(), part };
    const seen = part - this.since.part;
    if (seen < ENOUGH_TO_SAY) return "";
    return `, about ${duration((1 - part) * (Date.now() - this.since.at) / 1000 / seen)} left`;
  }
}
