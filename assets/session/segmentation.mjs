/* The segmentation of the current image: when it is requested, and what the page does with what comes. */

import { channelNames } from "../picture/about.mjs";
import { unpackIds } from "../picture/bits.mjs";
import { inflate } from "../picture/inflate.mjs";
import { showOpened } from "../page/openedcard.mjs";
import { looking } from "../page/context.mjs";
import { FEATURE, showLayers } from "../page/layers.mjs";
import { scoresAreStale, showScores } from "../page/scores.mjs";
import { showProgress, showStatus } from "../page/status.mjs";
import { byId } from "../shared/dom.mjs";
import { hideMessage, showMessage } from "../shared/messages.mjs";
import { newSession } from "../shared/sessions.mjs";
import { available, correctedPixels, segmentationKey } from "./learning.mjs";

/** @import { Message } from "../journal/conversation.mjs" */
/** @import { CleanUpStep, State, StateWithImage } from "../journal/state.mjs" */
/** @import { PixelCounts } from "../page/classlist.mjs" */
/** @import { Picture } from "../picture/picture.mjs" */
/** @import { Corrected } from "./learning.mjs" */
/** @import { View } from "./view.mjs" */

/**
 * @typedef {object} Counts what the server has told of an image
 * @property {?PixelCounts} labelled pixels that the strokes cover
 * @property {?PixelCounts} segmented pixels that the segmentation gives the classes
 * @property {?string[]} learntFrom hashes of the images that this segmentation was learnt from
 * @property {string[]} strokeNotes on strokes that are not learnt from
 * @property {string[]} notes on why it may not be what was meant
 * @property {string[]} calm notes that are no warnings
 * @property {string} remark what is segmented, of an image that is segmented part by part
 * @property {?Record<string, number>} margins how far the share of each class may be off, once that is known
 */

/** Once the view of an image that is segmented part by part has rested so long, what is new on screen is segmented. */
const REST_MS = 250;

/** How often is asked again in a row for what did not come: a server, or an address, is away for a while. */
const PASSING_ATTEMPTS = 3;

const NOTHING_LEARNT = { text: "", choice: "", asItCame: false };

/** @type {Counts} */
const NOT_COUNTED = {
  labelled: null, segmented: null, learntFrom: null, strokeNotes: [], notes: [], calm: [], remark: "", margins: null,
};

/**
 * @typedef {object} SegmentationParts
 * @property {View} view
 * @property {Picture} picture
 * @property {() => number[]} visible the part of the image that is on screen, which is segmented first
 * @property {() => State} state
 * @property {() => void} onCounts the pixels of the classes have been counted anew
 * @property {() => object} scores what the server is asked about how good it is
 * @property {() => void} sync ask the server
 */

export class Segmentation {
  requests = 0;
  requested = 0;
  /** Pixels that are corrected. @type {Corrected} */
  corrected = new Map();
  /** What the session was when the segmentation was asked for. @type {?State} */
  askedWith = null;
  /** The tiles that the current answer has told of. @type {Set<number>} */
  told = new Set();
  /** What the tiles that are shown were learnt from. */
  shownKey = "";
  /** What was on screen when the segmentation was asked for. */
  seen = "";
  /** How often in a row something did not come that is needed for the segmentation. */
  passed = 0;
  /** Whether another image is shown than the status speaks of. */
  turned = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  restTimer = undefined;

  /** @param {SegmentationParts} parts */
  constructor({ view, picture, visible, state, onCounts, scores, sync }) {
    this.view = view;
    this.picture = picture;
    this.visible = visible;
    this.state = state;
    this.onCounts = onCounts;
    this.scores = scores;
    this.sync = sync;
    /** Hash of the image that is shown. @type {?string} */
    this.imageHash = null;
    /** Pixels of the classes on this image, once the server has counted them. */
    this.counts = NOT_COUNTED;
    /** The same of other images. @type {Map<?string, Counts>} */
    this.countsElsewhere = new Map();
    /** How the opened classifier takes part, as the server said. */
    this.learnt = NOTHING_LEARNT;
    this.key = "";
    /** The layer that is shown. @type {?string | number} */
    this.shownLayer = null;
    /** Whether what is shown is not what the session would give now. */
    this.outdated = true;
    /** Whether it was asked for, although changes are not segmented at once. */
    this.once = false;
    /** Steps of a clean-up that are tried out, not yet chosen. @type {?CleanUpStep[]} */
    this.tried = null;
    /** Those that wait until the ones before are seen. @type {?CleanUpStep[]} */
    this.triedNext = null;
    /** Called once what the session has chosen is segmented. @type {(() => void)[]} */
    this.listeners = [];
    /** Resolves when all tiles that have come are unpacked. @type {Promise<unknown>} */
    this.unpacked = Promise.resolve();
    /**
     * What to do with the messages, by their kinds.
     * @type {Record<string, (message: Message) => void | Promise<void>>}
     */
    this.reactions = {
      labelled: (message) => this.onLabelled(message),
      status: ({ text }) => showStatus(`${text}…`, 0),
      learnt: (message) => this.onLearnt(message),
      draft: (message) => this.onDraft(message),
      tile: (message) => this.onTile(message),
      done: (message) => this.onDone(message),
      margins: ({ margins }) => this.count({ margins }),
      cannot: ({ reason }) => this.onCannot(reason),
      passing: ({ reason }) => this.onPassing(reason),
      failed: ({ reason }) => this.onFailed(reason),
      away: ({ reason }) => showStatus(reason, 0),
      busy: ({ reason }) => showStatus(reason, 0),
      full: ({ reason }) => showMessage(reason, { label: "Understood", run: hideMessage }),
      room: () => {
        this.outdated = true;
        hideMessage();
      },
      refused: ({ reason }) => showMessage(reason),
      gone: ({ reason }) => {
        showStatus(reason, null);
        showMessage(reason, { label: "New session", run: newSession });
      },
    };
  }

