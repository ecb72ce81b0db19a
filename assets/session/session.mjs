/* One session on one page: ties the journal, the picture, the tools and the controls together. */

import { Conversation } from "../journal/conversation.mjs";
import { takenFromOthers } from "../journal/people.mjs";
import { Drawing } from "../drawing/drawing.mjs";
import { liesOn } from "../drawing/strokes.mjs";
import { Viewport } from "../drawing/viewport.mjs";
import { isRegion } from "../page/classids.mjs";
import { facts, looking, sessionUrl, windowId } from "../page/context.mjs";
import { askDashAgain, setControl } from "../page/dash.mjs";
import { betweenStrokes } from "../page/graph.mjs";
import { entriesOf, entryKey } from "../page/entries.mjs";
import { me } from "../page/me.mjs";
import { showOpened } from "../page/openedcard.mjs";
import { showRegion } from "../page/region.mjs";
import { showSettings } from "../page/settings.mjs";
import { showConnection } from "../page/status.mjs";
import { Strip } from "../page/strip.mjs";
import { showImage, showName } from "../page/title.mjs";
import { showHistory, showView } from "../page/toolbar.mjs";
import { Picture } from "../picture/picture.mjs";
import { base } from "../shared/base.mjs";
import { byId } from "../shared/dom.mjs";
import { hideMessage, showMessage } from "../shared/messages.mjs";
import { onceItAnswersAgain } from "../shared/requests.mjs";
import { counted } from "../shared/text.mjs";
import { Brush } from "./brush.mjs";
import { Classes } from "./classes.mjs";
import { cleanUpOf } from "./cleanup.mjs";
import { Corrections } from "./corrections.mjs";
import { Images } from "./images.mjs";
import { Planes } from "./planes.mjs";
import { People } from "./people.mjs";
import { available, depthOf, sameSettings, switchedOff } from "./learning.mjs";
import { NextStroke } from "./nextstroke.mjs";
import { SessionScores } from "./scores.mjs";
import { Segmentation } from "./segmentation.mjs";
import { View } from "./view.mjs";

/** @import { Message } from "../journal/conversation.mjs" */
/** @import { CleanUpStep, ImageFacts, Settings, State, StateWithImage, Stroke } from "../journal/state.mjs" */
/** @import { Available } from "./learning.mjs" */
/** @import { ViewChange } from "./view.mjs" */

/** @typedef {(available: Available, state: StateWithImage) => void} OnAvailable tells what can be downloaded now */

/**
 * Whether a session has an image yet.
 * @param {State} state
 * @returns {state is StateWithImage}
 */
function hasImage(state) {
  return state.image !== null;
}

export class Session {
  /* What is shown without being asked for could not be asked while the server was away. */
  hearers = [showConnection, askDashAgain, onceItAnswersAgain(() => this.onSight())];

  /**
   * @param {string} id
   * @param {OnAvailable} onAvailable
   */
  constructor(id, onAvailable) {
    this.id = id;
    this.onAvailable = onAvailable;
    /** Told when the image, or what is seen of it, has changed. */
    this.onSight = () => {};
    /** Told of steps of a clean-up that are tried out. @type {(steps: CleanUpStep[]) => void} */
    this.onTried = () => {};
    this.view = new View(id);
    this.viewport = new Viewport(byId("stage"), {
      onMove: () => this.onMove(),
      onCommit: () => this.picture.photo.wantDetail(),
      onPinch: () => this.drawing.onPinch(),
      onPanning: (active) => this.onPanning(active),
      onPlanes: (delta, inTime) => this.planes.wheel(delta, inTime),
      pen: () => this.drawing.layout,
    });
    this.picture = new Picture(byId("picture", HTMLCanvasElement), this.viewport);
    this.segmentation = new Segmentation({
      view: this.view,
      picture: this.picture,
      visible: () => this.viewport.visible,
      state: () => this.state,
      onCounts: () => { this.classes.show(); this.onSight(); this.corrections.show(); },
      scores: () => this.scores.request,
      sync: () => this.conversation.sync(),
    });
    const unnamed = () => facts().unnamed;
    this.conversation = new Conversation({ url: `${sessionUrl}converse`, sessionId: id, windowId, unnamed }, {
      onState: (state) => this.onState(state),
      onMessage: (message) => this.onMessage(message),
      onConnection: (connection) => this.hearers.forEach((tell) => tell(connection)),
      onSignedOut: () => this.signInAgain(),
      request: () => this.segmentation.request(),
      currentImage: () => this.view.image,
      author: me,
      here: () => this.people.here,
    });
    this.drawing = new Drawing({
      viewport: this.viewport,
      picture: this.picture,
      ring: byId("ring"),
      state: () => this.state,
      width: () => this.brush.width,
      onStroke: (stroke, image, corrects) => this.addStroke(stroke, image, corrects),
      onChange: (stroke) => this.changeStroke(stroke),
      onErase: (strokes) => this.append({ type: "stroke.erase", image: this.state.image?.hash, strokes }),
      onSelect: () => this.brush.show(),
    });
    this.brush = new Brush(this);
    this.classes = new Classes(this);
    this.cleanUp = cleanUpOf(this);
    this.corrections = new Corrections(this);
    this.images = new Images(this);
    this.planes = new Planes(this);
    this.people = new People(this);
    this.scores = new SessionScores(this);
    this.nextStroke = new NextStroke(this);
    this.strip = new Strip(this.images);
  }

