/* One session on one page: ties the journal, the picture, the pen and the controls together. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const WIDTH_LIMITS = [1, 60];

  const byId = (id) => document.getElementById(id);

  /* A control may show a value of a file rounded: that alone is no change. */
  const SHOWN = 1e-6;

  const sameValues = (a, b) => Object.keys(a).every((key) => (
    typeof a[key] === "number" && typeof b[key] === "number"
      ? Math.abs(a[key] - b[key]) < SHOWN
      : JSON.stringify(a[key]) === JSON.stringify(b[key])
  ));

  class Session {
    constructor(id) {
      this.id = id;
      this.viewKey = `squiggle:view:${id}`;
      this.view = { live: true, shown: true, strokes: true, opacity: 50, width: 5, classId: 1, tool: "squiggle", image: null, several: false };
      this.labelled = null;
      this.pixels = null;
      this.counted = new Map();
      this.wanted = true;
      this.wishes = 0;
      this.once = false;
      this.started = 0;
      Object.assign(this.view, this.restoreView());

      this.viewport = new squiggle.Viewport(byId("stage"), squiggle.graph, {
        moved: () => this.picture.draw(),
        committed: () => this.picture.wantDetail(),
        pen: (scale) => this.drawing.pen(scale),
        pinched: () => this.drawing.pinched(),
        panning: (active) => this.showPanning(active),
      });
      this.picture = new squiggle.Picture(byId("picture"), this.viewport, id);
      this.conversation = new squiggle.Conversation(id, {
        changed: (state) => this.changed(state),
        line: (message) => this.heard(message),
        connection: (...said) => squiggle.showConnection(...said),
        wish: () => this.wish(),
        inHand: () => this.view.image,
      });
      this.drawing = new squiggle.Drawing({
        viewport: this.viewport,
        picture: this.picture,
        ring: byId("ring"),
        drew: (stroke, image) => this.drew(stroke, image),
        erased: (strokes) => this.append({ type: "stroke.erase", image: this.state.image.hash, strokes }),
        state: () => this.state,
      });
      this.classes = new squiggle.ClassList(byId("classes"), {
        take: (classId) => this.take(classId),
        rename: (classId, name) => this.rename(classId, name),
        recolour: (classId, colour) => this.append({ type: "class.change", class_id: classId, colour }),
        hide: (classId, hidden) => this.append({ type: "class.hide", class_id: classId, hidden }),
        remove: (classId) => this.removeClass(classId),
      });
      this.strip = new squiggle.Strip(id, {
        take: (hash) => this.takeImage(hash),
        step: (by) => this.step(by),
        remove: (hash) => this.removeImage(hash),
      });
    }

    start() {
      dash_clientside.set_props("opacity", { value: this.view.opacity });
      dash_clientside.set_props("stroke-width", { value: this.view.width });
      dash_clientside.set_props("switches", {
        value: ["live", "shown", "strokes"].filter((name) => this.view[name]),
      });
      this.chooseView({});
      byId("strip").hidden = !this.view.several;
      this.conversation.speak();
    }

    get state() { return this.conversation.state; }

    append(event) {
      squiggle.hideMessage();
      this.conversation.append(event);
    }

    /* ---- what the journal says ------------------------------------------------------------------------- */

    changed(state) {
      if (!state.image) return;
      if (state.image.hash === this.imageHash) this.show(state);
      else {
        squiggle.betweenStrokes("image", () => {
          this.turnTo(this.state);
          this.show(this.state);
        });
      }
    }

    /** Bring the image in hand before the eyes. */
    turnTo({ image, images }) {
      if (image.hash === this.imageHash) return;
      this.counted.set(this.imageHash, { labelled: this.labelled, pixels: this.pixels });
      this.imageHash = image.hash;
      const { labelled = null, pixels = null } = this.counted.get(image.hash) ?? {};
      Object.assign(this, { labelled, pixels });
      this.picture.setImage(image, images.length);
      this.viewport.setImage(image.rows, image.columns);
      if (this.view.image !== image.hash) this.chooseView({ image: image.hash });
    }

    show(state) {
      squiggle.showImage(state.image);
      squiggle.showName(state);
      if (!state.classes.some((c) => c.id === this.view.classId)) this.view.classId = state.classes[0]?.id ?? 0;
      const ids = (strokes) => strokes.map((stroke) => stroke.id);
      const learning = JSON.stringify([
        state.image.hash, ids(state.strokes), state.features, state.forest, state.classes.map((c) => c.id),
        this.alike(state).map((one) => [one.hash, ids(state.strokesElsewhere.get(one.hash) ?? [])]).filter((one) => one[1].length),
        state.opened && [state.opened.hash, state.opened.strokes && state.images.map((one) => one.hash)],
      ]);
      if (learning !== this.learning) {
        this.learning = learning;
        this.wanted = true;
        this.settled = false;
        this.learnt = "";
        if (this.view.live && this.pixels) squiggle.showStatus("Learning from the strokes…", 0);
        this.sayIfOutdated();
      }
      squiggle.enableDownloads(this.downloadable(), state);
      this.picture.setClasses(state.classes, state.hidden);
      this.picture.setStrokes(state.strokes);
      this.drawing.choose({ tool: this.view.tool, classId: this.view.classId, width: this.view.width });
      this.showClasses();
      this.strip.update(state);
      if (this.view.several !== state.images.length > 1) this.chooseView({ several: state.images.length > 1 });
      squiggle.showOpened(state, this.learnt);
      squiggle.showHistory(state);
      squiggle.showSettings(state);
    }

    /** The images from whose strokes the classifier learns. */
    alike({ image, images }) {
      return images.filter((one) => one.channels === image.channels);
    }

    /** Give the session a name. */
    nameIt(name) {
      if (name !== this.state.name) this.append({ type: "session.rename", name });
    }

    /* ---- images -------------------------------------------------------------------------------------------- */

    /** Take an image of the session in hand, in this window. */
    takeImage(hash) {
      if (hash === this.state.image.hash) return;
      this.chooseView({ image: hash });
      this.conversation.changed();
      this.conversation.speak();
    }

    /** Take the next or previous image in hand. */
    step(by) {
      const { image, images } = this.state;
      const next = images[images.indexOf(image) + by];
      if (next) this.takeImage(next.hash);
    }

    /** Let an image that the server has belong to the session; the untouched sample leaves for it. */
    addImage(image, takeInHand) {
      const { journal } = this.conversation;
      const { images, strokes } = this.state;
      const sample = images.length === 1 && !strokes.length && images[0].hash === journal[0]?.image.hash;
      if (takeInHand) this.chooseView({ image: image.hash });
      this.append({ type: "image.open", image, ...(sample ? { instead: images[0].hash } : {}) });
    }

    async removeImage(hash) {
      const { image, images, strokes, strokesElsewhere } = this.state;
      const index = images.findIndex((one) => one.hash === hash);
      if (index < 0 || images.length < 2) return;
      const drawn = (hash === image.hash ? strokes : strokesElsewhere.get(hash)).length;
      const along = drawn === 1 ? "Its stroke goes" : `Its ${drawn} strokes go`;
      const question = `Remove “${images[index].name}” from this session? ${along} along. Undo brings all back.`;
      if (drawn && !(await squiggle.ask(question, "Remove"))) return;
      if (hash === this.state.image.hash) this.chooseView({ image: (images[index + 1] ?? images[index - 1]).hash });
      this.append({ type: "image.remove", image: hash });
    }

    /* ---- drawing ------------------------------------------------------------------------------------------- */

    /** Without live update: what is on screen is not what the strokes and settings would give now. */
    sayIfOutdated() {
      const outdated = !this.view.live && this.wanted && this.downloadable().result;
      byId("classes").classList.toggle("stale", outdated);
      if (outdated) squiggle.showStatus("Not segmented since the last change: press Enter, or “Segment now”.", null);
    }

    drew(stroke, hash) {
      const { images, hidden } = this.state;
      /* The sample, left untouched until now, comes back with a stroke. */
      const image = [...images, this.conversation.journal[0].image].find((one) => one.hash === hash);
      if (!image) {
        squiggle.showMessage("That image was removed in another window, and what you drew with it.");
        return;
      }
      const numbers = stroke.path?.match(/-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/gi)?.map(Number)
        ?? [stroke.x0, stroke.y0, stroke.x1, stroke.y1];
      const reach = (stroke.width ?? 0) / 2;
      const along = (axis, length) => {
        const values = numbers.filter((_, index) => index % 2 === axis);
        return Math.max(...values) + reach >= -0.5 && Math.min(...values) - reach <= length - 0.5;
      };
      if (!along(0, image.columns) || !along(1, image.rows)) {
        squiggle.showMessage("That stroke lies beside the image: draw on it.");
        return;
      }
      if (hidden.has(stroke.class_id)) {
        this.append({ type: "class.hide", class_id: stroke.class_id, hidden: false });
      }
      this.append({ type: "stroke.add", image: image.hash, stroke });
    }

    showClasses() {
      this.classes.update(this.state, this.view.classId, this.labelled, this.pixels);
    }

    downloadable() {
      const { image, opened, strokes, strokesElsewhere } = this.state;
      const taught = [...strokes, ...this.alike(this.state).flatMap((one) => strokesElsewhere.get(one.hash) ?? [])];
      const ready = opened !== null && [null, image.channels].includes(opened.channels);
      const enough = new Set(taught.map((stroke) => stroke.class_id)).size > 1;
      const elsewhere = [...strokesElsewhere.values()].some((drawn) => drawn.length);
      return { here: strokes.length > 0, anywhere: strokes.length > 0 || elsewhere, result: enough || ready };
    }

    /* ---- the segmentation -------------------------------------------------------------------------------- */

    wish() {
      if (!this.wanted || !this.imageHash || document.hidden || !(this.view.live || this.once)) return null;
      /* Another window may have removed the image; the stroke that is being drawn on it still keeps it in hand. */
      if (this.state.image.hash !== this.imageHash) return null;
      this.wishes += 1;
      const known = Object.fromEntries([...this.picture.tiles].filter(([, tile]) => !tile.drafted).map(([index, tile]) => [index, tile.crc]));
      this.started = performance.now();
      return { image: this.imageHash, view: this.viewport.visible, known };
    }

    async heard(message) {
      switch (message.kind) {
        case "labelled":
          this.labelled = message.pixels;
          this.showClasses();
          break;
        case "status":
          squiggle.showStatus(`${message.text}…`, 0);
          break;
        case "learnt":
          this.learnt = message.text;
          squiggle.showOpened(this.state, this.learnt);
          break;
        case "draft": {
          squiggle.showStatus("Segmenting: a draft so far", 0);
          const { wishes, imageHash } = this;
          const current = () => wishes === this.wishes && imageHash === this.imageHash;
          const ids = await squiggle.inflate(message.ids);
          if (current()) await this.picture.setDraft(message, ids, current);
          break;
        }
        case "tile":
          squiggle.showStatus(`Segmenting: part ${message.done} of ${message.of}`, message.done / message.of);
          if (message.ids) {
            const { wishes, imageHash } = this;
            const ids = await squiggle.inflate(message.ids);
            if (wishes === this.wishes && imageHash === this.imageHash) this.picture.setTile(message.index, { ...message, ids });
          }
          break;
        case "done": {
          this.wanted = false;
          this.once = false;
          this.settled = true;
          this.pixels = message.pixels;
          this.picture.draw();
          byId("classes").classList.remove("stale");
          this.showClasses();
          squiggle.showStatus(
            `Segmented in ${((performance.now() - this.started) / 1000).toFixed(2)} s. Draw where it is wrong.`, 1,
          );
          break;
        }
        case "cannot":
          this.wanted = false;
          this.once = false;
          this.pixels = null;
          this.picture.clearTiles();
          this.showClasses();
          squiggle.showStatus(message.reason, null);
          break;
        case "failed":
          this.wanted = false;
          squiggle.showMessage(message.reason);
          squiggle.showStatus("The segmentation failed.", null);
          break;
        case "away":
          squiggle.showStatus(message.reason, 0);
          break;
        case "full":
          squiggle.showMessage(message.reason, { label: "Understood", run: squiggle.hideMessage });
          break;
        case "room":
          this.wanted = true;
          squiggle.hideMessage();
          break;
        case "refused":
          squiggle.refused(message);
          break;
        case "gone":
          squiggle.showGone(message.reason);
          break;
        default:
      }
    }

    segmentNow() {
      this.wanted = true;
      this.once = true;
      this.conversation.speak();
    }

    /* ---- what the person does ---------------------------------------------------------------------------- */

    chooseView(change) {
      const before = { ...this.view };
      Object.assign(this.view, change);
      const [low, high] = WIDTH_LIMITS;
      this.view.width = Math.min(Math.max(this.view.width, low), high);
      Object.assign(this.picture, {
        opacity: this.view.opacity / 100, shown: this.view.shown, strokesShown: this.view.strokes,
      });
      this.picture.draw();
      this.drawing.choose({ tool: this.view.tool, classId: this.view.classId, width: this.view.width });
      squiggle.showView(this.view);
      try {
        for (const storage of [sessionStorage, localStorage]) storage.setItem(this.viewKey, JSON.stringify(this.view));
      } catch {
        /* A full or forbidden local storage: the choices last as long as the page. */
      }
      if (this.view.live && !before.live) this.conversation.speak();
      if (this.conversation.journal.length) this.sayIfOutdated();
    }

    /* As this window had it, also where another one shows another image. */
    restoreView() {
      try {
        return JSON.parse(sessionStorage.getItem(this.viewKey) ?? localStorage.getItem(this.viewKey)) ?? {};
      } catch {
        return {};
      }
    }

    take(classId) {
      const tool = ["erase", "pan"].includes(this.view.tool) ? "squiggle" : this.view.tool;
      this.chooseView({ classId, tool });
      this.showClasses();
    }

    setWidth(width) {
      this.chooseView({ width });
      dash_clientside.set_props("stroke-width", { value: this.view.width });
    }

    toggle(name) {
      this.chooseView({ [name]: !this.view[name] });
      dash_clientside.set_props("switches", {
        value: ["live", "shown", "strokes"].filter((one) => this.view[one]),
      });
    }

    undo() {
      const { undo } = this.state;
      const removed = this.conversation.journal.find((event) => event.id === undo && event.type === "image.remove");
      if (removed) this.chooseView({ image: removed.image });
      if (undo) this.append({ type: "undo", event: undo });
    }

    redo() {
      if (this.state.redo) this.append({ type: "redo", event: this.state.redo });
    }

    clear() {
      const strokes = this.state.strokes.map((stroke) => stroke.id);
      if (strokes.length) this.append({ type: "stroke.erase", image: this.state.image.hash, strokes });
    }

    addClass() {
      const { classes, lastClassId } = this.state;
      if (classes.length >= 20) return squiggle.showMessage("There can be at most 20 classes.");
      const used = new Set(classes.map((c) => c.colour));
      const colour = squiggle.palette.find((one) => !used.has(one)) ?? "#888888";
      const id = lastClassId + 1;
      if (id > 255) return squiggle.showMessage("This session has used up its 255 classes: start a new one.");
      this.append({ type: "class.add", class: { id, name: `Class ${id}`, colour } });
      this.take(id);
      const name = this.classes.rows.get(id)?.name;
      name?.focus();
      name?.select();
      return undefined;
    }

    rename(classId, name) {
      const old = this.state.classes.find((c) => c.id === classId);
      if (name && old && name !== old.name) this.append({ type: "class.change", class_id: classId, name });
      else this.showClasses();
    }

    async removeClass(classId) {
      const labelClass = this.state.classes.find((c) => c.id === classId);
      const all = [this.state.strokes, ...this.state.strokesElsewhere.values()].flat();
      const strokes = all.filter((stroke) => stroke.class_id === classId).length;
      const along = strokes ? ` Its ${strokes === 1 ? "stroke goes" : `${strokes} strokes go`} along.` : "";
      const question = `Remove the class “${labelClass.name}”?${along} Undo brings all back.`;
      if (await squiggle.ask(question, "Remove")) this.append({ type: "class.remove", class_id: classId });
    }

    chooseFeatures(features) {
      /* The page has no control for single channels: those of an opened classifier stay. */
      const chosen = { ...features, channels: this.state.features.channels };
      if (this.state.image && !sameValues(chosen, this.state.features)) {
        this.append({ type: "settings.change", features: chosen });
      }
    }

    chooseForest(forest) {
      if (this.state.image && !sameValues(forest, this.state.forest)) this.append({ type: "settings.change", forest });
    }

    showPanning(active) {
      if (!active) this.drawing.pinchEnded();
      byId("stage").classList.toggle("moving", active);
    }
  }

  squiggle.Session = Session;
})();