  /**
   * Do something each time that what the session has chosen is segmented.
   * @param {() => void} listener
   */
  whenSegmented(listener) {
    this.listeners.push(listener);
  }

  /**
   * Another image is shown.
   * @param {string} hash
   */
  setImage(hash) {
    this.countsElsewhere.set(this.imageHash, this.counts);
    this.turned = this.imageHash !== null;
    this.imageHash = hash;
    this.counts = this.countsElsewhere.get(hash) ?? NOT_COUNTED;
  }

  /**
   * Something was done: notice whether that makes the segmentation outdated.
   * @param {StateWithImage} state
   */
  update(state) {
    this.turnLayer();
    const key = segmentationKey(state);
    if (key === this.key) return;
    this.key = key;
    Object.assign(this, { outdated: true, tried: null, triedNext: null, passed: 0 });
    this.learnt = NOTHING_LEARNT;
    scoresAreStale();
    if (this.view.live && this.counts.segmented) showStatus("Learning from the strokes…", 0);
    else if (this.view.live && this.turned && available(state).result) showStatus("Segmenting what is shown…", 0);
    this.turned = false;
    this.sayIfOutdated();
  }

  /** Without live update: what is on screen is not what the strokes and settings would give now. */
  sayIfOutdated() {
    const { image } = this.state();
    const stale = !this.view.live && this.outdated && image !== null
      && available(/** @type {StateWithImage} */ (this.state())).result;
    byId("classes").classList.toggle("stale", stale);
    if (stale) showStatus("Not segmented since the last change: press Enter, or “Segment now”.", null);
  }

  /** What to segment now; null for nothing. */
  request() {
    if (!this.outdated || !this.imageHash || document.hidden || !(this.view.live || this.once)) return null;
    /* Another window may have removed the image; the stroke that is being drawn on it still keeps it current. */
    if (this.state().image?.hash !== this.imageHash) return null;
    this.requests += 1;
    this.requested = performance.now();
    this.askedWith = this.state();
    this.told = new Set();
    this.seen = this.visible().join();
    const { visible, picture: { knownTiles: known } } = this;
    const asked = { image: this.imageHash, view: visible(), known, layer: this.layer };
    return this.tried ? { ...asked, clean_up: this.tried } : { ...asked, scores: this.scores() };
  }

  /**
   * See what steps of a clean-up would do; while others are on their way, these wait.
   * @param {?CleanUpStep[]} steps null: those that the session has
   */
  tryOut(steps) {
    if (steps && this.tried && this.outdated) this.triedNext = steps;
    else {
      Object.assign(this, { tried: steps, triedNext: null, outdated: true, once: true });
      this.sync();
    }
  }

  /**
   * Show the layer that was chosen, if it is another one.
   * @returns {boolean} whether the server is to be asked for it
   */
  turnLayer() {
    const { layer } = this;
    showLayers(this.state().classes, layer, this.channels);
    if (typeof layer === "string" && layer.startsWith(FEATURE)) this.nameChannels();
    if (layer === this.shownLayer) return false;
    this.shownLayer = layer;
    this.picture.setLayer(layer);
    if (layer !== null) Object.assign(this, { outdated: true, once: true });
    return layer !== null;
  }

  /** Names of the channels of the image that was last shown by a feature. @type {string[]} */
  channels = [];

  /** A feature is named by the channels of the image that is shown. */
  async nameChannels() {
    const { image } = this.state();
    this.channels = image ? await channelNames(image.hash) : [];
    showLayers(this.state().classes, this.layer, this.channels);
  }

  /** The layer that is to come along with the classes; null for none. */
  get layer() {
    const { layer } = this.view;
    if (layer === "uncertainty" || layer.startsWith(FEATURE)) return layer;
    return this.state().classes.some(({ id }) => String(id) === layer) ? Number(layer) : null;
  }

