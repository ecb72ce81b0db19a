/* Paths that say what a pointer did, with no more points than that takes. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { distance, movedPath, numbersOf, pathOf, thin, toleranceAt } from "../../../assets/drawing/path.mjs";

/** @import { Point } from "../../../assets/drawing/path.mjs" */

/** @type {(seed: number) => () => number} */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

/** @type {(count: number, random: () => number) => Point[]} */
function scribble(count, random) {
  let [x, y, turn] = [200, 200, 0];
  return Array.from({ length: count }, () => {
    turn += random() - 0.5;
    [x, y] = [x + 4 * Math.cos(turn), y + 4 * Math.sin(turn)];
    return /** @type {Point} */ ([x, y]);
  });
}

/** @type {(path: string) => Point[]} */
const pointsOf = (path) => path.slice(1).split("L").map((pair) => /** @type {Point} */ (pair.split(",").map(Number)));

/** @type {(point: Point, path: Point[]) => number} */
const distanceTo = (point, path) => Math.min(...path.slice(1).map((to, index) => distance(point, path[index], to)));

for (const scale of [0.2, 1, 5]) {
  test(`at ${scale} pixels a pixel no point lies farther from the path than its tolerance`, () => {
    const points = scribble(600, randomNumbers(7));
    const path = pointsOf(pathOf(points, scale));
    const off = Math.max(...points.map((point) => distanceTo(point, path)));
    assert.ok(off <= toleranceAt(scale), `${off} pixels off`);
    assert.ok(path.length < points.length);
    assert.deepEqual(path[0], points[0].map((value) => Math.round(value * 100) / 100));
  });
}

test("the tolerance is a quarter of an image pixel, or half a pixel of the screen", () => {
  assert.deepEqual([0.1, 1, 2, 40].map(toleranceAt), [5, 0.5, 0.25, 0.25]);
});

test("of a click there is a point, of a line its ends, of a way there and back all that it takes", () => {
  assert.equal(pathOf([[3.004, 4]], 1), "M3,4");
  assert.equal(pathOf([[3, 4], [3.001, 4]], 1), "M3,4");
  assert.equal(pathOf([[0, 0], [1, 1], [2, 2], [9, 9]], 1), "M0,0L9,9");
  assert.deepEqual(thin([[0, 0], [10, 0], [0, 0]], 1), [[0, 0], [10, 0], [0, 0]]);
});

test("a path is moved, exponents and all", () => {
  assert.equal(movedPath("M1,2L-3.5,1e-7", 1.25, -2), "M2.25,0L-2.25,-2");
  assert.deepEqual(numbersOf("M1,-2L.5,1e1"), [1, -2, 0.5, 10]);
});
