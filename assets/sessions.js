/* The start page: the sessions that this browser knows, as the server lists them. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const ICONS = {
    rename: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
    duplicate: "M9 9h11v11H9zM5 15V4h11",
    export: "M12 4v11M8 11l4 4 4-4M5 20h14",
    delete: "M5 7h14M10 4h4M7 7l1 13h8l1-13M10.5 10.5v6M13.5 10.5v6",
  };

  const byId = (id) => document.getElementById(id);
  const counted = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
  const titleOf = (session) => session.name || "Untitled session";

  const when = (seconds) => {
    const used = new Date(1000 * seconds);
    const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(used).setHours(0, 0, 0, 0)) / 86400000);
    const time = used.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    if (days <= 0) return `today, ${time}`;
    if (days === 1) return `yesterday, ${time}`;
    return used.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  };

  const showProgress = (text) => { byId("start-progress").textContent = text; };

  const show = (sessions) => {
    byId("sessions").replaceChildren(...sessions.map(row));
    byId("no-sessions").hidden = sessions.length > 0;
  };

  const refresh = async () => {
    const sessions = await squiggle.request("sessions/list");
    if (sessions) show(sessions);
  };

  const rename = (session, title) => {
    const field = squiggle.element("input", {
      type: "text", class: "session-field", maxLength: 100, "aria-label": "Name of the session", value: session.name,
      onkeydown: (event) => {
        if (event.key === "Escape") field.value = session.name;
        if (event.key === "Enter" || event.key === "Escape") field.blur();
      },
      onblur: async () => {
        const name = field.value.trim();
        field.replaceWith(title);
        if (name === session.name) return;
        const body = JSON.stringify({ name });
        const headers = { "Content-Type": "application/json" };
        if (await squiggle.request(`s/${session.id}/name`, { method: "PUT", body, headers })) await refresh();
      },
    });
    title.replaceWith(field);
    field.select();
  };

  const duplicate = async (session) => {
    if (await squiggle.request(`s/${session.id}/duplicate`, { method: "POST" })) await refresh();
  };

  const remove = async (session) => {
    const what = `Delete “${titleOf(session)}”? Its ${counted(session.images, "image")}, all strokes and classifiers go, `
      + "for everybody who has its link. This cannot be undone; an exported file can be imported again.";
    if (!(await squiggle.ask(what, "Delete"))) return;
    if (await squiggle.request(`s/${session.id}`, { method: "DELETE" })) await refresh();
  };

  const row = (session) => {
    const { element } = squiggle;
    const title = element("span", { class: "session-name" }, titleOf(session));
    const facts = [counted(session.images, "image"), `${counted(session.strokes, "stroke")} drawn`, `used ${when(session.used)}`];
    const picture = session.thumbnail
      ? element("img", { src: `${squiggle.base}s/${session.id}/images/${session.thumbnail}/thumbnail`, alt: "", loading: "lazy" })
      : element("span", { class: "no-picture" });
    const link = element(
      "a", { href: `${squiggle.base}s/${session.id}`, "aria-label": `Open ${titleOf(session)}` }, picture,
    );
    const action = (name, label, run) => {
      const button = element("button", {
        type: "button", class: "tool", title: label, "aria-label": `${label}: ${titleOf(session)}`, onclick: run,
      });
      button.append(squiggle.icon(ICONS[name]));
      return button;
    };
    return element(
      "li", { class: "session", "data-id": session.id }, link,
      element(
        "div", { class: "session-facts" },
        element("a", { href: `${squiggle.base}s/${session.id}`, tabIndex: -1 }, title),
        element("p", { class: "note" }, facts.join(" · ")),
      ),
      element(
        "div", { class: "session-actions" },
        action("rename", "Rename", () => rename(session, title)),
        action("duplicate", "Duplicate", () => duplicate(session)),
        action("export", "Export as a file", () => squiggle.exportSession(session.id)),
        action("delete", "Delete", () => remove(session)),
      ),
    );
  };

  const setUpImport = (suffix) => {
    const picker = squiggle.element("input", { type: "file", accept: suffix, hidden: true, "aria-label": "Session file" });
    const take = (file) => { if (file) squiggle.importSession(file, showProgress); };
    picker.addEventListener("change", () => {
      const [file] = picker.files;
      picker.value = "";
      take(file);
    });
    document.body.append(picker);
    byId("import-session").addEventListener("click", () => picker.click());
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      take(event.dataTransfer.files[0]);
    });
  };

  const begin = () => {
    if (!document.body.classList.contains("start")) return;
    const { base, sessions, suffix } = document.body.dataset;
    squiggle.base = base;
    squiggle.dressShell();
    byId("new-session").addEventListener("click", squiggle.newSession);
    setUpImport(suffix);
    show(JSON.parse(sessions));
    /* Back from a session: the list is not what it was. */
    window.addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