  start() {
    setControl("opacity", this.view.opacity);
    setControl("switches", this.view.switches);
    this.chooseView({});
    byId("strip").hidden = !this.view.several;
    this.conversation.listenToWindow();
    this.conversation.sync();
  }

  get state() {
    return this.conversation.state;
  }

  /** Hash of the image that is shown. */
  get imageHash() {
    return this.segmentation.imageHash;
  }

  /** The image that the session began with. @returns {ImageFacts | undefined} */
  get sample() {
    return this.conversation.journal[0]?.image;
  }

  /**
   * Do something.
   * @param {{type: string} & Record<string, any>} event without its id
   */
  append(event) {
    hideMessage();
    if (looking) showMessage("With this link you can look, not change.");
    else this.conversation.append(event);
  }

  /** @param {Message} message of the server */
  onMessage(message) {
    if (message.kind === "here") return this.people.meet(message.people);
    return message.kind === "scores" ? this.scores.show(message) : this.segmentation.onMessage(message);
  }

  /* ---- what the journal says --------------------------------------------------------------------------------- */

  /** @param {State} state */
  onState(state) {
    if (!hasImage(state)) return;
    if (state.image.hash === this.imageHash) this.show(state);
    else {
      betweenStrokes("image", () => {
        const now = this.state;
        if (!hasImage(now)) return;
        this.turnTo(now);
        this.show(now);
      });
    }
  }

  /**
   * Show the current image.
   * @param {StateWithImage} state
   */
  turnTo({ image, images }) {
    if (image.hash === this.imageHash) return;
    const stays = image.stack !== undefined && image.stack === this.picture.image?.stack;
    this.segmentation.setImage(image.hash);
    this.people.place();
    this.picture.setImage(image, { several: images.length > 1, waits: entryKey(image) in this.view.looks, stays });
    if (!stays) this.viewport.setImage(image.rows, image.columns);
    if (this.view.image !== image.hash) this.chooseView({ image: image.hash });
  }

  /** @param {StateWithImage} state */
  show(state) {
    const { view } = this;
    showImage(state.image);
    showName(state.name, state.image);
    if (!state.classes.some(({ id }) => id === view.classId)) view.classId = state.classes[0]?.id ?? 0;
    this.segmentation.update(state);
    this.onAvailable(available(state), state);
    this.picture.restack(state.image, entryKey(state.image) in view.looks);
    this.picture.setClasses(state.classes, state.hidden);
    this.picture.setStrokes(this.drawing.sweep.left(state.strokes));
    this.drawing.choose(view);
    this.brush.show();
    this.classes.show();
    this.planes.show(state);
    const entries = entriesOf(state);
    this.strip.update(state, entries, this.images.stackable);
    if (view.several !== entries.length > 1) this.chooseView({ several: entries.length > 1 });
    showOpened(state.opened, this.segmentation.learnt);
    showHistory(state);
    showRegion(state.strokes);
    showSettings(state);
    this.nextStroke.place();
    this.onSight();
    this.cleanUp.show(state);
    this.corrections.show();
  }

  /* ---- what the person does ---------------------------------------------------------------------------------- */

  /**
   * Give the session a name.
   * @param {string} name
   */
  rename(name) {
    if (name !== this.state.name) this.append({ type: "session.rename", name });
  }

  /**
   * Add a stroke that was drawn.
   * @param {Stroke} stroke
   * @param {string} hash of the image that it was drawn on
   * @param {boolean} corrects whether it is painted into the result
   */
  addStroke(stroke, hash, corrects) {
    const { images } = this.state;
    /* The sample may have left while this was drawn on it. */
    const image = [...images, this.sample].find((one) => one?.hash === hash);
    if (!image) {
      showMessage("That image was removed in another window, and what you drew with it.");
      return;
    }
    if (!liesOn(stroke, image)) {
      showMessage("That stroke lies beside the image: draw on it.");
      return;
    }
    this.showClassOf(stroke);
    if (corrects) this.corrections.add(stroke, hash);
    else this.append({ type: "stroke.add", image: hash, stroke });
    if (!this.state.images.some((one) => one.hash === hash)) {
      showMessage("The sample has left this session, and what you drew on it. Undo brings both back.");
    }
  }

