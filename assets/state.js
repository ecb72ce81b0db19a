/* What the events of a session add up to; the server folds the same events in segmentation/web/session/events.py. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const UNDOABLE = new Set([
    "image.remove", "stroke.add", "stroke.erase", "class.add", "class.change", "class.remove",
    "classifier.open", "classifier.close",
  ]);

  function undoneEvents(events) {
    const undone = new Set();
    for (const event of events) {
      if (event.type === "undo") undone.add(event.event);
      else if (event.type === "redo") undone.delete(event.event);
    }
    return undone;
  }

  function addClass(folding, values) {
    folding.classes.set(values.id, { id: values.id, name: values.name, colour: values.colour });
    folding.lastClassId = Math.max(folding.lastClassId, values.id);
  }

  function strokesOf(folding, image) {
    if (!folding.strokes.has(image)) folding.strokes.set(image, new Map());
    return folding.strokes.get(image);
  }

  function takeImage(folding, image) {
    if (!folding.images.has(image.hash)) folding.images.set(image.hash, image);
    folding.image = folding.images.get(image.hash);
    folding.replaced.delete(image.hash);
  }

  /* The sample leaves for an image of one's own, unless something is drawn on it. */
  function dropReplaced(folding) {
    for (const hash of [...folding.images.keys()].filter((one) => folding.replaced.has(one))) {
      if (folding.images.size > 1 && !folding.strokes.get(hash)?.size) folding.images.delete(hash);
    }
    if (folding.image && !folding.images.has(folding.image.hash)) folding.image = [...folding.images.values()].at(-1);
  }

  const APPLY = {
    "session.start": (folding, event) => {
      takeImage(folding, event.image);
      event.classes.forEach((values) => addClass(folding, values));
    },
    "session.rename": (folding, { name }) => { folding.name = name; },
    "image.open": (folding, { image, instead = image.hash }) => {
      takeImage(folding, image);
      if (instead !== image.hash) folding.replaced.add(instead);
    },
    "image.remove": (folding, { image }) => {
      if (folding.images.size < 2 || !folding.images.delete(image)) return;
      folding.strokes.delete(image);
      if (folding.image.hash === image) folding.image = [...folding.images.values()].at(-1);
    },
    "stroke.add": (folding, event) => strokesOf(folding, event.image).set(event.stroke.id, event.stroke),
    "stroke.erase": (folding, event) => event.strokes.forEach((id) => strokesOf(folding, event.image).delete(id)),
    "class.add": (folding, event) => addClass(folding, event.class),
    "class.change": (folding, event) => {
      const old = folding.classes.get(event.class_id);
      if (old) addClass(folding, { ...old, name: event.name ?? old.name, colour: event.colour ?? old.colour });
    },
    "class.remove": (folding, event) => folding.classes.delete(event.class_id),
    "class.hide": (folding, event) => folding.hidden[event.hidden ? "add" : "delete"](event.class_id),
    "settings.change": (folding, event) => {
      if (event.features) folding.features = event.features;
      if (event.forest) folding.forest = event.forest;
    },
    "classifier.open": (folding, event) => {
      folding.classes.clear();
      folding.hidden.clear();
      folding.strokes.clear();
      event.classes.forEach((values) => addClass(folding, values));
      for (const [image, strokes] of Object.entries(event.strokes)) {
        for (const stroke of strokes) strokesOf(folding, image).set(stroke.id, stroke);
      }
      folding.features = event.features;
      folding.forest = event.forest;
      folding.opened = event.classifier;
    },
    "classifier.close": (folding) => { folding.opened = null; },
  };

  /* The events that Ctrl+Z and Ctrl+Shift+Z would act on: only what concerns the image in hand. */
  function undoTargets(events, image) {
    let undo = [];
    let redo = [];
    const byId = new Map(events.map((event) => [event.id, event]));
    for (const event of events) {
      if (UNDOABLE.has(event.type)) {
        undo.push(event.id);
        redo = [];
      } else if (event.type === "undo" && undo.includes(event.event)) {
        undo = undo.filter((id) => id !== event.event);
        redo.push(event.event);
      } else if (event.type === "redo" && redo.includes(event.event)) {
        redo = redo.filter((id) => id !== event.event);
        undo.push(event.event);
      }
    }
    const concerns = (id) => {
      const event = byId.get(id);
      return event.type === "image.remove" || [undefined, image].includes(event.image);
    };
    return { undo: undo.findLast(concerns) ?? null, redo: redo.findLast(concerns) ?? null };
  }

  /**
   * Fold events, in the journal's order, into a state.
   * @param {object[]} events
   * @param {?string} inHand hash of the image that this window has in hand; else it is the one opened last
   * @returns {{name, image, images, classes, hidden, strokes, strokesElsewhere, features, forest, opened, undo, redo, lastClassId}}
   */
  squiggle.fold = (events, inHand = null) => {
    const undone = undoneEvents(events);
    const folding = {
      name: "", image: null, images: new Map(), classes: new Map(), hidden: new Set(), strokes: new Map(),
      replaced: new Set(), features: squiggle.facts.features, forest: squiggle.facts.forest, opened: null, lastClassId: 0,
    };
    for (const event of events) {
      if (event.type === "class.add") folding.lastClassId = Math.max(folding.lastClassId, event.class.id);
      if (!undone.has(event.id) || !UNDOABLE.has(event.type)) APPLY[event.type]?.(folding, event);
    }
    dropReplaced(folding);
    const classes = [...folding.classes.values()].sort((a, b) => a.id - b.id);
    const image = folding.images.get(inHand) ?? folding.image;
    const strokesOn = ({ hash }) => (
      [...strokesOf(folding, hash).values()].filter((stroke) => folding.classes.has(stroke.class_id))
    );
    const images = [...folding.images.values()];
    return {
      name: folding.name,
      image,
      images,
      classes,
      hidden: new Set(classes.filter((c) => folding.hidden.has(c.id)).map((c) => c.id)),
      strokes: image ? strokesOn(image) : [],
      /* On the other images, by hash: the classifier learns from them too. */
      strokesElsewhere: new Map(
        images.filter((one) => one !== image).map((one) => [one.hash, strokesOn(one)]),
      ),
      features: folding.features,
      forest: folding.forest,
      opened: folding.opened,
      lastClassId: folding.lastClassId,
      ...undoTargets(events, image?.hash),
    };
  };

  squiggle.newId = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
  };
})();
