//! Step 4: an honest change contains only whole facts under keys of sections.

use std::collections::{BTreeMap, BTreeSet};

use automerge::legacy::{Key, ObjectId, OpType};
use automerge::{ExpandedChange, ObjType, ScalarValue};
use registro_model::{Capacity, CommandId};

use super::{Code, Expectation, Put, Refusal, resolution_digest};
use crate::document::{Document, OpRef, Version};
use crate::fact::{CAPACITY, Fact, Field, RESOLVES, Scalar, VERSION};
use crate::genesis;
use crate::schema;

struct Draft {
    section: &'static str,
    key: String,
    pred: BTreeSet<OpRef>,
    fields: BTreeMap<String, Field>,
}

fn form(reason: &str) -> Refusal {
    Refusal::new(Code::Form, reason)
}

/// Checks every operation; returns the facts that the change puts.
pub(super) fn check(
    document: &Document,
    actor: [u8; 16],
    change: &ExpandedChange,
    expect: &Expectation,
) -> Result<Vec<Put>, Refusal> {
    let drafts = read(document, actor, change)?;
    if drafts.is_empty() {
        return Err(form("it puts nothing"));
    }
    let heads: BTreeSet<_> = document.heads().into_iter().collect();
    let current = heads.len() == change.deps.len() && change.deps.iter().all(|dep| heads.contains(dep));
    let mut seen = BTreeSet::new();
    let puts: Vec<Put> = drafts
        .into_iter()
        .map(|draft| {
            if !seen.insert((draft.section, draft.key.clone())) {
                return Err(form("it puts a key twice"));
            }
            let replaces = if current {
                document.versions(draft.section, &draft.key)
            } else {
                document.versions_at(draft.section, &draft.key, &change.deps)
            };
            put(document, draft, replaces, expect)
        })
        .collect::<Result<_, _>>()?;
    let of_one_command = |pair: &[Put]| match pair {
        [one, other] => one.fact.v == other.fact.v && one.fact.capacity == other.fact.capacity,
        _ => true,
    };
    if puts.windows(2).all(of_one_command) { Ok(puts) } else { Err(form("facts of several commands")) }
}

/// Sorts the operations into the facts that they build.
fn read(document: &Document, actor: [u8; 16], change: &ExpandedChange) -> Result<Vec<Draft>, Refusal> {
    let mut drafts: Vec<Draft> = Vec::new();
    // Maps that this change makes, by operation counter: a fact, or a map inside a fact.
    let mut facts: BTreeMap<u64, usize> = BTreeMap::new();
    let mut maps: BTreeMap<u64, (usize, String)> = BTreeMap::new();
    for (index, op) in change.operations.iter().enumerate() {
        let counter = change.start_op.get() + index as u64;
        let Key::Map(key) = &op.key else { return Err(form("a list operation")) };
        if op.insert {
            return Err(form("a list operation"));
        }
        if key.is_empty() || key.len() > Fact::MAX_KEY {
            return Err(Refusal::new(Code::Bounds, "a key is empty or longer than 200 bytes"));
        }
        let ObjectId::Id(object) = &op.obj else { return Err(form("an operation on the root")) };
        let by = object.actor().to_bytes();
        if by == genesis::ACTOR {
            let section = genesis::section_of(document.kind(), object.counter())
                .ok_or_else(|| form("an operation on an unknown object"))?;
            if op.action != OpType::Make(ObjType::Map) {
                return Err(form("a section holds facts only"));
            }
            let pred = op
                .pred
                .iter()
                .map(|id| {
                    let actor =
                        id.actor().to_bytes().try_into().map_err(|_| form("an actor has not 16 bytes"))?;
                    Ok(OpRef { counter: id.counter(), actor })
                })
                .collect::<Result<BTreeSet<_>, Refusal>>()?;
            if pred.len() != op.pred.iter().count() {
                return Err(form("a predecessor named twice"));
            }
            facts.insert(counter, drafts.len());
            drafts.push(Draft { section, key: key.to_string(), pred, fields: BTreeMap::new() });
            continue;
        }
        if by != actor || op.pred.iter().next().is_some() {
            return Err(form("an operation inside an existing fact"));
        }
        if let Some(fact) = facts.get(&object.counter()) {
            let draft = drafts.get_mut(*fact).ok_or_else(|| form("an operation on an unknown object"))?;
            let field = match &op.action {
                OpType::Put(value) => Field::Scalar(scalar(value)?),
                OpType::Make(ObjType::Map) => {
                    maps.insert(counter, (*fact, key.to_string()));
                    Field::Map(BTreeMap::new())
                }
                _ => return Err(form("a fact holds scalars and maps of scalars")),
            };
            if draft.fields.insert(key.to_string(), field).is_some() {
                return Err(form("a field twice"));
            }
            if draft.fields.values().filter(|field| matches!(field, Field::Map(_))).count() > Fact::MAX_MAPS {
                return Err(form("more than 8 maps in a fact"));
            }
        } else if let Some((fact, name)) = maps.get(&object.counter()) {
            let OpType::Put(value) = &op.action else { return Err(form("a map of a fact holds scalars")) };
            let map = drafts.get_mut(*fact).and_then(|draft| draft.fields.get_mut(name));
            let Some(Field::Map(map)) = map else { return Err(form("an operation on an unknown object")) };
            if map.insert(key.to_string(), scalar(value)?).is_some() {
                return Err(form("a field twice"));
            }
        } else {
            return Err(form("an operation inside an existing fact"));
        }
    }
    Ok(drafts)
}

