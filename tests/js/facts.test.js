// The comparison itself: it must see a difference, and must not see one where there is none.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as Automerge from "@automerge/automerge";

import { canonical, factsOf } from "./facts.js";

const genesis = Automerge.from({ roll: {}, empty: {} }, { actor: "00" });

function roll(key, fact, actor) {
  const copy = Automerge.clone(genesis, { actor });
  return Automerge.change(copy, (document) => {
    document.roll[key] = fact;
  });
}

test("both of two concurrent facts are read", () => {
  const one = roll("2026-11-23", { by: new Uint8Array([1, 171]), late: 5 }, "aa");
  const two = roll("2026-11-23", { by: new Uint8Array([2]), late: 7 }, "bb");
  const merged = Automerge.merge(Automerge.clone(one), two);
  assert.deepEqual(factsOf(Automerge.save(merged)), {
    roll: { "2026-11-23": [{ by: "01ab", late: 5 }, { by: "02", late: 7 }] },
  });
});

test("text that is one value reads as a string", () => {
  const document = roll("k", { as: new Automerge.ImmutableString("teacher"), seen: { a: true } }, "aa");
  assert.deepEqual(factsOf(Automerge.save(document)), { roll: { k: [{ as: "teacher", seen: { a: true } }] } });
});

test("the order of keys and of versions makes no difference", () => {
  assert.equal(
    canonical({ a: { k: [{ x: 1, y: 2 }, { x: 0 }] }, b: {} }),
    canonical({ b: {}, a: { k: [{ x: 0 }, { y: 2, x: 1 }] } }),
  );
});

test("another value makes a difference", () => {
  assert.notEqual(canonical({ a: { k: [{ x: 1 }] } }), canonical({ a: { k: [{ x: "1" }] } }));
  assert.notEqual(canonical({ a: { k: [{ x: 1 }] } }), canonical({ a: { k: [{ x: 1 }, { x: 1 }] } }));
});

test("bytes that are no document do not load", () => {
  assert.throws(() => factsOf(new Uint8Array([1, 2, 3])));
});
