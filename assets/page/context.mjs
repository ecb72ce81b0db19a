/* Which session this page shows, in which window, and what the server says of itself. */

import { base } from "../shared/base.mjs";
import { byId } from "../shared/dom.mjs";
import { newId } from "./ids.mjs";

/**
 * @typedef {object} Facts what the server says of itself
 * @property {Record<string, any>} features the default settings of the features
 * @property {Record<string, any>} forest the default settings of the forest
 * @property {{features: Record<string, any>, forest: Record<string, any>}} unnamed what old journals do not name
 * @property {string[]} palette colours for classes
 * @property {number} maxUploadBytes
 * @property {number} maxStackBytes of a TIFF, which may be a stack
 * @property {number} maxClassifierBytes
 * @property {string} sessionSuffix of the files of sessions
 * @property {?{id: string, name: string}} author who this is, where the server knows it
 * @property {string} accept the endings of image files, as the attribute of an input
 */

/** Id of the session that the page's address names; undefined where it names none. */
export const sessionId = window.location.pathname.slice(base.length).match(/^s\/([\w-]+)\/?$/)?.[1];

/** Whether the link of this page only lets look. */
export const looking = sessionId?.startsWith("look-") ?? false;

/** What lies on the server below this session, with a slash at its end. */
export const sessionUrl = `${base}s/${sessionId}/`;

/** Tells this window from others that show the same session. */
export const windowId = newId();

/** @type {Facts | undefined} */
let known;

/** What the server says of itself; to be called once Dash has laid out the page. */
export function facts() {
  const { facts: said = "{}", accept } = byId("page").dataset;
  known ??= { ...JSON.parse(said), accept };
  return /** @type {Facts} */ (known);
}
