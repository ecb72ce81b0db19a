/*
 * The conversation with the server: what was done goes there as events and stays here until it is acknowledged; what
 * the journal and the forest say comes back, line by line, on the same answer.
 */

import { jsonLines } from "../shared/lines.mjs";
import { newId } from "../page/ids.mjs";
import { fold } from "./state.mjs";
import { UnsentEvents } from "./unsent.mjs";

/** @import { SessionEvent, Settings, State } from "./state.mjs" */
/** @import { Author } from "../page/me.mjs" */
/** @import { Connection } from "../page/status.mjs" */

/** @typedef {{kind: string} & Record<string, any>} Message a line of the server's answer */

/**
 * @typedef {object} Place where the conversation takes place
 * @property {string} url that it is sent to
 * @property {string} sessionId
 * @property {string} windowId
 * @property {() => {features: Settings, forest: Settings}} unnamed settings where no event names them
 */

/**
 * @typedef {object} Listener
 * @property {(state: State) => void} onState something was done, here or elsewhere
 * @property {(message: Message) => void} onMessage the server said something other than the journal
 * @property {(connection: Connection) => void} onConnection
 * @property {() => void} onSignedOut
 * @property {() => ?object} request what to segment, null for nothing
 * @property {() => ?string} currentImage hash of the image that this window shows
 * @property {() => Author} author who does what is done here
 * @property {() => object} here who looks at this window, and at what
 */

const POLL_MS = 1500;
const SILENCE_MS = 45000;
const RETRY_MS = [300, 700, 1500, 3000];
const SETTLING_MS = 50;
const SIGNED_OUT = 401;
const FULL = 507;
/* What is wrong with what was sent, and will be wrong the next time too; everything else may pass. */
const SENSELESS = [400, 413, 422];

