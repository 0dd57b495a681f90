// What stands in a saved document: section → key → all concurrent versions, in the form of report.json.
//
// Bytes become lower-case hex. Versions are ordered by their canonical text, because the order in which Automerge
// gives concurrent values depends on ids of operations, which are nobody's business.

import * as Automerge from "@automerge/automerge";

/** Reads the bytes of a saved document. Throws if they do not load. */
export function factsOf(bytes) {
  const document = Automerge.load(bytes);
  const sections = {};
  for (const [name, section] of Object.entries(document)) {
    const facts = {};
    for (const key of Object.keys(section)) {
      const versions = Object.values(Automerge.getConflicts(section, key) ?? { only: section[key] });
      facts[key] = inOrder(versions.map(plain));
    }
    if (Object.keys(facts).length > 0) sections[name] = facts;
  }
  return sections;
}

/** How many changes a saved document has, the genesis included. */
export function changeCount(bytes) {
  return Automerge.getAllChanges(Automerge.load(bytes)).length;
}

/** The same value for the same facts, whatever the order of keys and of concurrent versions. */
export function canonical(sections) {
  const ordered = {};
  for (const [name, facts] of Object.entries(sections)) {
    ordered[name] = Object.fromEntries(Object.entries(facts).map(([key, versions]) => [key, inOrder(versions)]));
  }
  return text(ordered);
}

function inOrder(versions) {
  return versions
    .map((version) => [text(version), version])
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, version]) => version);
}

function plain(value) {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  // Text that is one value, not a sequence of characters, is an object of its own in JavaScript.
  if (Automerge.isImmutableString(value)) return value.toString();
  if (typeof value === "bigint") return Number(value);
  if (value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
  }
  if (["string", "number", "boolean"].includes(typeof value)) return value;
  throw new Error(`a fact holds what the register never writes: ${Object.prototype.toString.call(value)}`);
}

/** JSON with the names of every object in order. */
function text(value) {
  if (Array.isArray(value)) return `[${value.map(text).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${text(value[name])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
