/* Imports go one way: from the roots down through the folders, without a circle. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";

const ASSETS = resolve(import.meta.dirname, "../../assets");
const IMPORT = /^(?:import|export)\s[^;]*?from\s+"(\.[^"]+)";|^import\s+"(\.[^"]+)";/gm;

/** The folders, the lowest first. */
const FLOORS = ["shared", "page", "journal", "drawing", "picture", "session", "controls"];
const ROOTS = ["sessions.mjs", "start.mjs"];

/** What each module imports. @type {Map<string, string[]>} */
const imports = new Map();
for (const path of readdirSync(ASSETS, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".mjs"))) {
  const folder = dirname(join(ASSETS, path));
  const found = [...readFileSync(join(ASSETS, path), "utf8").matchAll(IMPORT)].map(([, from, alone]) => from ?? alone);
  imports.set(path, found.map((name) => relative(ASSETS, resolve(folder, name))));
}

/** @param {string} path */
const floorOf = (path) => (path.includes("/") ? FLOORS.indexOf(path.split("/")[0]) : FLOORS.length);

/**
 * All that a module imports, itself or through others.
 * @param {string} path
 * @param {Set<string>} [found]
 */
function reachedFrom(path, found = new Set()) {
  for (const next of imports.get(path) ?? []) {
    if (found.has(next)) continue;
    found.add(next);
    reachedFrom(next, found);
  }
  return found;
}

test("every module lies in a folder, but the roots", () => {
  assert.ok(imports.size > 30);
  assert.deepEqual([...imports.keys()].filter((path) => !path.includes("/")).sort(), ROOTS);
  assert.deepEqual([...imports.keys()].filter((path) => floorOf(path) < 0), []);
});

test("imports go down, never up", () => {
  const arrows = [...imports].flatMap(([path, names]) => names.map((name) => [path, name]));
  const up = arrows.filter(([path, name]) => floorOf(name) > floorOf(path));
  assert.deepEqual(up, []);
});

test("no imports go round in a circle", () => {
  assert.deepEqual([...imports.keys()].filter((path) => reachedFrom(path).has(path)), []);
});

test("the page of a session uses every module, the start page all that both share", () => {
  const below = [...imports.keys()].filter((path) => path.includes("/")).sort();
  assert.deepEqual([...reachedFrom("start.mjs")].sort(), below);
  assert.deepEqual([...reachedFrom("sessions.mjs")].sort(), below.filter((path) => path.startsWith("shared/")));
});
