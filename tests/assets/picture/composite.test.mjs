/* How channels are shown: what is dark and bright, and what colours add up to. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { applies, brightnesses, compose, usualLook, withPreset } from "../../../assets/picture/composite.mjs";

/** @type {(change?: any) => any} */
const channel = (change = {}) => ({
  name: "a", offset: 0, scale: 1, bits: 8, smallest: 0, largest: 255, low: 10, high: 110, histogram: [1], ...change,
});
/** @type {(change?: any) => any} */
const look = (change = {}) => ({ on: true, colour: "#ffffff", low: 10, high: 110, gamma: 1, ...change });

test("values between the ends become brighter, and nothing else matters", () => {
  const shown = brightnesses(channel(), look());
  assert.deepEqual([shown[0], shown[10], shown[60], shown[110], shown[255]], [0, 0, 127.5, 255, 255]);
  assert.ok(brightnesses(channel(), look({ gamma: 0.5 }))[35] > shown[35]);
  const shifted = brightnesses(channel({ offset: -100, scale: 2, bits: 16 }), look({ low: -100, high: 100 }));
  assert.deepEqual([shifted[0], shifted[50], shifted[100]], [0, 127.5, 255]);
});

test("colours are added, and what is no data is not seen", () => {
  const levels = new Uint8Array([0, 110, 255]);
  const channels = [
    { levels, facts: channel(), look: look({ colour: "#ff0000" }) },
    { levels, facts: channel(), look: look({ colour: "#ff00ff" }) },
  ];
  const shown = compose(channels, 3, new Uint8Array([0, 0, 1]));
  assert.deepEqual([...shown], [0, 0, 0, 255, 255, 0, 255, 255, 255, 0, 255, 0]);
});

test("the first channels are shown unless somebody chooses", () => {
  const usual = (/** @type {number} */ count) => usualLook(Array.from({ length: count }, () => channel()));
  assert.deepEqual(usual(1).map((one) => one.colour), ["#ffffff"]);
  assert.deepEqual(usual(2).map((one) => one.colour), ["#00ff00", "#ff00ff"]);
  assert.deepEqual(usual(5).map((one) => one.on), [true, true, true, false, false]);
});

test("presets are offered where they say anything", () => {
  const offered = (/** @type {number} */ count) => (
    ["usual", "grey", "magenta", "rgb"].filter((name) => applies(name, count))
  );
  assert.deepEqual(offered(1), ["usual"]);
  assert.deepEqual(offered(2), ["usual", "grey", "magenta"]);
  assert.deepEqual(offered(13), ["usual", "grey", "magenta", "rgb"]);
});

test("a preset turns on as many channels as it has colours", () => {
  const four = usualLook(Array.from({ length: 4 }, () => channel()));
  const colours = (/** @type {string} */ name) => withPreset(four, name, 2).map((one) => one.on && one.colour);
  assert.deepEqual(colours("magenta"), ["#ff00ff", "#00ff00", false, false]);
  assert.deepEqual(colours("grey"), [false, false, "#ffffff", false]);
});
