/* Lists of classes in files. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { classesOfFile } from "../../../assets/session/classfile.mjs";

/** @type {(text: string) => (string | null)[][]} */
const listed = (text) => classesOfFile(text).map(({ name, colour }) => [name, colour]);

test("a name a line", () => {
  assert.deepEqual(listed("\uFEFFVoid\r\n Matrix \n\nRim 2"), [["Void", null], ["Matrix", null], ["Rim 2", null]]);
});

test("CSV with and without a head, with colours and ids", () => {
  assert.deepEqual(listed("name,colour\nVoid,#FF0000\n\"Rim\",#00ff00"), [["Void", "#ff0000"], ["Rim", "#00ff00"]]);
  assert.deepEqual(listed("id;name\n1;Void\n2;42"), [["Void", null], ["42", null]]);
  assert.deepEqual(listed("1\tVoid\t#0000ff\n2\tRim"), [["Void", "#0000ff"], ["Rim", null]]);
});

test("JSON: strokes.json, or a bare list", () => {
  const classes = [{ id: 7, name: "Void", colour: "#e69f00" }, { id: 2, name: "Rim", colour: "red" }];
  assert.deepEqual(listed(JSON.stringify({ format: "x", classes })), [["Void", "#e69f00"], ["Rim", null]]);
  assert.deepEqual(listed("[\"Void\", \"Rim\"]"), [["Void", null], ["Rim", null]]);
});

test("what is no list gets a sentence", () => {
  const many = Array.from({ length: 256 }, (_, index) => `Class ${index}`).join("\n");
  const wrong = ["", "{", "{}", "[1]", "[[]]", "[null]", "a".repeat(61), "a\u0000b", many, "name\n,"];
  for (const text of wrong) assert.throws(() => classesOfFile(text), /\.$/, text.slice(0, 20));
});
