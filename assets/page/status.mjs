/* What the page says of what is going on: status, progress, and whether all is saved. */

import { byId } from "../shared/dom.mjs";

const OFFLINE_AFTER_MS = 600;
const READING_MS = 3000;
const PROGRESS_MS = 150;
const LOADING_MS = 700;

/**
 * @callback Say
 * @param {string} text
 * @param {?number} [done] the share that is finished, null where nothing is under way
 * @returns {void}
 */

/** What is said, beside that something comes which is waited for. */
let said = "";

/** @type {Say} */
function say(text, done = null) {
  said = text;
  byId("status").textContent = said;
  const progress = byId("progress");
  progress.style.setProperty("--done", String(done ?? 0));
  progress.classList.toggle("busy", done !== null && done < 1);
}

/**
 * What comes; where that takes long and nothing else is said, it is said until something else is, or it is there.
 * @template T
 * @param {Promise<T>} what
 * @param {string} text
 * @returns {Promise<T>}
 */
export async function sayingSo(what, text) {
  const before = said;
  const timer = setTimeout(() => {
    if (said === before) byId("status").textContent = text;
  }, LOADING_MS);
  try {
    return await what;
  } finally {
    clearTimeout(timer);
    if (byId("status").textContent === text) byId("status").textContent = said;
  }
}

let awaited = 0;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let reading;
let afterReading = "";

/**
 * Say what is going on.
 * @type {Say}
 */
export function showStatus(text, done = null) {
  if (awaited) return;
  if (reading !== undefined && done === null) {
    afterReading = text;
    return;
  }
  clearTimeout(reading);
  reading = undefined;
  say(text, done);
}

let progressedAt = -Infinity;

/**
 * Say how far the work under way is, a few times a second: each time the browser paints, which takes time from it.
 * @param {string} text
 * @param {number} done the share that is finished
 */
export function showProgress(text, done) {
  if (performance.now() - progressedAt < PROGRESS_MS) return;
  progressedAt = performance.now();
  showStatus(text, done);
}

/**
 * Say what a person has just done; hints that come right behind it wait until it has been read.
 * @param {string} text
 */
export function announce(text) {
  clearTimeout(reading);
  afterReading = "";
  say(text);
  reading = setTimeout(() => {
    reading = undefined;
    if (afterReading && !awaited) say(afterReading);
  }, READING_MS);
}

/**
 * Do what a person waits for: until it is done, the status is what the work itself says.
 * @param {(say: Say) => Promise<void>} work
 */
export async function waitFor(work) {
  awaited += 1;
  try {
    await work(say);
  } finally {
    awaited -= 1;
  }
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let offlineTimer;

/**
 * Say whether the server has everything.
 * @typedef {object} Connection
 * @property {boolean} ok whether the server takes what is sent
 * @property {number} unsent how many changes it does not have yet
 * @property {boolean} stored whether these survive the window
 * @property {boolean} full whether the server has no room for them
 * @param {Connection} connection
 */
export function showConnection({ ok, unsent, stored, full }) {
  clearTimeout(offlineTimer);
  const connection = byId("connection");
  /** @type {(text: string, state: string) => void} */
  const tell = (text, state) => {
    connection.textContent = text;
    connection.dataset.state = state;
  };
  if (ok) {
    tell(unsent ? "Saving…" : "All saved", "ok");
    return;
  }
  const changes = `${unsent} ${unsent === 1 ? "change is" : "changes are"}`;
  const until = full ? "until there is room" : "until then";
  const where = stored ? `kept here ${until}.` : "only in this window: leave it open, this browser cannot store them.";
  const sign = `${full ? "Not saved." : "Reconnecting…"}${unsent ? ` ${changes} ${where}` : ""}`;
  offlineTimer = setTimeout(() => tell(sign, "offline"), full ? 0 : OFFLINE_AFTER_MS);
}