export class Conversation {
  /**
   * @param {Place} place
   * @param {Listener} listener
   */
  constructor({ url, sessionId, windowId, unnamed }, listener) {
    this.url = url;
    this.windowId = windowId;
    this.unnamed = unnamed;
    this.listener = listener;
    this.unsent = new UnsentEvents(sessionId, windowId);
    /** @type {SessionEvent[]} */
    this.journal = [];
    /** Number of the last event of the journal. */
    this.number = 0;
    this.failures = 0;
    /** The exchange that is under way: aborts it. @type {?AbortController} */
    this.exchanging = null;
    /** Whether the server has acknowledged what the exchange under way brought. */
    this.acknowledged = false;
    /** Whether to sync again as soon as it has. */
    this.again = false;
    /** Whether the session no longer exists. */
    this.gone = false;
    /** How many events the server had no room for. */
    this.full = 0;
    this.onlyListen = false;
    /** @type {?State} */
    this.folded = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** Sync when the window is looked at again or the network is back, and do what can be done when it closes. */
  listenToWindow() {
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.sync(); });
    window.addEventListener("online", () => this.sync());
    window.addEventListener("pagehide", () => this.sendOnLeaving());
    window.addEventListener("beforeunload", (event) => {
      if (this.unsent.count && !this.unsent.stored) event.preventDefault();
    });
  }

  /** All events, those that the server does not have yet among them. */
  get events() {
    return [...this.journal, ...this.unsent.events];
  }

  /** What has been done so far. */
  get state() {
    const { listener } = this;
    this.folded ??= fold(this.events, this.unnamed(), listener.currentImage(), listener.author().id);
    return this.folded;
  }

  /**
   * Do something.
   * @param {{type: string} & Record<string, any>} event without its id
   */
  append(event) {
    this.unsent.add({ id: newId(), ...event, author: this.listener.author() });
    this.changed();
    this.sync();
  }

  /** Fold anew, and tell. */
  changed() {
    this.folded = null;
    this.listener.onState(this.state);
  }

  /** Send what is unsent and request what is to be segmented; an answer that is still coming in is dropped. */
  sync() {
    if (this.gone) return;
    clearTimeout(this.timer);
    if (this.exchanging && !this.acknowledged) {
      this.again = true;
      return;
    }
    this.exchanging?.abort();
    this.exchange();
  }

  /**
   * Drop an answer that is still coming in, which is for what is not shown any more, and sync a little later.
   * @param {number} rest milliseconds
   */
  syncSoon(rest) {
    if (!rest || this.gone || (this.exchanging && !this.acknowledged)) {
      this.sync();
      return;
    }
    this.exchanging?.abort();
    this.exchanging = null;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.sync(), rest);
  }

  /**
   * @param {SessionEvent[]} events
   * @param {?object} segment
   */
  body(events, segment) {
    return JSON.stringify({ after: this.number, events, segment, window: this.windowId, here: this.listener.here() });
  }

  async exchange() {
    const exchange = new AbortController();
    this.exchanging = exchange;
    this.acknowledged = false;
    this.again = false;
    const sent = this.onlyListen ? [] : [...this.unsent.events];
    this.onlyListen = false;
    const body = this.body(sent, this.listener.request());
    const abort = () => exchange.abort(new Error("silence"));
    let silence = setTimeout(abort, SILENCE_MS);
    try {
      const response = await fetch(this.url, {
        method: "POST", headers: { "Content-Type": "application/json" }, body, signal: exchange.signal,
      });
      if (!response.ok || !response.body) {
        await this.onRefusal(response, sent);
        return;
      }
      for await (const message of jsonLines(response.body)) {
        if (this.exchanging !== exchange) return;
        clearTimeout(silence);
        silence = setTimeout(abort, SILENCE_MS);
        if (this.onLine(message, sent)) return;
      }
      this.finish(exchange);
    } catch {
      if (this.exchanging === exchange) this.retry();
    } finally {
      clearTimeout(silence);
    }
  }

  /**
   * A line of the answer has come.
   * @param {Message} message
   * @param {SessionEvent[]} sent
   * @returns {boolean} whether that ends the exchange
   */
  onLine(message, sent) {
    if (message.kind === "journal") this.acknowledge(message, sent);
    else this.listener.onMessage(message);
    if (message.kind === "gone") {
      this.gone = true;
      this.exchanging = null;
      return true;
    }
    if (message.kind === "away") {
      /* The journal is there, but something that the segmentation needs is not: ask again in a while. */
      this.failures = RETRY_MS.length;
      this.retry();
      return true;
    }
    if (message.kind === "busy" || message.kind === "passing") {
      /* What was done is in the journal; too many wait for their segmentation, or something did not come this time. */
      this.exchanging = null;
      this.syncLater(1000 * message.seconds);
      return true;
    }
    if (!this.again || !this.acknowledged) return false;
    this.sync();
    return true;
  }

  /* Whoever leaves may not come back soon: what is unsent goes along, and stays stored all the same. */
  sendOnLeaving() {
    if (!this.unsent.count || this.gone) return;
    navigator.sendBeacon(this.url, new Blob([this.body(this.unsent.events, null)], { type: "application/json" }));
  }

  /**
   * @param {Message} message
   * @param {SessionEvent[]} sent
   */
  acknowledge({ events, refused }, sent) {
    this.acknowledged = true;
    this.failures = 0;
    this.unsent.remove(sent);
    if (this.full && (sent.length || !this.unsent.count)) {
      this.full = 0;
      this.listener.onMessage({ kind: "room" });
    }
    for (const { number, body } of events) {
      if (number === this.number + 1) {
        this.journal.push(body);
        this.number = number;
      }
    }
    this.tellConnection(!this.full);
    if (sent.length || events.length) this.changed();
    for (const refusal of refused) this.listener.onMessage({ kind: "refused", ...refusal });
  }

  /**
   * @param {Response} response
   * @param {SessionEvent[]} sent
   */
  async onRefusal(response, sent) {
    /** @type {?string} */
    let reason = null;
    try {
      reason = (await response.json()).error ?? "The server did not understand the page: reload it.";
    } catch {
      /* Not the server but a proxy in front of it: what it says of our words does not count. */
    }
    if (response.status === SIGNED_OUT) this.listener.onSignedOut();
    else if (reason && SENSELESS.includes(response.status)) {
      this.unsent.remove(sent);
      this.changed();
      this.listener.onMessage({ kind: "refused", reason });
      this.exchanging = null;
      this.syncLater();
    } else {
      if (response.status === FULL) {
        /* The journal can be read all the same. */
        this.onlyListen = true;
        if (this.full !== this.unsent.count) this.listener.onMessage({ kind: "full", reason });
        this.full = this.unsent.count;
      }
      this.retry();
    }
  }

  /** @param {AbortController} exchange */
  finish(exchange) {
    if (this.exchanging !== exchange) return;
    this.exchanging = null;
    if (!this.acknowledged) this.retry();
    else if (this.again || this.unsent.count || this.listener.request()) this.sync();
    else this.syncLater();
  }

  /** @param {number} rest milliseconds */
  syncLater(rest = POLL_MS) {
    this.timer = setTimeout(() => this.sync(), rest);
  }

  retry() {
    this.exchanging = null;
    this.tellConnection(false);
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    this.timer = setTimeout(() => this.exchange(), wait);
  }

  /** @param {boolean} ok */
  tellConnection(ok) {
    const { count: unsent, stored } = this.unsent;
    this.listener.onConnection({ ok, unsent, stored, full: this.full > 0 });
  }

  /** Wait until everything that was done is in the journal. */
  async settled() {
    while (this.unsent.count && !this.gone) await new Promise((resolve) => { setTimeout(resolve, SETTLING_MS); });
  }
}
