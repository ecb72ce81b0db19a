/*
 * The conversation with the server: what was done goes there as events and stays here until it is acknowledged;
 * what the journal and the forest say comes back, line by line, on the same answer.
 */
(() => {
  "use strict";
  const squiggle = (window.squiggle ??= {});

  const POLL_MS = 1500;
  const SILENCE_MS = 45000;
  const RETRY_MS = [300, 700, 1500, 3000];
  const FULL = 507;
  /* What is wrong with what was said, and will be wrong the next time too; everything else may pass. */
  const SENSELESS = [400, 413, 422];

  class Conversation {
    /**
     * @param {string} session the session's id
     * @param {object} listener changed(state), line(message), connection(ok, waiting, kept, full), wish() -> what to segment or null,
     *   inHand() -> hash of the image in hand or null
     */
    constructor(session, listener) {
      this.url = `${squiggle.base}s/${session}/converse`;
      this.listener = listener;
      this.storagePrefix = `squiggle:unsent:${session}`;
      this.journal = [];
      this.number = 0;
      this.kept = true;
      this.unsent = this.restore();
      this.failures = 0;
      this.abort = null;
      this.acknowledged = false;
      this.gone = false;
      this.full = 0;
      this.onlyListen = false;
      document.addEventListener("visibilitychange", () => { if (!document.hidden) this.speak(); });
      window.addEventListener("online", () => this.speak());
      window.addEventListener("pagehide", () => this.sayGoodbye());
      window.addEventListener("beforeunload", (event) => { if (this.unsent.length && !this.kept) event.preventDefault(); });
    }

    get storageKey() {
      return `${this.storagePrefix}:${squiggle.windowId}`;
    }

    /* What any window of this browser left unsent; sent twice, by that window too, it still counts once. */
    restore() {
      const left = new Map();
      try {
        const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.storagePrefix));
        for (const event of keys.flatMap((key) => JSON.parse(localStorage.getItem(key)))) left.set(event.id, event);
        if (left.size) localStorage.setItem(this.storageKey, JSON.stringify([...left.values()]));
        keys.forEach((key) => localStorage.removeItem(key));
      } catch {
        this.kept = false;
      }
      return [...left.values()];
    }

    persist() {
      try {
        if (this.unsent.length) localStorage.setItem(this.storageKey, JSON.stringify(this.unsent));
        else localStorage.removeItem(this.storageKey);
        this.kept = true;
      } catch {
        /* A full or forbidden local storage: the events are in memory and on their way, and the person is told. */
        this.kept = !this.unsent.length;
      }
    }

    get state() {
      this.folded ??= squiggle.fold([...this.journal, ...this.unsent], this.listener.inHand());
      return this.folded;
    }

    /** Do something: an event without its id. */
    append(event) {
      this.unsent.push({ id: squiggle.newId(), ...event });
      this.persist();
      this.changed();
      this.speak();
    }

    changed() {
      this.folded = null;
      this.listener.changed(this.state);
    }

    /** Say what is unsent and ask for what is wished; an answer that is still coming in is dropped. */
    speak() {
      if (this.gone) return;
      clearTimeout(this.timer);
      if (this.abort && !this.acknowledged) {
        this.again = true;
        return;
      }
      this.abort?.abort();
      this.exchange();
    }

    async exchange() {
      const abort = new AbortController();
      this.abort = abort;
      this.acknowledged = false;
      this.again = false;
      const sent = this.onlyListen ? [] : [...this.unsent];
      this.onlyListen = false;
      const segment = this.listener.wish();
      const hush = () => abort.abort(new Error("silence"));
      let silence = setTimeout(hush, SILENCE_MS);
      try {
        const response = await fetch(this.url, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ after: this.number, events: sent, segment, window: squiggle.windowId }),
          signal: abort.signal,
        });
        if (!response.ok) return this.refused(response, sent);
        for await (const message of lines(response.body)) {
          if (this.abort !== abort) return undefined;
          clearTimeout(silence);
          silence = setTimeout(hush, SILENCE_MS);
          if (message.kind === "journal") this.acknowledge(message, sent);
          else if (message.kind === "gone") return this.stop(message);
          else if (message.kind === "away") return this.away(message);
          else this.listener.line(message);
          if (this.again && this.acknowledged) return this.speak();
        }
        this.finish(abort);
      } catch (error) {
        if (this.abort === abort) this.retry();
      } finally {
        clearTimeout(silence);
      }
      return undefined;
    }

    /* Whoever leaves may not come back soon: what is unsent goes along with the last breath, and is kept all the same. */
    sayGoodbye() {
      if (!this.unsent.length || this.gone) return;
      const body = JSON.stringify({ after: this.number, events: this.unsent, segment: null, window: squiggle.windowId });
      navigator.sendBeacon(this.url, new Blob([body], { type: "application/json" }));
    }

    acknowledge(message, sent) {
      this.acknowledged = true;
      this.failures = 0;
      const done = new Set(sent.map((event) => event.id));
      this.unsent = this.unsent.filter((event) => !done.has(event.id));
      this.persist();
      if (this.full && (sent.length || !this.unsent.length)) {
        this.full = 0;
        this.listener.line({ kind: "room" });
      }
      for (const { number, body } of message.events) {
        if (number === this.number + 1) {
          this.journal.push(body);
          this.number = number;
        }
      }
      this.listener.connection(!this.full, this.unsent.length, this.kept, this.full > 0);
      if (sent.length || message.events.length) this.changed();
      message.refused.forEach((refusal) => this.listener.line({ kind: "refused", ...refusal }));
    }

    async refused(response, sent) {
      let reason = null;
      try {
        reason = (await response.json()).error ?? "The server did not understand the page: reload it.";
      } catch {
        /* Not the server but a proxy in front of it: what it says of our words does not count. */
      }
      if (response.status === 401) {
        const here = window.location.pathname.slice(squiggle.base.length - 1);
        window.location.assign(`${squiggle.base}sign-in?next=${encodeURIComponent(here)}`);
      } else if (reason && SENSELESS.includes(response.status)) {
        const said = new Set(sent.map((event) => event.id));
        this.unsent = this.unsent.filter((event) => !said.has(event.id));
        this.persist();
        this.changed();
        this.listener.line({ kind: "refused", reason });
        this.abort = null;
        this.rest();
      } else {
        if (response.status === FULL) {
          /* The journal can be read all the same. */
          this.onlyListen = true;
          if (this.full !== this.unsent.length) this.listener.line({ kind: "full", reason });
          this.full = this.unsent.length;
        }
        this.retry();
      }
    }

    /** The journal is there, but something that the segmentation needs is not: ask again in a while. */
    away(message) {
      this.listener.line(message);
      this.failures = RETRY_MS.length;
      this.retry();
      return undefined;
    }

    stop(message) {
      this.gone = true;
      this.abort = null;
      this.listener.line(message);
      return undefined;
    }

    finish(abort) {
      if (this.abort !== abort) return;
      const heard = this.acknowledged;
      this.abort = null;
      if (!heard) this.retry();
      else if (this.again || this.unsent.length || this.listener.wish()) this.speak();
      else this.rest();
    }

    rest() {
      this.timer = setTimeout(() => this.speak(), POLL_MS);
    }

    retry() {
      this.abort = null;
      this.listener.connection(false, this.unsent.length, this.kept, this.full > 0);
      const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
      this.failures += 1;
      this.timer = setTimeout(() => this.exchange(), wait);
    }

    /** Wait until everything that was done is in the journal. */
    async settled() {
      while (this.unsent.length && !this.gone) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function* lines(stream) {
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += value;
      const parts = rest.split("\n");
      rest = parts.pop();
      for (const part of parts) if (part) yield JSON.parse(part);
    }
  }

  squiggle.Conversation = Conversation;
})();
