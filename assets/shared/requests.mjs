/* Requests to the server, and what to say when it refuses or is away. */

import { base } from "./base.mjs";
import { showMessage } from "./messages.mjs";

/** What to say when the server is away. */
export const AWAY = "The server does not answer. Try again in a moment; what is stored is safe.";

const IMAGE_ATTEMPTS = 6;
const SEND_ATTEMPTS = 6;
const SHOWN_ATTEMPTS = 20;
/** What is shown is prepared in tenths of a second: there may be room long before a busy server would have one come. */
const SHOWN_SECONDS = 0.15;

const TOO_LARGE = "It is larger than what stands in front of this server lets through: whoever runs it can allow more.";

/**
 * Resolves after a while.
 * @param {number} seconds
 * @returns {Promise<void>}
 */
export function pause(seconds) {
  return new Promise((resolve) => { setTimeout(resolve, 1000 * seconds); });
}

/**
 * What to tell whether the server answers, so that something is done each time that it does so again.
 * @param {() => void} run
 * @returns {(connection: {ok: boolean}) => void}
 */
export function onceItAnswersAgain(run) {
  let away = false;
  return ({ ok }) => {
    if (ok && away) run();
    away = !ok;
  };
}

/**
 * Whether it is worth asking again: the server is busy, or a proxy in front of it does not reach it.
 * @param {Response} response
 */
export function isBusy(response) {
  return [429, 502, 503, 504].includes(response.status);
}

/**
 * After how many seconds a busy server wants to be asked again.
 * @param {?Response} response
 * @param {number} otherwise what to take where it does not say
 */
export function retryAfter(response, otherwise) {
  return Number(response?.headers.get("Retry-After")) || otherwise;
}

/**
 * Send something that a person waits for; a busy server is asked again after a while, some times.
 * @param {string} url
 * @param {RequestInit} options
 * @returns {Promise<any>} its answer, or `{error}` with the reason why there is none
 */
export async function sendPatiently(url, options) {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(url, { method: "POST", ...options });
    if (response.ok) return response.json();
    if (!isBusy(response) || attempt === SEND_ATTEMPTS) return { error: await reasonOf(response) };
    await pause(retryAfter(response, 1));
  }
}

/**
 * Ask for something that is shown; a busy server is asked again soon, then when it says, for as long as
 * that is wanted.
 * @param {string} url
 * @param {(attempt: number) => boolean} [wanted] told how often it was asked; without it, some times
 * @param {?AbortSignal} [signal] ends it, so that the server has room for what is asked for instead
 * @returns {Promise<Response>}
 */
export async function fetchShown(url, wanted = (attempt) => attempt < SHOWN_ATTEMPTS, signal = null) {
  let response = await fetch(url, { signal });
  for (let attempt = 1; response.status === 429 && wanted(attempt); attempt += 1) {
    const seconds = Math.min(retryAfter(response, 1), SHOWN_SECONDS * 2 ** (attempt - 1));
    await pause(seconds * (0.5 + Math.random()));
    if (!wanted(attempt)) break;
    response = await fetch(url, { signal });
  }
  return response;
}

/**
 * Let a picture that a busy server refused, which the browser does not say, be asked for again some times; what is
 * not there is not.
 * @template {HTMLImageElement} T
 * @param {T} image
 * @returns {T} the same
 */
export function askAgain(image) {
  let attempts = 0;
  image.addEventListener("error", async () => {
    attempts += 1;
    if (attempts > IMAGE_ATTEMPTS) return;
    const { src } = image;
    await pause(attempts * (0.5 + Math.random()));
    const response = await fetchShown(src).catch(() => null);
    const isThere = !response || response.ok || isBusy(response);
    if (isThere && image.src === src) image.src = src;
  });
  return image;
}

/**
 * The sentence in which a server refused something; a proxy in front of it has none, and gets one of ours.
 * @param {Response} response
 * @returns {Promise<string>}
 */
export async function reasonOf(response) {
  try {
    return (await response.json()).error ?? "The server refused without a reason.";
  } catch {
    if (response.status === 413) return TOO_LARGE;
    return isBusy(response) ? AWAY : `The server refused (${response.status}).`;
  }
}

/**
 * Ask the server for something.
 * @param {string} path below the application's
 * @param {RequestInit} [options]
 * @returns {Promise<any>} its answer, or null after the person was told why there is none
 */
export async function request(path, options) {
  try {
    const response = await fetch(`${base}${path}`, options);
    if (response.ok) return await response.json();
    showMessage(await reasonOf(response));
  } catch {
    showMessage(AWAY);
  }
  return null;
}
