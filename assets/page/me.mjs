/* Who works in this browser: an id made at random, and the name that a person gave themselves. */

import { facts } from "./context.mjs";
import { newId } from "./ids.mjs";

/** @typedef {{id: string, name: string}} Author who did something; the name may be empty */

const KEY = "squiggle:author";

/** Characters that a name may have. */
export const MAX_NAME = 40;

/* Another id the server refuses, with all that is done under it. */
const ID = /^[\w-]{1,64}$/;

/**
 * A name as the server takes it: no half of a character, which it refuses.
 * @param {string} name
 */
const fitting = (name) => [...name.replaceAll(/\p{Cs}/gu, "").trim()].slice(0, MAX_NAME).join("");

/** @type {?Author} */
let known = null;

/** @returns {Author} */
function remembered() {
  try {
    const { id, name } = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    if (typeof id === "string" && ID.test(id) && typeof name === "string") return { id, name: fitting(name) };
  } catch {
    /* Without storage one is somebody else each time that the page is loaded. */
  }
  return { id: newId(), name: "" };
}

/** @param {Author} author */
function remember(author) {
  known = author;
  try {
    localStorage.setItem(KEY, JSON.stringify(author));
  } catch {
    /* It lasts as long as the page. */
  }
}

/** Whether the server knows who this is, so that nothing can be changed about it here. */
export const isNamedByServer = () => facts().author !== null;

/** Who works here. */
export function me() {
  const { author } = facts();
  if (author) return author;
  if (!known) remember(remembered());
  return /** @type {Author} */ (known);
}

/** @param {string} name that one gives oneself */
export function nameMe(name) {
  remember({ ...me(), name: fitting(name) });
}
