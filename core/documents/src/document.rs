//! One document in memory: Automerge's state, and the graph of its changes as the gate needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use automerge::{
    Automerge, Change, ChangeHash, LoadOptions, ObjId, ObjType, ReadDoc, Value, VerificationMode,
};
use registro_model::{Capacity, CommandId};

use crate::fact::{CAPACITY, Fact, Field, Scalar, VERSION};
use crate::gate::bounds;
use crate::genesis;
use crate::kind::Kind;

/// The operation that put a fact: Automerge's id of the fact's map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpRef {
    /// Its counter.
    pub counter: u64,
    /// Its actor.
    pub actor: [u8; 16],
}

/// A version of a fact as a document holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The fact.
    pub fact: Fact,
    /// The operation that put it.
    pub op: OpRef,
    /// The change of that operation.
    pub change: ChangeHash,
}

/// A change in a document's graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeInfo {
    /// Its hash.
    pub hash: ChangeHash,
    /// Its actor.
    pub actor: [u8; 16],
    /// Its sequence number.
    pub seq: u64,
    /// Counter of its first operation.
    pub start_op: u64,
    /// Counter of its last operation.
    pub max_op: u64,
    /// What it was written on.
    pub deps: Vec<ChangeHash>,
    /// When the author's clock said it was written, Unix seconds.
    pub time: i64,
}

/// Bytes that are no sound document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Beyond the bounds within which Automerge may look at foreign bytes.
    #[error("the document is out of bounds: {0}")]
    Bounds(&'static str),
    /// Automerge does not load it.
    #[error("the document does not load")]
    Unreadable,
    /// It does not begin with exactly one genesis of a known kind, or lacks changes.
    #[error("the document is of no known kind, or incomplete")]
    Genesis,
}

/// A document in memory.
#[derive(Clone)]
pub struct Document {
    kind: Kind,
    automerge: Automerge,
    changes: BTreeMap<ChangeHash, Arc<ChangeInfo>>,
    actors: BTreeMap<[u8; 16], Vec<Arc<ChangeInfo>>>,
    sections: BTreeMap<&'static str, ObjId>,
}

impl core::fmt::Debug for Document {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Document").field("kind", &self.kind).field("changes", &self.changes.len()).finish()
    }
}

impl Document {
    /// A document that nobody has written to: its genesis.
    pub fn founded(kind: Kind) -> Self {
        let change = Change::from_bytes(genesis::bytes(kind).to_vec()).expect("the genesis is a change");
        let mut automerge = Automerge::new();
        automerge.apply_changes([change]).expect("the genesis applies");
        Self::index(kind, automerge).expect("the genesis has an index")
    }

    /// Loads a saved document. Its size and expansion are bounded before Automerge sees it; a panic inside is an
    /// error; heads are verified.
    pub fn load(bytes: &[u8]) -> Result<Self, LoadError> {
        bounds::check_document(bytes).map_err(LoadError::Bounds)?;
        let load = || {
            let options = LoadOptions::new().verification_mode(VerificationMode::Check);
            let automerge =
                Automerge::load_with_options(bytes, options).map_err(|_| LoadError::Unreadable)?;
            if !automerge.get_missing_deps(&[]).is_empty() {
                return Err(LoadError::Genesis);
            }
            let roots: Vec<_> = automerge
                .get_changes_meta(&[])
                .iter()
                .filter(|change| change.deps.is_empty())
                .map(|change| change.hash)
                .collect();
            let [root] = roots.as_slice() else { return Err(LoadError::Genesis) };
            let kind = genesis::kind_of(root).ok_or(LoadError::Genesis)?;
            Self::index(kind, automerge).ok_or(LoadError::Genesis)
        };
        catch_unwind(AssertUnwindSafe(load)).map_err(|_| LoadError::Unreadable)?
    }

