/* How far whole images are is what the last look has found. */

import assert from "node:assert/strict";
import { test } from "node:test";

/** @type {any} */ (globalThis).document = { body: { dataset: { base: "/" } }, getElementById: () => null };
/** @type {any} */ (globalThis).window = { location: { pathname: "/s/a" } };
const { Wholes } = await import("../../../assets/controls/wholes.mjs");

test("a look that is overtaken by another hides nothing and ends nothing", async () => {
  /** @type {((found: object[]) => void)[]} */
  const answers = [];
  globalThis.fetch = () => new Promise((resolve) => {
    answers.push((wholes) => resolve(new Response(JSON.stringify({ wholes }))));
  });
  /** @type {object[][]} */
  const shown = [];
  /** @type {any} */
  const page = {
    session: { conversation: { gone: false } }, rows: new Map(), looks: 0, timer: undefined,
    show: (/** @type {object[]} */ found) => shown.push(found),
  };
  const looks = [Wholes.prototype.look.call(page), Wholes.prototype.look.call(page)];
  const running = [{ image: "a", state: "working", running: true, part: 0.5 }];
  answers[1](running);
  await looks[1];
  answers[0]([]);
  await looks[0];
  assert.deepEqual(shown, [running]);
  assert.notEqual(page.timer, undefined);
  clearTimeout(page.timer);
});

test("one that waits says so", () => {
  const row = { lead: { textContent: "" }, progress: { setAttribute: () => {} }, close: {} };
  const { hear } = Wholes.prototype;
  const page = { rows: new Map([["a", row]]), nameOf: () => "cells.tif", hear, onPart: () => {} };
  const waits = { image: "a", state: "working", running: true, part: 0.5, reason: "The disk is full." };
  for (const [one, told] of [[waits, ", tried again in a minute"], [{ ...waits, reason: "" }, ""]]) {
    Wholes.prototype.showProgress.call(/** @type {any} */ (page), /** @type {any} */ (one));
    assert.equal(row.lead.textContent, `Segmenting all of “cells.tif”: 50 %${told}`);
  }
});

test("one that is cancelled stays in its row, with what was seen last, wherever that was", () => {
  const row = {
    lead: { textContent: "" }, progress: { hidden: false, setAttribute: () => undefined }, close: { hidden: true },
  };
  /** @type {any[][]} */
  const told = [];
  /** @type {any} */
  const page = {
    rows: new Map([["a", row]]), nameOf: () => "cells", onPart: (/** @type {any[]} */ ...part) => told.push(part),
    hear: Wholes.prototype.hear,
  };
  const one = { image: "a", state: "working", running: true, part: 0.641, reason: "" };
  Wholes.prototype.showProgress.call(page, one);
  assert.deepEqual(told, [["a", 0.641]]);
  Wholes.prototype.hear.call(page, "a", 0.652);
  assert.equal(row.lead.textContent, "Segmenting all of “cells”: 65 %");
  Wholes.prototype.end.call(page, { ...one, running: false, part: 0.66 });
  Wholes.prototype.hear.call(page, "a", 0.64);
  assert.equal(row.lead.textContent, "Segmenting all of “cells” was cancelled at 66 %");
  assert.ok(row.progress.hidden && !row.close.hidden);
});