fn scalar(value: &ScalarValue) -> Result<Scalar, Refusal> {
    let bounded = |length: usize| {
        if length > Fact::MAX_TEXT {
            Err(Refusal::new(Code::Bounds, "a text is longer than 8 KB"))
        } else {
            Ok(())
        }
    };
    Ok(match value {
        ScalarValue::Str(text) => {
            bounded(text.len())?;
            Scalar::Text(text.to_string())
        }
        ScalarValue::Bytes(bytes) => {
            bounded(bytes.len())?;
            Scalar::Bytes(bytes.clone())
        }
        ScalarValue::Int(int) => Scalar::Int(*int),
        ScalarValue::Boolean(bool) => Scalar::Bool(*bool),
        _ => return Err(form("a scalar of a type that facts do not have")),
    })
}

fn put(
    document: &Document,
    mut draft: Draft,
    replaces: Vec<Version>,
    expect: &Expectation,
) -> Result<Put, Refusal> {
    let v = match draft.fields.remove(VERSION) {
        Some(Field::Scalar(Scalar::Bytes(bytes))) => CommandId::try_from(bytes.as_slice()).ok(),
        _ => None,
    }
    .ok_or_else(|| form("a fact without version"))?;
    let capacity = match draft.fields.remove(CAPACITY) {
        Some(Field::Scalar(Scalar::Text(text))) => text.parse::<Capacity>().ok(),
        _ => None,
    }
    .ok_or_else(|| form("a fact without capacity"))?;
    if expect.command.is_some_and(|command| command != v) {
        return Err(form("a fact of another command"));
    }
    if expect.capacity.is_some_and(|expected| expected != capacity) {
        return Err(form("a fact in another capacity"));
    }
    let existing: BTreeSet<_> = replaces.iter().map(|version| version.op).collect();
    if existing != draft.pred {
        return Err(form("its predecessors are not the values at its dependencies"));
    }
    let fact = Fact { v, capacity, fields: draft.fields };
    let resolves = (replaces.len() > 1)
        .then(|| resolution_digest(&replaces.iter().map(|version| version.fact.v).collect::<Vec<_>>()));
    if fact.fields.get(RESOLVES).is_some_and(|field| !matches!(field, Field::Scalar(Scalar::Bytes(_))))
        || fact.resolves() != resolves.as_ref().map(<[u8; 32]>::as_slice)
    {
        return Err(form("it resolves something else than its predecessors"));
    }
    if !expect.accepted_by_hub {
        let schema = schema::section(document.kind(), draft.section)
            .ok_or_else(|| form("a section that this version does not write"))?;
        schema.check(&draft.key, &fact).map_err(|error| form(&error.to_string()))?;
        // Facts are cited by key and version, which must name one.
        let cited = document.versions(draft.section, &draft.key);
        if cited.iter().any(|held| held.fact.v == v && held.fact != fact) {
            return Err(form("another fact of a version that is there"));
        }
    }
    Ok(Put { section: draft.section, key: draft.key, fact, replaces })
}
