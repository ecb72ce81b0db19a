/* Strokes, made of what Plotly draws. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  liesOn, mayMeet, movedStroke, nameOfPen, penOfShape, strokeOfShape, versionOf,
} from "../../../assets/drawing/strokes.mjs";

const IMAGE = { hash: "h", name: "h.png", rows: 50, columns: 100, channels: 1, dtype: "uint8" };
const PEN = { tool: "squiggle", classId: 3, width: 7.5, image: "h", corrects: true };

/** @type {(pen: typeof PEN, drawn: object) => any} */
const shape = (pen, drawn) => ({ name: nameOfPen(pen), ...drawn });

test("a shape keeps the pen that drew it", () => {
  assert.deepEqual(penOfShape(shape(PEN, {})), PEN);
});

test("paths are rounded to hundredths, exponents and all", () => {
  const stroke = strokeOfShape(shape(PEN, { path: "M1.23456,-7.1e-15L100.999,2.5E1L.5,-0.004" }));
  assert.deepEqual({ ...stroke, id: "" }, {
    id: "", class_id: 3, kind: "path", width: 7.5, path: "M1.23,0L101,25L0.5,0",
  });
  assert.match(stroke.id, /^[\w-]{16}$/);
});

test("closed paths are polygons, rectangles and circles have sorted corners", () => {
  assert.equal(strokeOfShape(shape({ ...PEN, tool: "closed" }, { path: "M1,1L2,2Z" })).kind, "polygon");
  const { id, ...rectangle } = strokeOfShape(shape({ ...PEN, tool: "rectangle" }, { x0: 9.999, y0: 1, x1: 2, y1: 3 }));
  assert.deepEqual(rectangle, { class_id: 3, kind: "rectangle", x0: 2, y0: 1, x1: 10, y1: 3 });
  assert.ok(id);
});

for (const [what, drawn, expected] of /** @type {[string, object, boolean][]} */ ([
  ["inside", { kind: "path", path: "M10,10L20,20", width: 3 }, true],
  ["beside, to the left", { kind: "path", path: "M-10,10L-3,20", width: 3 }, false],
  ["beside, but wide enough", { kind: "path", path: "M-10,10L-3,20", width: 6 }, true],
  ["below", { kind: "path", path: "M10,60L20,80", width: 3 }, false],
  ["around", { kind: "circle", x0: -100, y0: -100, x1: 200, y1: 200 }, true],
  ["to the right", { kind: "rectangle", x0: 100, y0: 0, x1: 120, y1: 10 }, false],
])) {
  test(`whether a stroke lies on the image: ${what}`, () => {
    assert.equal(liesOn({ id: "s", class_id: 1, kind: "", ...drawn }, IMAGE), expected);
  });
}

test("strokes that lie apart cannot meet", () => {
  const line = { id: "a", class_id: 1, kind: "path", path: "M10,10L20,10", width: 4 };
  const box = { id: "b", class_id: 0, kind: "rectangle", x0: 12, y0: 13, x1: 90, y1: 40 };
  assert.ok(mayMeet(line, box));
  assert.ok(!mayMeet(line, { ...box, y0: 20 }));
  assert.ok(!mayMeet({ ...line, path: "M0,0L5,10" }, box));
});

test("a stroke that was moved is another version of itself", () => {
  const line = { id: "a", class_id: 1, kind: "path", path: "M10,10L20,10", width: 4 };
  const moved = movedStroke(line, 2, -1);
  assert.deepEqual(moved, { ...line, path: "M12,9L22,9" });
  assert.notEqual(versionOf(moved), versionOf(line));
  assert.equal(versionOf({ ...line }), versionOf(line));
  const box = { id: "b", class_id: 2, kind: "circle", x0: 1, y0: 2, x1: 3.5, y1: 4 };
  assert.deepEqual(movedStroke(box, 0.5, 1), { ...box, x0: 1.5, y0: 3, x1: 4, y1: 5 });
});
