/* The conversation: nothing that was done is lost, nothing counts twice, whatever the server does. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Conversation } from "../../../assets/journal/conversation.mjs";

/** @import { Message } from "../../../assets/journal/conversation.mjs" */

const START = { id: "start", type: "session.start", image: { hash: "sample" }, classes: [] };
const PLACE = {
  url: "/s/a/converse", sessionId: "a", windowId: "here", unnamed: () => ({ features: {}, forest: {} }),
};

/** What was sent, each with what answers it. @type {{body: any, answer: (response: any) => void}[]} */
let exchanges = [];
/** @type {Map<string, string>} */
let stored = new Map();
/** @type {Message[]} */
let messages = [];
/** @type {object[]} */
let connections = [];
let signedOut = 0;

/** A storage as browsers have it: its keys are properties. */
const storage = () => new Proxy({}, {
  ownKeys: () => [...stored.keys()],
  getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  get: (_, name) => ({
    getItem: (/** @type {string} */ key) => stored.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => stored.set(key, value),
    removeItem: (/** @type {string} */ key) => stored.delete(key),
  })[/** @type {"getItem"} */ (name)],
});

/** Lets everything happen that need not wait for a timer. */
const settle = () => new Promise((resolve) => { setImmediate(resolve); });

/** @param {Message[]} lines */
const answer = (...lines) => new Response(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

/** @type {(from: number, ...bodies: object[]) => Message} */
const journal = (from, ...bodies) => (
  { kind: "journal", events: bodies.map((body, index) => ({ number: from + index, body })), refused: [] }
);

const conversation = () => new Conversation(PLACE, {
  onState: () => {},
  onMessage: (message) => { messages.push(message); },
  onConnection: (connection) => { connections.push(connection); },
  onSignedOut: () => { signedOut += 1; },
  request: () => null,
  currentImage: () => null,
  author: () => ({ id: "ann", name: "Ann" }),
  here: () => ({}),
});

beforeEach(() => {
  [exchanges, stored, messages, connections, signedOut] = [[], new Map(), [], [], 0];
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(globalThis, "fetch", (/** @type {string} */ _, /** @type {RequestInit} */ { body, signal }) => (
    new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
      exchanges.push({ body: JSON.parse(String(body)), answer: resolve });
    })
  ));
  Object.defineProperty(globalThis, "localStorage", { value: storage(), configurable: true });
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

test("what was done is shown at once and stored until the server has it", async () => {
  const talk = conversation();
  talk.append({ type: "session.rename", name: "mine" });
  assert.equal(talk.state.name, "mine");
  assert.deepEqual([...stored.keys()], ["squiggle:unsent:a:here"]);
  const { body } = exchanges[0];
  assert.deepEqual([body.after, body.window, body.events.length], [0, "here", 1]);
  exchanges[0].answer(answer(journal(1, START, body.events[0])));
  await settle();
  assert.equal(talk.state.name, "mine");
  assert.deepEqual([talk.number, talk.unsent.count, stored.size], [2, 0, 0]);
  assert.deepEqual(connections.at(-1), { ok: true, unsent: 0, stored: true, full: false });
});

test("what is done meanwhile is sent as soon as the server has what was sent before", async () => {
  const talk = conversation();
  talk.append({ type: "session.rename", name: "first" });
  talk.append({ type: "session.rename", name: "second" });
  assert.equal(exchanges.length, 1);
  exchanges[0].answer(answer(journal(1, START, exchanges[0].body.events[0])));
  await settle();
  assert.equal(exchanges.length, 2);
  assert.deepEqual(exchanges[1].body.events.map((/** @type {any} */ event) => event.name), ["second"]);
  assert.equal(exchanges[1].body.after, 2);
});

test("a server that does not answer is asked again, with the same events", async () => {
  const talk = conversation();
  talk.append({ type: "session.rename", name: "mine" });
  exchanges[0].answer(Promise.reject(new TypeError("away")));
  await settle();
  assert.deepEqual(connections.at(-1), { ok: false, unsent: 1, stored: true, full: false });
  mock.timers.tick(300);
  assert.equal(exchanges.length, 2);
  assert.deepEqual(exchanges[1].body, exchanges[0].body);
  mock.timers.tick(45000);
  await settle();
  mock.timers.tick(700);
  assert.equal(exchanges.length, 3, "silence is no answer");
});

test("a window that is told to come again does so then, and counts as connected", async () => {
  const talk = conversation();
  talk.append({ type: "session.rename", name: "mine" });
  const busy = { kind: "busy", reason: "It goes on in a moment.", seconds: 2 };
  exchanges[0].answer(answer(journal(1, START, exchanges[0].body.events[0]), busy));
  await settle();
  assert.deepEqual(messages, [busy]);
  assert.deepEqual(connections.at(-1), { ok: true, unsent: 0, stored: true, full: false });
  mock.timers.tick(1999);
  assert.equal(exchanges.length, 1);
  mock.timers.tick(1);
  assert.equal(exchanges.length, 2);
});

test("what did not come this time is told, and asked for again when the server says", async () => {
  const talk = conversation();
  talk.append({ type: "session.rename", name: "mine" });
  const passing = { kind: "passing", reason: "The address does not answer.", seconds: 5 };
  exchanges[0].answer(answer(journal(1, START, exchanges[0].body.events[0]), passing));
  await settle();
  assert.deepEqual(messages, [passing]);
  assert.deepEqual(connections.at(-1), { ok: true, unsent: 0, stored: true, full: false });
  mock.timers.tick(4999);
  assert.equal(exchanges.length, 1);
  mock.timers.tick(1);
  assert.equal(exchanges.length, 2);
});

test("what a closed window left unsent is sent by the next", () => {
  stored.set("squiggle:unsent:a:gone", JSON.stringify([{ id: "e", type: "session.rename", name: "left" }]));
  stored.set("squiggle:unsent:b:gone", JSON.stringify([{ id: "f", type: "session.rename", name: "elsewhere" }]));
  const talk = conversation();
  assert.equal(talk.state.name, "left");
  assert.deepEqual([...stored.keys()], ["squiggle:unsent:b:gone", "squiggle:unsent:a:here"]);
});

test("what makes no sense is dropped with its reason; what a proxy says counts for nothing", async () => {
  const talk = conversation();
  talk.append({ type: "session.rename", name: "mine" });
  exchanges[0].answer(new Response("<h1>Bad request</h1>", { status: 400 }));
  await settle();
  assert.equal(talk.unsent.count, 1);
  mock.timers.tick(300);
  exchanges[1].answer(Response.json({ error: "No sense." }, { status: 400 }));
  await settle();
  assert.deepEqual([talk.unsent.count, messages], [0, [{ kind: "refused", reason: "No sense." }]]);
});

test("a full server is told of nothing new until there is room, and the person once", async () => {
  const talk = conversation();
  talk.append({ type: "session.rename", name: "mine" });
  exchanges[0].answer(Response.json({ error: "Full." }, { status: 507 }));
  await settle();
  mock.timers.tick(300);
  assert.deepEqual(exchanges[1].body.events, []);
  exchanges[1].answer(answer(journal(1, START)));
  await settle();
  assert.deepEqual(exchanges[2].body.events.length, 1);
  exchanges[2].answer(answer(journal(2, exchanges[2].body.events[0])));
  await settle();
  assert.deepEqual(messages.map(({ kind }) => kind), ["full", "room"]);
  assert.equal(talk.unsent.count, 0);
});

test("who is signed out is led to the sign-in; what was done stays", async () => {
  const talk = conversation();
  talk.append({ type: "session.rename", name: "mine" });
  exchanges[0].answer(Response.json({ error: "Signed out." }, { status: 401 }));
  await settle();
  assert.deepEqual([signedOut, talk.unsent.count], [1, 1]);
});

test("a session that is gone is not asked for again", async () => {
  const talk = conversation();
  talk.sync();
  exchanges[0].answer(answer({ kind: "gone", reason: "It was deleted." }));
  await settle();
  talk.sync();
  mock.timers.tick(10000);
  assert.deepEqual([exchanges.length, messages.map(({ kind }) => kind)], [1, ["gone"]]);
});
