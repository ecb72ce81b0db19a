/* By what results are seen to be out of date: asked until it is told, and the last question counts. */

import assert from "node:assert/strict";
import { test } from "node:test";

/** @type {any} */ (globalThis).document = { body: { dataset: { base: "/" } }, getElementById: () => null };
/** @type {any} */ (globalThis).window = { location: { pathname: "/s/a" } };
const { ClassifierNow } = await import("../../../assets/controls/classifiernow.mjs");

/** @type {any} */
const session = { conversation: { settled: () => Promise.resolve() } };

test("an answer that is overtaken by that to a later question does not count", async () => {
  /** @type {((now: object) => void)[]} */
  const answers = [];
  globalThis.fetch = () => new Promise((resolve) => {
    answers.push((now) => resolve(new Response(JSON.stringify(now))));
  });
  const now = new ClassifierNow(session);
  const first = now.ask("a");
  await new Promise((resolve) => { setTimeout(resolve); });
  const second = now.ask("a");
  await new Promise((resolve) => { setTimeout(resolve); });
  answers[1]({ classifier: "new" });
  assert.deepEqual(await second, { classifier: "new" });
  answers[0]({ classifier: "old" });
  assert.equal(await first, null);
});

test("what was drawn before is sent before it is asked what there is now", async () => {
  /** @type {string[]} */
  const order = [];
  const sending = { conversation: { settled: async () => { order.push("sent"); } } };
  globalThis.fetch = async () => {
    order.push("asked");
    return new Response("{}");
  };
  await new ClassifierNow(/** @type {any} */ (sending)).ask("a");
  assert.deepEqual(order, ["sent", "asked"]);
});

for (const status of [429, 502, 503, 504]) {
  test(`a server that answers with ${status} is asked again`, async () => {
    const answers = [
      () => new Response("{}", { status, headers: { "Retry-After": "0.01" } }),
      () => new Response('{"classifier": "b"}'),
    ];
    globalThis.fetch = async () => /** @type {() => Response} */ (answers.shift())();
    assert.deepEqual(await new ClassifierNow(session).ask("a"), { classifier: "b" });
  });
}

test("a server that is away is asked again", async () => {
  const answers = [() => { throw new TypeError("away"); }, () => new Response('{"classifier": "b"}')];
  globalThis.fetch = async () => /** @type {() => Response} */ (answers.shift())();
  assert.deepEqual(await new ClassifierNow(session).ask("a"), { classifier: "b" });
});

test("what is refused for good is not asked for again", async () => {
  let asked = 0;
  globalThis.fetch = async () => {
    asked += 1;
    return new Response("{}", { status: 404 });
  };
  assert.equal(await new ClassifierNow(session).ask("a"), null);
  assert.equal(asked, 1);
});
