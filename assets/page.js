/* The shell of the page: icons, theme, tabs, dialogs, and the places where the page says something. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const THEME_KEY = "squiggle:theme";
  const MESSAGE_MS = 12000;
  const OFFLINE_AFTER_MS = 600;

  const byId = (id) => document.getElementById(id);
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);

  squiggle.icon = (path) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.append(document.createElementNS(svg.namespaceURI, "path"));
    svg.firstChild.setAttribute("d", path);
    return svg;
  };

  /* ---- theme: as the system has it, until the person says otherwise ------------------------------------ */

  const systemDark = window.matchMedia("(prefers-color-scheme: dark)");

  const theme = () => {
    let chosen = null;
    try {
      chosen = localStorage.getItem(THEME_KEY);
    } catch {
      /* Without local storage the system decides. */
    }
    return chosen ?? (systemDark.matches ? "dark" : "light");
  };

  const showTheme = () => { document.documentElement.dataset.theme = theme(); };

  squiggle.switchTheme = () => {
    const next = theme() === "dark" ? "light" : "dark";
    try {
      if (next === (systemDark.matches ? "dark" : "light")) localStorage.removeItem(THEME_KEY);
      else localStorage.setItem(THEME_KEY, next);
    } catch {
      /* It cannot be remembered, but it can be shown. */
    }
    document.documentElement.dataset.theme = next;
  };

  showTheme();
  systemDark.addEventListener("change", showTheme);

  /* ---- what the page says -------------------------------------------------------------------------------- */

  let messageTimer = null;

  squiggle.showMessage = (text, action = null) => {
    const message = byId("message");
    message.replaceChildren(text);
    if (action) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = action.label;
      button.addEventListener("click", action.run);
      message.append(button);
    }
    message.classList.add("visible");
    clearTimeout(messageTimer);
    if (!action) messageTimer = setTimeout(squiggle.hideMessage, MESSAGE_MS);
  };

  squiggle.hideMessage = () => byId("message").classList.remove("visible");

  /** Say what is going on; done is the share that is finished, null where nothing is under way. */
  squiggle.showStatus = (text, done = null) => {
    byId("status").textContent = text;
    const progress = byId("progress");
    progress.style.setProperty("--done", done ?? 0);
    progress.classList.toggle("busy", done !== null && done < 1);
  };

  let offlineTimer = null;

  squiggle.showConnection = (ok, waiting, kept, full = false) => {
    clearTimeout(offlineTimer);
    offlineTimer = null;
    const connection = byId("connection");
    const say = (text, state) => {
      connection.textContent = text;
      connection.dataset.state = state;
    };
    if (ok) {
      say(waiting ? "Saving…" : "All saved", "ok");
      return;
    }
    const changes = `${waiting} ${waiting === 1 ? "change is" : "changes are"}`;
    const until = full ? "until there is room" : "until then";
    const where = kept ? `kept here ${until}.` : "only in this window: leave it open, this browser cannot store them.";
    const sign = `${full ? "Not saved." : "Reconnecting…"}${waiting ? ` ${changes} ${where}` : ""}`;
    offlineTimer = setTimeout(() => say(sign, "offline"), full ? 0 : OFFLINE_AFTER_MS);
  };

  squiggle.refused = (message) => squiggle.showMessage(message.reason);

  squiggle.showGone = (reason) => {
    squiggle.showStatus(reason, null);
    squiggle.showMessage(reason, { label: "New session", run: squiggle.newSession });
  };

  squiggle.newSession = async () => {
    try {
      const response = await fetch(`${squiggle.base}sessions`, { method: "POST" });
      const answer = await response.json();
      if (response.ok) window.location.assign(`${squiggle.base}s/${answer.session}`);
      else squiggle.showMessage(answer.error);
    } catch {
      squiggle.showMessage("The server does not answer. Try again in a moment; this session is safe.");
    }
  };

  const touch = window.matchMedia("(pointer: coarse)");

  squiggle.showImage = (image) => {
    const channels = { 1: "grey", 2: "2 channels", 3: "RGB" }[image.channels] ?? `${image.channels} channels`;
    byId("image-name").textContent = image.name;
    byId("image-name").title = image.name;
    byId("image-facts").textContent = `${image.columns} × ${image.rows}, ${channels}, ${image.dtype}`;
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

  /** Ask a question; resolves to whether the answer was yes. */
  squiggle.ask = (text, yes) => new Promise((resolve) => {
    const dialog = byId("question");
    byId("question-text").textContent = text;
    byId("question-yes").textContent = yes;
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
    byId("question-yes").focus();
  });

  squiggle.toggleHelp = () => {
    const help = byId("help");
    if (help.open) help.close();
    else help.showModal();
  };

  const chooseTab = (name) => {
    byId("panel").dataset.tab = name;
    for (const tab of document.querySelectorAll("#tabs [data-tab]")) {
      const chosen = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      byId(`panel-${tab.dataset.tab}`).classList.toggle("chosen", chosen);
    }
  };

  const turnTabs = (event) => {
    const tabs = [...document.querySelectorAll("#tabs [data-tab]")].filter((tab) => tab.offsetParent);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    chooseTab(next.dataset.tab);
    next.focus();
  };

  squiggle.dressPage = () => {
    for (const holder of document.querySelectorAll(".icon[data-path]")) {
      holder.replaceChildren(squiggle.icon(holder.dataset.path));
    }
    const narrow = window.matchMedia("(max-width: 820px)");
    const fallBack = () => chooseTab(narrow.matches ? "classes" : "features");
    narrow.addEventListener("change", fallBack);
    fallBack();
    for (const tab of document.querySelectorAll("#tabs [data-tab]")) {
      tab.addEventListener("click", () => chooseTab(tab.dataset.tab));
    }
    byId("tabs").addEventListener("keydown", turnTabs);
    byId("open-help").addEventListener("click", squiggle.toggleHelp);
    byId("close-help").addEventListener("click", () => byId("help").close());
    byId("help").addEventListener("click", (event) => { if (event.target === byId("help")) byId("help").close(); });
    byId("question-yes").addEventListener("click", () => byId("question").close("yes"));
    byId("question-no").addEventListener("click", () => byId("question").close("no"));
    byId("theme").addEventListener("click", squiggle.switchTheme);
    byId("message").addEventListener("click", squiggle.hideMessage);
  };
})();
