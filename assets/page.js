/* What is around the image: status, connection, facts, settings, tabs and help. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const OFFLINE_AFTER_MS = 600;

  const byId = (id) => document.getElementById(id);
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);

  const say = (text, done = null) => {
    byId("status").textContent = text;
    const progress = byId("progress");
    progress.style.setProperty("--done", done ?? 0);
    progress.classList.toggle("busy", done !== null && done < 1);
  };

  let waitedFor = 0;

  /** Say what is going on; done is the share that is finished, null where nothing is under way. */
  squiggle.showStatus = (text, done = null) => {
    if (!waitedFor) say(text, done);
  };

  /** Do what a person waits for: until it is done, the status is what the work itself says. */
  squiggle.waitFor = async (work) => {
    waitedFor += 1;
    try {
      await work(say);
    } finally {
      waitedFor -= 1;
    }
  };

  let offlineTimer = null;

  squiggle.showConnection = (ok, waiting, kept, full = false) => {
    clearTimeout(offlineTimer);
    offlineTimer = null;
    const connection = byId("connection");
    const tell = (text, state) => {
      connection.textContent = text;
      connection.dataset.state = state;
    };
    if (ok) {
      tell(waiting ? "Saving…" : "All saved", "ok");
      return;
    }
    const changes = `${waiting} ${waiting === 1 ? "change is" : "changes are"}`;
    const until = full ? "until there is room" : "until then";
    const where = kept ? `kept here ${until}.` : "only in this window: leave it open, this browser cannot store them.";
    const sign = `${full ? "Not saved." : "Reconnecting…"}${waiting ? ` ${changes} ${where}` : ""}`;
    offlineTimer = setTimeout(() => tell(sign, "offline"), full ? 0 : OFFLINE_AFTER_MS);
  };

  squiggle.refused = (message) => squiggle.showMessage(message.reason);

  squiggle.showGone = (reason) => {
    squiggle.showStatus(reason, null);
    squiggle.showMessage(reason, { label: "New session", run: squiggle.newSession });
  };

  const touch = window.matchMedia("(pointer: coarse)");

  squiggle.showImage = (image) => {
    const channels = { 1: "grey", 2: "2 channels", 3: "RGB" }[image.channels] ?? `${image.channels} channels`;
    byId("image-name").textContent = image.name;
    byId("image-name").title = image.name;
    byId("image-facts").textContent = `${image.columns} × ${image.rows}, ${channels}, ${image.dtype}`;
  };

  /** Show the session's name in its field, unless it is being typed, and as the title of the window. */
  squiggle.showName = ({ name, image }) => {
    const field = byId("session-name");
    field.dataset.kept = name;
    if (document.activeElement !== field) field.value = name;
    document.title = `${name || image.name} · Squiggle`;
  };

  squiggle.showHistory = (state) => {
    byId("undo").disabled = !state.undo;
    byId("redo").disabled = !state.redo;
    byId("clear").disabled = !state.strokes.length;
    byId("hint").hidden = state.strokes.length > 0 || state.opened !== null
      || [...state.strokesElsewhere.values()].some((strokes) => strokes.length);
    const [first, second] = state.classes;
    if (first) {
      byId("hint").textContent = second
        ? `Draw a squiggle on “${first.name}”, then take “${second.name}” in hand${touch.matches ? "" : " (key 2)"} and draw one there.`
        : "Add a second class, then draw a squiggle in each.";
    }
  };

  squiggle.showView = (view) => {
    for (const button of document.querySelectorAll("#toolbar [data-tool]")) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === view.tool));
    }
    byId("opacity-value").textContent = `${view.opacity} %`;
    byId("stroke-width-value").textContent = `${view.width} px`;
    byId("segment-now").hidden = view.live;
  };

  let shownSettings = null;

  squiggle.showSettings = ({ features, forest }) => {
    const settings = JSON.stringify([features, forest]);
    if (settings === shownSettings) return;
    shownSettings = settings;
    setProps("feature-kinds", { value: ["intensity", "edges", "texture"].filter((kind) => features[kind]) });
    setProps("sigma-min", { value: features.sigma_min });
    setProps("sigma-max", { value: features.sigma_max });
    setProps("num-sigma", { value: features.num_sigma });
    setProps("forest-kind", { value: forest.kind });
    setProps("forest-trees", { value: forest.n_estimators });
    setProps("forest-depth", { value: forest.max_depth });
    setProps("forest-share", { value: Math.round(forest.max_samples * 1e6) / 1e4 });
    setProps("forest-seed", { value: forest.random_state });
  };

  /* ---- dialogs and tabs ---------------------------------------------------------------------------------- */

  squiggle.toggleHelp = () => {
    const help = byId("help");
    if (help.open) help.close();
    else help.showModal();
  };

  squiggle.chooseTab = (name) => {
    byId("panel").dataset.tab = name;
    for (const tab of document.querySelectorAll("#tabs [data-tab]")) {
      const chosen = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      byId(`panel-${tab.dataset.tab}`).classList.toggle("chosen", chosen);
    }
    squiggle.series?.shown(name === "series");
  };

  const turnTabs = (event) => {
    const tabs = [...document.querySelectorAll("#tabs [data-tab]")].filter((tab) => tab.offsetParent);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    squiggle.chooseTab(next.dataset.tab);
    next.focus();
  };

  squiggle.dressPage = () => {
    squiggle.dressShell();
    const narrow = window.matchMedia("(max-width: 820px)");
    const fallBack = () => squiggle.chooseTab(narrow.matches ? "classes" : "features");
    narrow.addEventListener("change", fallBack);
    fallBack();
    for (const tab of document.querySelectorAll("#tabs [data-tab]")) {
      tab.addEventListener("click", () => squiggle.chooseTab(tab.dataset.tab));
    }
    byId("tabs").addEventListener("keydown", turnTabs);
    byId("open-help").addEventListener("click", squiggle.toggleHelp);
    byId("close-help").addEventListener("click", () => byId("help").close());
    byId("help").addEventListener("click", (event) => { if (event.target === byId("help")) byId("help").close(); });
  };
})();
