/* The keyboard; segmentation/web/pages/layout/help.py lists the same keys for people. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const TOOLS = { d: "squiggle", c: "closed", r: "rectangle", o: "circle", e: "erase", h: "pan" };

  const typing = (target) => {
    if (target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT") return true;
    return target.tagName === "INPUT" && !["range", "checkbox", "radio", "color", "button"].includes(target.type);
  };

  const widthStep = (width) => (width < 10 ? 1 : width < 30 ? 2 : 5);

  const withControl = (event, session) => {
    const key = event.key.toLowerCase();
    if (key === "z") (event.shiftKey ? session.redo() : session.undo());
    else if (key === "y") session.redo();
    else return;
    event.preventDefault();
  };

  const plain = (event, session) => {
    const key = event.key.toLowerCase();
    const { view, viewport } = session;
    if (/^[1-9]$/.test(key)) {
      const labelClass = session.state.classes[Number(key) - 1];
      if (labelClass) session.take(labelClass.id);
    } else if (key in TOOLS) session.chooseView({ tool: TOOLS[key] });
    else if (key === "[") session.setWidth(view.width - widthStep(view.width - 1));
    else if (key === "]") session.setWidth(view.width + widthStep(view.width));
    else if (key === "s") session.toggle("shown");
    else if (key === "l") session.toggle("live");
    else if (key === "+" || key === "=") viewport.zoom(1.25);
    else if (key === "-") viewport.zoom(0.8);
    else if (key === "0") viewport.fit();
    else if (key === "," || key === "pageup") session.step(-1);
    else if (key === "." || key === "pagedown") session.step(1);
    else if (key === "?") squiggle.toggleHelp();
    else if (key === "enter" && !view.live && !event.target.closest("button, a")) session.segmentNow();
    else return;
    event.preventDefault();
  };

  const hold = (session, held) => {
    session.viewport.spaceHeld = held;
    session.viewport.stage.classList.toggle("ready-to-move", held);
  };

  squiggle.setUpKeyboard = (session) => {
    document.addEventListener("keydown", (event) => {
      if (typing(event.target) || event.altKey) return;
      if (document.querySelector("dialog[open]")) {
        if (event.key === "?") squiggle.toggleHelp();
        return;
      }
      if (event.ctrlKey || event.metaKey) withControl(event, session);
      else if (event.key === " ") {
        if (event.target.closest("button, [role=radio], input")) return;
        event.preventDefault();
        hold(session, true);
      } else plain(event, session);
    });
    document.addEventListener("keyup", (event) => { if (event.key === " ") hold(session, false); });
    window.addEventListener("blur", () => hold(session, false));
  };
})();
