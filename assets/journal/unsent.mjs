/* What the server has not acknowledged yet: in memory, and in the browser's storage in case the window closes. */

/** @import { SessionEvent } from "./state.mjs" */

export class UnsentEvents {
  #prefix;
  #key;

  /**
   * Begins with what any window of this browser left unsent; sent twice, by that window too, it still counts once.
   * @param {string} sessionId
   * @param {string} windowId
   */
  constructor(sessionId, windowId) {
    this.#prefix = `squiggle:unsent:${sessionId}`;
    this.#key = `${this.#prefix}:${windowId}`;
    /** Whether they survive the window: a browser may have no storage, or a full one. */
    this.stored = true;
    /** @type {SessionEvent[]} */
    this.events = this.#restore();
  }

  #restore() {
    /** @type {Map<string, SessionEvent>} */
    const left = new Map();
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.#prefix));
      const events = keys.flatMap((key) => JSON.parse(localStorage.getItem(key) ?? "[]"));
      for (const event of events) left.set(event.id, event);
      if (left.size) localStorage.setItem(this.#key, JSON.stringify([...left.values()]));
      for (const key of keys) localStorage.removeItem(key);
    } catch {
      this.stored = false;
    }
    return [...left.values()];
  }

  #store() {
    try {
      if (this.events.length) localStorage.setItem(this.#key, JSON.stringify(this.events));
      else localStorage.removeItem(this.#key);
      this.stored = true;
    } catch {
      this.stored = !this.events.length;
    }
  }

  get count() {
    return this.events.length;
  }

  /** @param {SessionEvent} event */
  add(event) {
    this.events.push(event);
    this.#store();
  }

  /**
   * Forget what the server has, or will never take.
   * @param {SessionEvent[]} events
   */
  remove(events) {
    const ids = new Set(events.map(({ id }) => id));
    this.events = this.events.filter(({ id }) => !ids.has(id));
    this.#store();
  }
}