  /**
   * The server has said something.
   * @param {Message} message
   */
  onMessage(message) {
    return this.reactions[message.kind]?.(message);
  }

  /** @param {Partial<Counts>} counts */
  count(counts) {
    this.counts = { ...this.counts, ...counts };
    this.onCounts();
  }

  /** @param {Message} message */
  onLabelled({ pixels, notes, corrected }) {
    if (this.askedWith) this.corrected = correctedPixels(this.askedWith, corrected);
    this.count({ labelled: pixels, strokeNotes: notes });
  }

  /** @param {Message} message */
  onLearnt({ text, choice, images, notes: told, calm = [], as_it_came: asItCame }) {
    this.learnt = { text, choice, asItCame };
    const notes = told.filter((/** @type {string} */ note) => !calm.includes(note));
    this.count({ learntFrom: images, notes, calm });
    showOpened(this.state().opened, this.learnt);
  }

  /** Gives a function that says whether a later request, or another image, has made what comes now worthless. */
  whetherCurrent() {
    const { requests, imageHash } = this;
    return () => requests === this.requests && imageHash === this.imageHash;
  }

  /** @param {Message} message */
  async onDraft({ tiles, step, first, ids: packed }) {
    showStatus("Segmenting: a draft so far", 0);
    const current = this.whetherCurrent();
    const ids = await inflate(packed);
    if (current()) await this.picture.setDraft({ tiles, step, first }, ids, current);
  }

  /** @param {Message} message */
  onTile({ index, rows, columns, crc, ids: packed, lowest, digits, layer = "", values, done, of: total }) {
    this.told.add(index);
    showProgress(`Segmenting: part ${done} of ${total}`, done / total);
    if (!packed) return;
    const current = this.whetherCurrent();
    const tile = Promise.all([inflate(packed), values ? inflate(values) : null]).then(([bits, shown]) => {
      if (!current()) return;
      const ids = unpackIds(bits, { lowest, digits, height: rows[1] - rows[0], width: columns[1] - columns[0] });
      this.picture.setTile(index, { rows, columns, crc, ids, layer, values: shown });
    });
    this.unpacked = Promise.all([this.unpacked, tile]);
  }

  /** @param {Message} message */
  async onDone({ pixels, note, remark = "" }) {
    Object.assign(this, { outdated: false, once: false, passed: 0 });
    const current = this.whetherCurrent();
    await this.unpacked;
    if (!current()) return;
    this.picture.setCorrecting([]);
    this.forgetOthers();
    this.picture.draw();
    byId("classes").classList.remove("stale");
    const { notes: told } = this.counts;
    const notes = !note || told.some((one) => one.endsWith(note)) ? told : [...told, note];
    this.count({ segmented: pixels, margins: null, notes, remark });
    if (this.triedNext) this.tryOut(this.triedNext);
    else if (!this.tried) for (const listener of this.listeners) listener();
    const seconds = (performance.now() - this.requested) / 1000;
    showStatus(`Segmented in ${seconds.toFixed(2)} s.${looking ? "" : " Draw where it is wrong."}`, 1);
  }

  /** Of an image that is segmented part by part: what was learnt before is not shown beside what is learnt now. */
  forgetOthers() {
    const { picture, key, shownKey, told } = this;
    if (picture.image?.levels && key !== shownKey) {
      picture.forgetTiles([...picture.tiles.keys()].filter((index) => !told.has(index)));
    }
    this.shownKey = key;
  }

  /** Another part of the image is on screen: of an image that is segmented part by part it is segmented soon. */
  onSight() {
    if (!this.picture.image?.levels || !this.counts.segmented) return;
    clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => {
      if (!this.picture.image?.levels || this.visible().join() === this.seen) return;
      this.outdated = true;
      this.sync();
    }, REST_MS);
  }

  /** @param {string} reason */
  onCannot(reason) {
    Object.assign(this, { outdated: false, once: false, passed: 0 });
    this.picture.clearTiles();
    this.picture.setCorrecting([]);
    this.count({ segmented: null, learntFrom: null, notes: [], calm: [], remark: "" });
    showScores(null, "", []);
    showStatus(reason, null);
  }

  /**
   * Something did not come this time: what is shown stays, and it is asked for again, some times.
   * @param {string} reason
   */
  onPassing(reason) {
    this.passed += 1;
    const again = this.passed <= PASSING_ATTEMPTS;
    if (!again) Object.assign(this, { outdated: false, once: false, passed: 0 });
    showStatus(reason, again ? 0 : null);
  }

  /** @param {string} reason */
  onFailed(reason) {
    this.outdated = false;
    showMessage(reason);
    showStatus("The segmentation failed.", null);
  }
}
