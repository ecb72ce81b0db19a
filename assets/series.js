/* A series: files are sent one after the other, the server works on them, and what comes out is shown as it comes. */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const LOOK_MS = 1500;
  const ATTEMPTS = 8;
  const NOT_READY = "Draw in two classes, or open a classifier, first.";

  const byId = (id) => document.getElementById(id);
  const element = (tag, { text = "", ...attributes } = {}) => squiggle.element(tag, attributes, text);
  const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  const counted = (count, thing) => `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;

  const duration = (seconds) => {
    if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
    const minutes = Math.round(seconds / 60);
    return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  };

  const button = (label, className, click) => {
    const made = element("button", { type: "button", class: `${className} small`, text: label });
    made.addEventListener("click", click);
    return made;
  };

  /** One series on the page: how far it is, its pictures, its shares, and what failed. */
  class Card {
    constructor(facts, panel) {
      this.id = facts.id;
      this.panel = panel;
      this.rows = new Map();
      this.head = element("b");
      this.text = element("span", { class: "note" });
      this.bar = element("progress", { max: 1, value: 0 });
      this.bar.setAttribute("aria-label", "Images that are done");
      this.stop = button("Cancel", "quiet", () => panel.run(this.id, this.running ? "stop" : "continue"));
      this.home = element("a", { class: "button small", text: "Take home (zip)" });
      this.home.setAttribute("download", "");
      this.home.href = `${panel.url}/${this.id}/results.zip`;
      this.remove = button("Delete", "quiet", () => panel.remove(this.id));
      this.strip = element("div", { class: "series-strip" });
      this.failed = element("ul", { class: "series-failed" });
      this.table = element("table", { class: "series-shares" });
      this.details = element("div", { class: "series-details" });
      this.details.append(this.strip, this.failed, this.table);
      this.root = element("article", { class: "series" });
      const actions = element("div", { class: "row" });
      actions.append(this.home, this.stop, this.remove);
      this.root.append(this.head, this.bar, this.text, actions, this.details);
    }

    update(facts) {
      const { images, done, failed, running, working, waiting, seconds_left: left } = facts;
      this.running = running;
      this.unfinished = waiting + working > 0;
      const begun = new Date(1000 * facts.created).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
      this.head.textContent = `${counted(images, "image")}, ${begun}`;
      this.bar.value = images ? (done + failed) / images : 0;
      const parts = [`${done} of ${images} segmented`];
      if (failed) parts.push(`${failed} failed`);
      if (this.unfinished && !running) parts.push("cancelled");
      else if (left) parts.push(`about ${duration(left)} left`);
      this.text.textContent = parts.join(", ");
      this.stop.hidden = !this.unfinished;
      this.stop.textContent = running ? "Cancel" : "Go on";
      this.home.hidden = !done;
      this.root.dataset.state = this.unfinished ? (running ? "running" : "cancelled") : "finished";
      if (facts.items) this.show(facts);
    }

    show({ items, classes }) {
      if (!this.table.tHead) {
        const head = this.table.createTHead().insertRow();
        head.append(element("th", { text: "Image" }));
        for (const { name, colour } of classes) {
          const cell = element("th", { text: name, title: name });
          cell.style.setProperty("--class-colour", colour);
          head.append(cell);
        }
        this.table.createTBody();
      }
      for (const item of items) {
        if (this.rows.has(item.number)) continue;
        if (item.state === "done") this.rows.set(item.number, this.addDone(item, classes));
        else if (item.state === "failed") this.rows.set(item.number, this.addFailed(item));
      }
      this.table.hidden = !this.table.tBodies[0].rows.length;
    }

    addDone(item, classes) {
      const url = `${this.panel.url}/${this.id}/pictures/${item.number}`;
      const picture = element("button", { type: "button", title: item.name });
      picture.setAttribute("aria-label", `Enlarge ${item.name}`);
      picture.append(element("img", { src: url, loading: "lazy", alt: "" }));
      picture.addEventListener("click", () => this.panel.enlarge(item.name, url));
      this.strip.append(picture);
      const row = this.table.tBodies[0].insertRow();
      row.append(element("th", { text: item.name, title: item.name, scope: "row" }));
      const all = Object.values(item.pixels).reduce((sum, pixels) => sum + pixels, 0);
      for (const { id } of classes) row.insertCell().textContent = `${((100 * (item.pixels[id] ?? 0)) / all).toFixed(2)} %`;
      return row;
    }

    addFailed(item) {
      const entry = element("li");
      entry.append(element("b", { text: item.name }), ` ${item.reason}`);
      this.failed.append(entry);
      return entry;
    }
  }

  class Series {
    constructor(session) {
      this.session = session;
      this.url = `${squiggle.base}s/${session.id}/series`;
      this.cards = new Map();
      this.isShown = false;
      this.files = this.picker({ accept: `${byId("page").dataset.accept},.zip` }, "Images of the series, or a zip");
      this.folder = this.picker({ webkitdirectory: true }, "Folder of the series");
      byId("series-images").addEventListener("click", () => this.files.click());
      byId("series-folder").addEventListener("click", () => this.folder.click());
      byId("series-stop-sending").addEventListener("click", () => { this.sending = false; });
      byId("close-enlarged").addEventListener("click", () => byId("enlarged").close());
      byId("enlarged").addEventListener("click", (event) => { if (event.target === byId("enlarged")) byId("enlarged").close(); });
      window.addEventListener("beforeunload", (event) => { if (this.sending) event.preventDefault(); });
    }

    picker(properties, label) {
      const picker = element("input", { type: "file", multiple: true, hidden: true, ...properties });
      picker.setAttribute("aria-label", label);
      picker.addEventListener("change", () => {
        const files = [...picker.files];
        picker.value = "";
        this.send(files.map((file) => ({ file, name: file.webkitRelativePath || file.name })));
      });
      byId("page").append(picker);
      return picker;
    }

    /** Whether there is a classifier to apply. */
    enable(ready) {
      this.ready = ready;
      const closed = !ready || Boolean(this.sending);
      byId("series-images").disabled = closed;
      byId("series-folder").disabled = closed;
      byId("series-choose").title = ready ? "" : NOT_READY;
    }

    shown(isShown) {
      this.isShown = isShown;
      if (isShown) this.look();
    }

    say(problem) { byId("series-problem").textContent = problem; }

    /* ---- there ------------------------------------------------------------------------------------------- */

    /** Send what was dropped, where that can be done. */
    drop(dropped) {
      if (!this.ready) this.say(NOT_READY);
      else if (this.sending) this.say("Files are being sent: drop more once they are there.");
      else this.send(dropped);
    }

    async send(chosen) {
      const files = chosen.filter(squiggle.isForSeries).sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
      this.say(files.length || !chosen.length ? "" : "There is no image among these files.");
      if (!files.length) return;
      this.sending = true;
      this.enable(this.ready);
      byId("series-sending").hidden = false;
      const refused = [];
      try {
        await this.session.conversation.settled();
        const { series, error } = await this.ask("", { body: JSON.stringify({ image: this.session.imageHash }), json: true });
        if (error) throw new Error(error);
        for (const [index, { file, name }] of files.entries()) {
          if (!this.sending) break;
          byId("series-sending-text").textContent = `Sending ${index + 1} of ${files.length}: ${name}`;
          refused.push(...await this.sendFile(series, file, name));
          this.look();
        }
      } catch (error) {
        refused.push({ reason: error.message });
      }
      this.sending = false;
      byId("series-sending").hidden = true;
      this.enable(this.ready);
      const told = refused.slice(0, 5).map(({ name, reason }) => (name ? `“${name}”: ${reason}` : reason));
      if (refused.length > 5) told.push(`And ${refused.length - 5} more.`);
      this.say(told.join(" "));
      this.look();
    }

    async sendFile(series, file, name) {
      const limit = squiggle.facts.maxUploadBytes;
      if (file.size > limit) {
        return [{ name, reason: `It has more than the ${Math.round(limit / 2 ** 20)} MB that this server takes at once.` }];
      }
      const answer = await this.ask(`/${series}/files?name=${encodeURIComponent(name)}`, { body: file });
      return answer.error ? [{ name, reason: answer.error }] : answer.refused;
    }

    /** Ask the server; one that is busy or away is asked again after a while. */
    async ask(path, { method = "POST", body = undefined, json = false } = {}) {
      const headers = json ? { "Content-Type": "application/json" } : {};
      for (let attempt = 1; ; attempt += 1) {
        let response = null;
        try {
          response = await fetch(`${this.url}${path}`, { method, body, headers });
        } catch {
          /* The server is away: it is asked again below. */
        }
        if (response?.ok) return response.json();
        if (response && !squiggle.isBusy(response)) return { error: await squiggle.reasonOf(response) };
        if (attempt === ATTEMPTS) throw new Error("The server does not answer. What was sent is safe; try again in a moment.");
        await pause(Number(response?.headers.get("Retry-After")) || attempt);
      }
    }

    /* ---- and back ---------------------------------------------------------------------------------------- */

    async look() {
      clearTimeout(this.timer);
      if (this.looking || !(this.isShown || this.sending)) return;
      this.looking = true;
      try {
        const response = await fetch(this.url);
        if (response.ok) await this.update((await response.json()).series);
      } catch {
        /* The server is away: the next look may find it. */
      }
      this.looking = false;
      const moving = this.sending || [...this.cards.values()].some((card) => card.unfinished && card.running);
      if (moving) this.timer = setTimeout(() => this.look(), document.hidden ? 10 * LOOK_MS : LOOK_MS);
    }

    async update(all) {
      const list = byId("series-list");
      const ids = new Set(all.map((facts) => facts.id));
      for (const [id, card] of this.cards) {
        if (!ids.has(id)) {
          card.root.remove();
          this.cards.delete(id);
        }
      }
      for (const facts of [...all].reverse()) {
        if (!this.cards.has(facts.id)) {
          const card = new Card(facts, this);
          this.cards.set(facts.id, card);
          list.prepend(card.root);
        }
        const card = this.cards.get(facts.id);
        const stale = card.ended !== facts.done + facts.failed;
        if (stale) {
          const response = await fetch(`${this.url}/${facts.id}`);
          if (!response.ok) continue;
          const detailed = await response.json();
          card.update(detailed);
          card.ended = detailed.done + detailed.failed;
        } else card.update(facts);
      }
    }

    async act(path, method = "POST") {
      this.say("");
      try {
        const { error } = await this.ask(path, { method });
        if (error) this.say(error);
      } catch (error) {
        this.say(error.message);
      }
      this.look();
    }

    run(id, what) { return this.act(`/${id}/${what}`); }

    async remove(id) {
      const question = "Delete this series with its images and results? This cannot be undone.";
      if (await squiggle.ask(question, "Delete")) this.act(`/${id}`, "DELETE");
    }

    enlarge(name, url) {
      byId("enlarged-name").textContent = name;
      byId("enlarged-picture").src = url;
      byId("enlarged-picture").alt = `${name} with its classes`;
      byId("enlarged").showModal();
    }
  }

  squiggle.Series = Series;
})();