    fn index(kind: Kind, automerge: Automerge) -> Option<Self> {
        let mut sections = BTreeMap::new();
        for (counter, section) in (1..).zip(genesis::sections(kind)) {
            // Only the genesis's own map: what was put over it would hide every fact.
            match automerge.get(automerge::ROOT, section).ok()?? {
                (Value::Object(ObjType::Map), id @ ObjId::Id(..)) if is_genesis(&id, counter) => {
                    sections.insert(section, id)
                }
                _ => return None,
            };
        }
        let infos: Vec<_> = automerge
            .get_changes_meta(&[])
            .iter()
            .map(|meta| {
                if meta.max_op > bounds::MAX_COUNTER || !bounds::is_time(meta.timestamp) {
                    return None;
                }
                Some(Arc::new(ChangeInfo {
                    hash: meta.hash,
                    actor: meta.actor.to_bytes().try_into().ok()?,
                    seq: meta.seq,
                    start_op: meta.start_op,
                    max_op: meta.max_op,
                    deps: meta.deps.clone(),
                    time: meta.timestamp,
                }))
            })
            .collect::<Option<_>>()?;
        let mut document =
            Self { kind, automerge, changes: BTreeMap::new(), actors: BTreeMap::new(), sections };
        for info in infos {
            document.note(info);
        }
        Some(document)
    }

    fn note(&mut self, info: Arc<ChangeInfo>) {
        let list = self.actors.entry(info.actor).or_default();
        let at = list.partition_point(|known| known.seq < info.seq);
        list.insert(at, Arc::clone(&info));
        self.changes.insert(info.hash, info);
    }