  /** Segment what has changed, although changes are not segmented at once. */
  segmentNow() {
    Object.assign(this.segmentation, { outdated: true, once: true });
    this.conversation.sync();
  }

  /**
   * See, or draw with, something else.
   * @param {ViewChange} change
   */
  chooseView(change) {
    const { view } = this;
    const wasLive = view.live;
    view.change(looking ? { ...change, tool: "pan" } : change);
    this.picture.setView(view);
    this.drawing.choose(view);
    showView(view);
    this.brush.show();
    if (this.segmentation.turnLayer() || (view.live && !wasLive)) this.conversation.sync();
    this.segmentation.sayIfOutdated();
  }

  /**
   * A stroke was moved, widened, or given another class.
   * @param {Stroke} stroke
   */
  changeStroke(stroke) {
    const { image } = this.state;
    if (!image) return;
    if (!liesOn(stroke, image)) {
      showMessage("There it would lie beside the image: it stays where it was.");
      return;
    }
    this.showClassOf(stroke);
    this.append({ type: "stroke.change", image: image.hash, stroke });
  }

  /** @param {Stroke} stroke that is to be seen */
  showClassOf({ class_id: id }) {
    if (this.state.hidden.has(id)) this.append({ type: "class.hide", class_id: id, hidden: false });
  }

  /** @param {"live" | "shown" | "strokes"} name of a switch */
  toggle(name) {
    this.chooseView({ [name]: !this.view[name] });
    setControl("switches", this.view.switches);
  }

  undo() {
    const { undo } = this.state;
    if (!undo) return;
    this.unlessOthersLose({ type: "undo", event: undo }, () => {
      const removed = this.conversation.journal.find(({ id, type }) => (
        id === undo && ["image.remove", "sample.leave"].includes(type)
      ));
      if (removed) this.chooseView({ image: removed.image });
    });
  }

  redo() {
    if (this.state.redo) this.unlessOthersLose({ type: "redo", event: this.state.redo }, () => {});
  }

  /**
   * Undo or redo something, after a question if strokes of others would go along.
   * @param {{type: "undo" | "redo", event: string}} change
   * @param {() => void} before what to do just before it
   */
  unlessOthersLose(change, before) {
    const { events } = this.conversation;
    const { strokes, names } = takenFromOthers(events, { id: "", ...change }, facts().unnamed, me().id);
    const run = () => {
      before();
      this.append(change);
    };
    if (!strokes) run();
    else {
      const whose = `${counted(strokes, "stroke")} of ${names.join(", ")}`;
      showMessage(`To ${change.type} that takes ${whose} along.`, { label: "Do it all the same", run });
    }
  }

  /** Erase all strokes on the current image; it is worked on where it was. */
  clear() {
    this.erase(this.state.strokes.filter((stroke) => !isRegion(stroke)));
  }

  /** Work on the whole of the current image again. */
  leaveRegion() {
    this.erase(this.state.strokes.filter(isRegion));
  }

  /** @param {Stroke[]} strokes on the current image */
  erase(strokes) {
    const ids = strokes.map(({ id }) => id);
    if (ids.length) this.append({ type: "stroke.erase", image: this.state.image?.hash, strokes: ids });
  }

  /** @param {Settings} features */
  chooseFeatures(features) {
    /* These controls are of the kinds and scales; channels and depth have their own. */
    const { channels, by_channel: byChannel } = this.state.features;
    const off = { standardise: false, learned: false };
    const depth = features.standardise || features.learned ? {} : depthOf(this.state.features);
    const chosen = { ...off, ...features, channels, ...(byChannel && { by_channel: byChannel }), ...depth };
    if (hasImage(this.state) && !sameSettings(chosen, { ...off, ...this.state.features })) {
      const lost = switchedOff(this.state.features, chosen);
      this.append({ type: "settings.change", features: chosen });
      if (lost) showMessage(lost);
    }
  }

  /** @param {Settings} forest */
  chooseForest(forest) {
    /* What has no control stays as the session has it. */
    const { range_steps, image_ranges, range_margin } = this.state.forest;
    const chosen = { ...forest, range_steps, image_ranges, range_margin };
    if (hasImage(this.state) && !sameSettings(chosen, this.state.forest)) {
      this.append({ type: "settings.change", forest: chosen });
    }
  }

  /** The image has moved under the pointer. */
  onMove() {
    this.picture.draw();
    this.segmentation.onSight();
    this.people.place();
    this.onSight();
    this.drawing.showRing();
    this.brush.show();
  }

  /** @param {boolean} active */
  onPanning(active) {
    if (!active) this.drawing.onPinchEnd();
    byId("stage").classList.toggle("moving", active);
  }

  signInAgain() {
    const here = window.location.pathname.slice(base.length - 1);
    window.location.assign(`${base}sign-in?next=${encodeURIComponent(here)}`);
  }
}
