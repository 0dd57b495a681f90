// Every document of a school day reads in JavaScript as it does in Rust.
//
// SCHOOL_DAY names the folder that `school_day --out` wrote: `documents/*.automerge`, and `report.json` with
// `documents: [{ file, changes, facts }]`. `cargo xtask automerge-js` sets it.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { canonical, changeCount, factsOf } from "./facts.js";

const folder = process.env.SCHOOL_DAY ?? "";

test("every document of the school day reads the same facts", { skip: folder === "" && "SCHOOL_DAY is not set" }, () => {
  const report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
  const files = readdirSync(join(folder, "documents")).filter((name) => name.endsWith(".automerge"));
  const reported = new Map(report.documents.map((document) => [document.file, document]));
  assert.deepEqual([...reported.keys()].sort(), [...files].sort(), "the report lists the files that are there");

  let facts = 0;
  let versions = 0;
  for (const file of files) {
    const bytes = readFileSync(join(folder, "documents", file));
    const read = factsOf(bytes);
    const expected = reported.get(file);
    assert.equal(canonical(read), canonical(expected.facts), `facts of ${file}`);
    assert.equal(changeCount(bytes), expected.changes, `changes of ${file}`);
    for (const section of Object.values(read)) {
      for (const values of Object.values(section)) {
        facts += 1;
        versions += values.length;
      }
    }
  }
  assert.ok(facts > 0, "a school day leaves facts");
  console.log(`${files.length} documents, ${facts} facts, ${versions} versions`);
});