    /// Takes a change that has passed the gate, with the state after it.
    pub(crate) fn advance(&mut self, automerge: Automerge, info: ChangeInfo) {
        self.automerge = automerge;
        self.note(Arc::new(info));
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The current heads.
    pub fn heads(&self) -> Vec<ChangeHash> {
        self.automerge.get_heads()
    }

    /// Whether the document holds a change.
    pub fn contains(&self, hash: &ChangeHash) -> bool {
        self.changes.contains_key(hash)
    }

    /// Saves the document as Automerge's file format.
    pub fn save(&self) -> Vec<u8> {
        self.automerge.save()
    }

    /// How many changes it holds, the genesis included.
    pub fn change_count(&self) -> usize {
        self.changes.len()
    }

    /// Hashes of all changes, in the order in which a saved and loaded document stores them.
    pub fn changes_in_order(&self) -> impl Iterator<Item = ChangeHash> {
        self.automerge.get_changes_meta(&[]).into_iter().map(|meta| meta.hash).collect::<Vec<_>>().into_iter()
    }

    /// A change of the graph.
    pub fn change_info(&self, hash: &ChangeHash) -> Option<&ChangeInfo> {
        self.changes.get(hash).map(AsRef::as_ref)
    }

    /// The last change of an actor.
    pub fn last_of(&self, actor: &[u8; 16]) -> Option<&ChangeInfo> {
        self.actors.get(actor)?.last().map(AsRef::as_ref)
    }

    /// Whether an actor has written in the document.
    pub fn has_actor(&self, actor: &[u8; 16]) -> bool {
        self.actors.contains_key(actor)
    }

    /// All actors.
    pub fn actors(&self) -> impl Iterator<Item = &[u8; 16]> {
        self.actors.keys()
    }

    /// Whether a change is one of the given ones or among what they were written on.
    pub fn is_ancestor(&self, ancestor: &ChangeHash, of: &[ChangeHash]) -> bool {
        let Some(goal) = self.changes.get(ancestor) else { return false };
        let mut open: Vec<ChangeHash> = of.to_vec();
        let mut seen = BTreeSet::new();
        while let Some(hash) = open.pop() {
            if hash == *ancestor {
                return true;
            }
            if let Some(info) = self.changes.get(&hash)
                // What was written on something later has a higher counter than it.
                && info.max_op > goal.max_op
                && seen.insert(hash)
            {
                open.extend(info.deps.iter().copied());
            }
        }
        false
    }

    /// The raw chunk of a change.
    pub fn raw_change(&self, hash: &ChangeHash) -> Option<Vec<u8>> {
        self.automerge.get_change_by_hash(hash).map(|change| change.raw_bytes().to_vec())
    }

    /// All keys of a section.
    pub fn keys(&self, section: &str) -> Vec<String> {
        match self.sections.get(section) {
            Some(object) => self.automerge.keys(object).map(|key| key.to_string()).collect(),
            None => Vec::new(),
        }
    }

    /// Every concurrent version under a key. A value that this version of the register cannot read is left out.
    pub fn versions(&self, section: &str, key: &str) -> Vec<Version> {
        let Some(object) = self.sections.get(section) else { return Vec::new() };
        self.read_versions(self.automerge.get_all(object, key).unwrap_or_default())
    }

    /// Every concurrent version under a key as of some changes.
    pub fn versions_at(&self, section: &str, key: &str, heads: &[ChangeHash]) -> Vec<Version> {
        let Some(object) = self.sections.get(section) else { return Vec::new() };
        self.read_versions(self.automerge.get_all_at(object, key, heads).unwrap_or_default())
    }

    fn read_versions(&self, values: Vec<(Value<'_>, ObjId)>) -> Vec<Version> {
        values
            .into_iter()
            .filter_map(|(value, id)| {
                let (Value::Object(ObjType::Map), ObjId::Id(counter, actor, _)) = (value, &id) else {
                    return None;
                };
                let op = OpRef { counter: *counter, actor: actor.to_bytes().try_into().ok()? };
                let change = self.change_of(&op)?;
                Some(Version { fact: self.read_fact(&id)?, op, change })
            })
            .collect()
    }

    fn change_of(&self, op: &OpRef) -> Option<ChangeHash> {
        let list = self.actors.get(&op.actor)?;
        let after = list.partition_point(|info| info.start_op <= op.counter);
        let info = list.get(after.checked_sub(1)?)?;
        (op.counter <= info.max_op).then_some(info.hash)
    }

    fn read_fact(&self, object: &ObjId) -> Option<Fact> {
        let mut fact = Fact::new(CommandId([0; 8]), Capacity::Pupil);
        let (mut v, mut capacity) = (None, None);
        for item in self.automerge.map_range(object, ..) {
            let (name, id) = (item.key.to_string(), item.id());
            match item.value.into_value() {
                Value::Object(ObjType::Map) => {
                    let mut map = BTreeMap::new();
                    for inner in self.automerge.map_range(id, ..) {
                        map.insert(inner.key.to_string(), read_scalar(inner.value.into_value())?);
                    }
                    fact.fields.insert(name, Field::Map(map));
                }
                value => match (name.as_str(), read_scalar(value)?) {
                    (VERSION, Scalar::Bytes(bytes)) => v = CommandId::try_from(bytes.as_slice()).ok(),
                    (CAPACITY, Scalar::Text(text)) => capacity = text.parse().ok(),
                    (_, scalar) => {
                        fact.fields.insert(name, Field::Scalar(scalar));
                    }
                },
            }
        }
        fact.v = v?;
        fact.capacity = capacity?;
        Some(fact)
    }

    /// The keys that a change wrote, as (section, key).
    pub fn keys_written_by(&self, hash: &ChangeHash) -> Vec<(String, String)> {
        let Some(change) = self.automerge.get_change_by_hash(hash) else { return Vec::new() };
        let Ok(expanded) = catch_unwind(AssertUnwindSafe(|| change.decode())) else { return Vec::new() };
        expanded
            .operations
            .iter()
            .filter_map(|op| match (&op.obj, &op.key) {
                (automerge::legacy::ObjectId::Id(id), automerge::legacy::Key::Map(key))
                    if id.actor().to_bytes() == genesis::ACTOR =>
                {
                    Some((genesis::section_of(self.kind, id.counter())?.to_owned(), key.to_string()))
                }
                _ => None,
            })
            .collect()
    }

    /// The map of a section.
    pub fn section_object(&self, section: &str) -> Option<ObjId> {
        self.sections.get(section).cloned()
    }

    pub(crate) fn automerge(&self) -> &Automerge {
        &self.automerge
    }
}

fn is_genesis(id: &ObjId, counter: u64) -> bool {
    matches!(id, ObjId::Id(found, actor, _) if *found == counter && actor.to_bytes() == genesis::ACTOR)
}

fn read_scalar(value: Value<'_>) -> Option<Scalar> {
    match value.into_scalar().ok()? {
        automerge::ScalarValue::Str(text) => Some(Scalar::Text(text.to_string())),
        automerge::ScalarValue::Int(int) => Some(Scalar::Int(int)),
        automerge::ScalarValue::Boolean(bool) => Some(Scalar::Bool(bool)),
        automerge::ScalarValue::Bytes(bytes) => Some(Scalar::Bytes(bytes)),
        _ => None,
    }
}
