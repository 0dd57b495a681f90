//! Writing: a command's facts become one change of a document.

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, ChangeHash, ObjType, ScalarValue};
use registro_model::CommandId;

use crate::document::{Document, Version};
use crate::fact::{CAPACITY, Fact, Field, RESOLVES, Scalar, VERSION};
use crate::gate::resolution_digest;

/// A change that could not be made. These are our own mistakes or a damaged document, never a user's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The kind has no such section.
    #[error("the document has no section `{0}`")]
    Section(String),
    /// Nothing to write.
    #[error("a change without facts")]
    Empty,
    /// Automerge refused.
    #[error("the change could not be made: {0}")]
    Automerge(String),
}

/// A fact to put under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// The section.
    pub section: String,
    /// The key.
    pub key: String,
    /// The fact.
    pub fact: Fact,
}

/// A change as it was made, not yet in the document: it passes the gate like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The raw chunk.
    pub chunk: Vec<u8>,
    /// Its hash.
    pub hash: ChangeHash,
    /// What it was written on.
    pub deps: Vec<ChangeHash>,
}

/// Most heads that a device writes on.
pub const MAX_HEADS: usize = 32;

/// Makes the change that puts these facts, by this actor, on the given heads (all current ones if `None`). A put
/// over several concurrent versions is marked as their resolution.
pub fn write(
    document: &Document,
    actor: [u8; 16],
    heads: Option<&[ChangeHash]>,
    claimed: i64,
    puts: &[Put],
) -> Result<Written, WriteError> {
    if puts.is_empty() {
        return Err(WriteError::Empty);
    }
    let at_heads = heads.map(<[_]>::to_vec);
    let automerge = |error: automerge::AutomergeError| WriteError::Automerge(error.to_string());
    let mut fork = match &at_heads {
        Some(heads) => document.automerge().fork_at(heads).map_err(automerge)?,
        None => document.automerge().clone(),
    };
    fork.set_actor(ActorId::from(actor.as_slice()));
    let mut prepared = Vec::with_capacity(puts.len());
    for put in puts {
        let object =
            document.section_object(&put.section).ok_or_else(|| WriteError::Section(put.section.clone()))?;
        let replaced = match &at_heads {
            Some(heads) => document.versions_at(&put.section, &put.key, heads),
            None => document.versions(&put.section, &put.key),
        };
        let mut fact = put.fact.clone();
        fact.fields.remove(RESOLVES);
        if replaced.len() > 1 {
            fact = fact.with(RESOLVES, resolution_digest(&versions_of(&replaced)).to_vec());
        }
        prepared.push((object, put.key.as_str(), fact));
    }
    fork.transact_with::<_, _, automerge::AutomergeError, _>(
        |_| CommitOptions::default().with_time(claimed),
        |tx| prepared.iter().try_for_each(|(object, key, fact)| put_fact(tx, object, key, fact)),
    )
    .map_err(|failure| automerge(failure.error))?;
    let change = fork.get_last_local_change().ok_or(WriteError::Empty)?;
    Ok(Written { hash: change.hash(), deps: change.deps().to_vec(), chunk: change.raw_bytes().to_vec() })
}

/// The commands behind versions, sorted: what a fact "saw".
pub fn versions_of(versions: &[Version]) -> Vec<CommandId> {
    let mut ids: Vec<_> = versions.iter().map(|version| version.fact.v).collect();
    ids.sort_unstable();
    ids
}

fn put_fact<T: Transactable>(
    tx: &mut T,
    section: &automerge::ObjId,
    key: &str,
    fact: &Fact,
) -> Result<(), automerge::AutomergeError> {
    let map = tx.put_object(section, key, ObjType::Map)?;
    tx.put(&map, VERSION, ScalarValue::Bytes(fact.v.0.to_vec()))?;
    tx.put(&map, CAPACITY, fact.capacity.as_str())?;
    for (name, field) in &fact.fields {
        match field {
            Field::Scalar(scalar) => tx.put(&map, name.as_str(), scalar_value(scalar))?,
            Field::Map(entries) => {
                let inner = tx.put_object(&map, name.as_str(), ObjType::Map)?;
                for (name, scalar) in entries {
                    tx.put(&inner, name.as_str(), scalar_value(scalar))?;
                }
            }
        }
    }
    Ok(())
}

fn scalar_value(scalar: &Scalar) -> ScalarValue {
    match scalar {
        Scalar::Text(text) => ScalarValue::Str(text.as_str().into()),
        Scalar::Int(int) => ScalarValue::Int(*int),
        Scalar::Bool(bool) => ScalarValue::Boolean(*bool),
        Scalar::Bytes(bytes) => ScalarValue::Bytes(bytes.clone()),
    }
}
