/* Starts the session that the page's link names, once Dash has laid the page out and Plotly has drawn the graph. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const LATER_MS = 400;

  const byId = (id) => document.getElementById(id);
  const waiting = [];

  /** The Plotly graph, once it is drawn. */
  squiggle.graph = () => {
    const graph = document.querySelector("#graph .js-plotly-plot");
    return graph?._fullLayout?.xaxis ? graph : null;
  };

  /* Changing the graph's layout would break a stroke that is being drawn off: changes wait for its end. */
  let changesToCome = {};
  let pressed = false;
  let laterTimer = null;
  const afterStroke = new Map();

  const relayoutNow = () => {
    clearTimeout(laterTimer);
    const graph = squiggle.graph();
    if (pressed || !graph || !Object.keys(changesToCome).length) return;
    const changes = changesToCome;
    changesToCome = {};
    window.Plotly.relayout(graph, changes);
  };

  squiggle.relayout = (changes) => {
    Object.assign(changesToCome, changes);
    relayoutNow();
  };

  /** Change what nobody sees: when the answer to the last stroke is there, but before the next one begins. */
  squiggle.relayoutLater = (changes) => {
    Object.assign(changesToCome, changes);
    clearTimeout(laterTimer);
    laterTimer = setTimeout(relayoutNow, LATER_MS);
  };

  /** Do what would pull the image away from under the pen: at once, or when the stroke has ended; of a name only the last. */
  squiggle.betweenStrokes = (name, work) => {
    if (pressed) afterStroke.set(name, work);
    else work();
  };

  const press = () => {
    relayoutNow();
    pressed = true;
  };

  const release = () => {
    pressed = false;
    setTimeout(() => {
      relayoutNow();
      const works = [...afterStroke.values()];
      afterStroke.clear();
      works.forEach((work) => work());
    });
  };

  /** Run something as soon as the session is there. */
  squiggle.whenReady = (work) => {
    if (squiggle.session) work();
    else waiting.push(work);
  };

  const connectControls = (session) => {
    for (const button of document.querySelectorAll("#toolbar [data-tool]")) {
      button.addEventListener("click", () => session.chooseView({ tool: button.dataset.tool }));
    }
    const clicks = {
      "undo": () => session.undo(),
      "redo": () => session.redo(),
      "clear": () => session.clear(),
      "zoom-in": () => session.viewport.zoom(1.5),
      "zoom-out": () => session.viewport.zoom(1 / 1.5),
      "fit": () => session.viewport.fit(),
      "add-class": () => session.addClass(),
      "segment-now": () => session.segmentNow(),
      "open-classifier": () => squiggle.chooseClassifier(),
      "close-classifier": () => session.append({ type: "classifier.close" }),
      "add-images": () => byId("open-image").click(),
      "reset-settings": () => session.append({
        type: "settings.change", features: squiggle.facts.features, forest: squiggle.facts.forest,
      }),
    };
    for (const [id, run] of Object.entries(clicks)) {
      byId(id).addEventListener("click", (event) => {
        run();
        if (event.detail) event.currentTarget.blur();
      });
    }
    byId("stage").addEventListener("pointerdown", press);
    for (const type of ["pointerup", "pointercancel"]) window.addEventListener(type, release);
    byId("stage").addEventListener("pointermove", (event) => showPosition(session, event));
    byId("stage").addEventListener("pointerleave", () => { byId("position").textContent = ""; });
  };

  const showPosition = (session, event) => {
    const { image, classes } = session.state;
    if (!image) return;
    const [x, y] = session.viewport.toImage(event).map(Math.round);
    const inside = x >= 0 && y >= 0 && x < image.columns && y < image.rows;
    const found = inside && classes.find((c) => c.id === session.picture.classAt(x, y));
    byId("position").textContent = inside ? `x ${x}, y ${y}${found ? `: ${found.name}` : ""}` : "";
  };

  const boot = () => {
    if (!window.Plotly || !byId("page") || !squiggle.graph()) {
      setTimeout(boot, 20);
      return;
    }
    const config = JSON.parse(byId("_dash-config").textContent);
    squiggle.base = config.requests_pathname_prefix;
    squiggle.facts = JSON.parse(byId("page").dataset.facts);
    squiggle.palette = squiggle.facts.palette;
    squiggle.windowId = squiggle.newId();
    squiggle.dressPage();
    const id = window.location.pathname.slice(squiggle.base.length).match(/^s\/([\w-]+)\/?$/)?.[1];
    if (!id) {
      window.location.replace(squiggle.base);
      return;
    }
    squiggle.session = new squiggle.Session(id);
    squiggle.setUpFiles();
    squiggle.setUpDropping();
    squiggle.setUpClassifiers();
    squiggle.setUpTitle(squiggle.session);
    squiggle.series = new squiggle.Series(squiggle.session);
    squiggle.setUpKeyboard(squiggle.session);
    connectControls(squiggle.session);
    squiggle.session.start();
    waiting.splice(0).forEach((work) => work());
    document.documentElement.dataset.ready = "true";
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", boot);
  else boot();
})();
