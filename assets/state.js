/* What the events of a session add up to; the server folds the same events in segmentation/web/journal.py. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const UNDOABLE = new Set(["stroke.add", "stroke.erase", "class.add", "class.change", "class.remove"]);

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

  const APPLY = {
    "session.start": (folding, event) => {
      folding.image = event.image;
      event.classes.forEach((values) => addClass(folding, values));
    },
    "image.open": (folding, event) => { folding.image = event.image; },
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
    const concerns = (id) => [undefined, image].includes(byId.get(id).image);
    return { undo: undo.findLast(concerns) ?? null, redo: redo.findLast(concerns) ?? null };
  }

  /**
   * Fold events, in the journal's order, into a state.
   * @returns {{image, classes, hidden, strokes, features, forest, undo, redo, lastClassId}}
   */
  squiggle.fold = (events) => {
    const undone = undoneEvents(events);
    const folding = {
      image: null, classes: new Map(), hidden: new Set(), strokes: new Map(),
      features: squiggle.facts.features, forest: squiggle.facts.forest, lastClassId: 0,
    };
    for (const event of events) {
      if (event.type === "class.add") folding.lastClassId = Math.max(folding.lastClassId, event.class.id);
      if (!undone.has(event.id)) APPLY[event.type]?.(folding, event);
    }
    const classes = [...folding.classes.values()].sort((a, b) => a.id - b.id);
    const drawn = folding.image ? [...strokesOf(folding, folding.image.hash).values()] : [];
    return {
      image: folding.image,
      classes,
      hidden: new Set(classes.filter((c) => folding.hidden.has(c.id)).map((c) => c.id)),
      strokes: drawn.filter((stroke) => folding.classes.has(stroke.class_id)),
      features: folding.features,
      forest: folding.forest,
      lastClassId: folding.lastClassId,
      ...undoTargets(events, folding.image?.hash),
    };
  };

  squiggle.newId = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
  };
})();
