/* What is prepared is awaited again after the page was left, also if the server does not answer at once. */

import assert from "node:assert/strict";
import { test } from "node:test";

/** @type {any} */ (globalThis).document = { body: { dataset: { base: "/" } }, getElementById: () => null };
/** @type {any} */ (globalThis).window = { location: { pathname: "/s/a" } };
const { Preparing } = await import("../../../assets/controls/preparing.mjs");

/** @param {any[]} answers to the questions how far it is */
function pageWith(answers) {
  return {
    session: { conversation: { gone: false, journal: [{}] } }, awaited: new Map(), seen: "", looks: 0,
    ask: async () => answers.shift(), isOpen: () => false, look() { this.looks += 1; },
  };
}

test("a server that does not answer is asked again", async () => {
  const page = pageWith([null, [{ hash: "a", done: false }]]);
  await Preparing.prototype.resume.call(/** @type {any} */ (page));
  assert.deepEqual([...page.awaited.keys()], ["a"]);
  assert.equal(page.looks, 1);
});

test("of a session that is gone nothing is asked any more", async () => {
  const page = pageWith([null, null]);
  page.ask = async () => {
    page.session.conversation.gone = true;
    return null;
  };
  await Preparing.prototype.resume.call(/** @type {any} */ (page));
  assert.equal(page.looks, 0);
});
