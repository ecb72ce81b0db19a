/* What every page of ours has: elements and icons, the theme, messages and questions. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const THEME_KEY = "squiggle:theme";
  const MESSAGE_MS = 12000;

  const byId = (id) => document.getElementById(id);

  /** An element with attributes, properties, listeners (onclick and so on) and children. */
  squiggle.element = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name in node && typeof value !== "string") node[name] = value;
      else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  };

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

  /* ---- messages and questions -------------------------------------------------------------------------------- */

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

  squiggle.dressShell = () => {
    for (const holder of document.querySelectorAll(".icon[data-path]")) {
      holder.replaceChildren(squiggle.icon(holder.dataset.path));
    }
    byId("theme").addEventListener("click", squiggle.switchTheme);
    byId("message").addEventListener("click", squiggle.hideMessage);
    byId("question-yes").addEventListener("click", () => byId("question").close("yes"));
    byId("question-no").addEventListener("click", () => byId("question").close("no"));
  };
})();
