/* The session in the head of the page: its name, and the menu of what can be done with it as a whole. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const byId = (id) => document.getElementById(id);

  const setUpName = (session) => {
    const { element } = squiggle;
    const field = element("input", {
      id: "session-name", type: "text", maxLength: 100, placeholder: "Untitled session", "aria-label": "Name of the session",
      title: "Name this session", spellcheck: "false", autocomplete: "off",
      onkeydown: (event) => {
        if (event.key === "Escape") field.value = field.dataset.kept ?? "";
        if (event.key === "Escape" || event.key === "Enter") field.blur();
        event.stopPropagation();
      },
      onchange: () => session.nameIt(field.value.trim()),
    });
    byId("session-title").append(field);
  };

  const setUpMenu = (entries) => {
    const [menu, button] = [byId("session-menu"), byId("session-menu-button")];
    const items = () => [...menu.querySelectorAll("[role=menuitem]")];
    menu.popover = "auto";
    button.popoverTargetElement = menu;
    menu.addEventListener("toggle", ({ newState }) => {
      button.setAttribute("aria-expanded", String(newState === "open"));
      if (newState === "open") items()[0].focus();
    });
    menu.addEventListener("beforetoggle", () => {
      const box = button.getBoundingClientRect();
      Object.assign(menu.style, { top: `${box.bottom + 4}px`, right: `${window.innerWidth - box.right}px` });
    });
    menu.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        const all = items();
        all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
        event.preventDefault();
      }
      event.stopPropagation();
    });
    for (const [id, run] of Object.entries(entries)) {
      byId(id).addEventListener("click", () => {
        menu.hidePopover();
        run();
      });
    }
  };

  const setUpLink = () => {
    const field = squiggle.element("input", { type: "text", readOnly: true, "aria-label": "Link", onfocus: () => field.select() });
    byId("link-field").append(field);
    const copy = byId("link-copy");
    copy.addEventListener("click", async () => {
      field.select();
      /* Browsers keep the clipboard from pages without TLS; the older way works there too. */
      const copied = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
      copy.textContent = copied || document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
    });
    byId("link-close").addEventListener("click", () => byId("link").close());
    return () => {
      field.value = window.location.href.split(/[?#]/)[0];
      copy.textContent = "Copy";
      byId("link").showModal();
      field.select();
    };
  };

  squiggle.setUpTitle = (session) => {
    setUpName(session);
    const everythingSent = (work) => async () => {
      await session.conversation.settled();
      work();
    };
    setUpMenu({
      "all-sessions": () => window.location.assign(`${squiggle.base}sessions`),
      "new-session": squiggle.newSession,
      "duplicate-session": everythingSent(async () => {
        const made = await squiggle.request(`s/${session.id}/duplicate`, { method: "POST" });
        if (made) squiggle.goTo(made.session);
      }),
      "export-session": everythingSent(() => squiggle.exportSession(session.id)),
      "copy-link": setUpLink(),
    });
  };
})();
