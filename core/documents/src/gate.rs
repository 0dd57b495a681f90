//! The gate: the only door by which foreign bytes reach Automerge, on the hub, on a device, between tablets.
//! Without it a change of 69 bytes can cost 9 GB, and a well-formed one can make a document unloadable for ever.
//!
//! | step | where |
//! |---|---|
//! | 0 envelope: who signs | the caller, by [`crate::envelope`] |
//! | 1 bounds, before any allocation | [`bounds`] |
//! | 2 canonical: decoding and encoding again gives the same bytes | here |
//! | 3 graph: what it rests on, its sequence number, its counters | `graph` |
//! | 4 operations: exactly whole facts under keys of sections | `operations` |
//! | 5 authority | [`crate::policy`] |
//! | 6 apply, to a copy | [`admit`] |

pub mod bounds;
mod graph;
mod operations;

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Change, ChangeHash};
use registro_model::{Capacity, CommandId};

use crate::bytes::sha256;
use crate::document::{ChangeInfo, Document, Version};
use crate::fact::Fact;

/// Why a change does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Beyond the bounds. Final.
    Bounds,
    /// Not the form of an honest change. Final.
    Form,
    /// It does not follow its author's own changes. Final.
    Graph,
    /// It rests on something that is not here. It may arrive.
    Missing,
    /// Its author has another change of this sequence number here. Final.
    Duplicate,
}

impl Code {
    /// Stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounds => "bounds",
            Self::Form => "form",
            Self::Graph => "graph",
            Self::Missing => "missing",
            Self::Duplicate => "duplicate",
        }
    }
}

/// A refusal of the gate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", code.as_str())]
pub struct Refusal {
    /// The code.
    pub code: Code,
    /// One technical sentence, without anything of the content.
    pub reason: String,
}

impl Refusal {
    fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

/// What the envelope says about the change. `None` is not checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expectation {
    /// The hash that the envelope signs.
    pub hash: Option<[u8; 32]>,
    /// The actor, recomputed from certificate, document and epoch.
    pub actor: Option<[u8; 16]>,
    /// The command: the version of every fact.
    pub command: Option<CommandId>,
    /// The capacity of every fact.
    pub capacity: Option<Capacity>,
    /// The hub has accepted it: sections, fields and types that this version does not know are kept.
    pub accepted_by_hub: bool,
}

/// A fact that a change puts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// The section.
    pub section: &'static str,
    /// The key.
    pub key: String,
    /// The fact.
    pub fact: Fact,
    /// The versions that it replaces.
    pub replaces: Vec<Version>,
}

/// A change that passed steps 1 to 4.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Its hash.
    pub hash: ChangeHash,
    /// Its actor.
    pub actor: [u8; 16],
    /// Its sequence number.
    pub seq: u64,
    /// What it rests on.
    pub deps: Vec<ChangeHash>,
    /// The author's clock, Unix seconds.
    pub time: i64,
    /// What it puts, each key once.
    pub puts: Vec<Put>,
    change: Change,
}

/// What the gate says of a change that it does not refuse.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The document holds it already.
    Known(ChangeHash),
    /// It is sound.
    Sound(Box<Judged>),
}

/// SHA-256 of the sorted versions that a resolution supersedes.
pub fn resolution_digest(versions: &[CommandId]) -> [u8; 32] {
    let mut sorted = versions.to_vec();
    sorted.sort_unstable();
    sha256(&sorted.iter().flat_map(|v| v.0).collect::<Vec<u8>>())
}

/// The hash of a change chunk, which its envelope signs; `None` if the eight bytes before what is hashed are not the
/// ones that belong to it. The signature says nothing of those eight: whoever remembers a refusal under the hash asks
/// here first, or a carrier gets another's change refused for good by spoiling them.
pub fn chunk_hash(chunk: &[u8]) -> Option<ChangeHash> {
    let hash = sha256(chunk.get(8..)?);
    let sound = chunk.starts_with(&bounds::MAGIC) && chunk.get(4..8) == hash.get(..4);
    sound.then_some(ChangeHash(hash))
}

/// Judges a change against a document: steps 1 to 4.
pub fn judge(document: &Document, chunk: &[u8], expect: &Expectation) -> Result<Verdict, Refusal> {
    let bounds = bounds::check_change(chunk).map_err(|reason| Refusal::new(Code::Bounds, reason))?;
    let hash = chunk_hash(chunk).ok_or_else(|| Refusal::new(Code::Form, "the checksum is wrong"))?;
    if expect.hash.is_some_and(|signed| signed != hash.0) {
        return Err(Refusal::new(Code::Form, "not the change that was signed"));
    }
    if document.contains(&hash) {
        return Ok(Verdict::Known(hash));
    }
    let canonical = || {
        let change = Change::from_bytes(chunk.to_vec()).map_err(|_| "the change does not parse")?;
        if change.hash() != hash {
            return Err("the checksum is wrong");
        }
        let expanded = change.decode();
        if expanded.author.is_some() || expanded.message.is_some() || !expanded.extra_bytes.is_empty() {
            return Err("an author, a message or extra bytes");
        }
        if expanded.operations.len() > bounds::MAX_OPERATIONS {
            return Err("too many operations");
        }
        let again = Change::from(expanded.clone());
        if again.raw_bytes() == chunk { Ok((change, expanded)) } else { Err("not in canonical form") }
    };
    let (change, expanded) = catch_unwind(AssertUnwindSafe(canonical))
        .map_err(|_| Refusal::new(Code::Form, "decoding fails"))?
        .map_err(|reason| Refusal::new(Code::Form, reason))?;
    let actor = graph::check(document, &bounds, &expanded, expect)?;
    let puts = operations::check(document, actor, &expanded, expect)?;
    Ok(Verdict::Sound(Box::new(Judged {
        hash,
        actor,
        seq: expanded.seq,
        deps: expanded.deps,
        time: expanded.time,
        puts,
        change,
    })))
}

/// Applies a judged change: step 6, to a copy that is dropped if anything goes wrong.
pub fn admit(document: &mut Document, judged: Box<Judged>) -> Result<(), Refusal> {
    let Judged { hash, actor, seq, deps, time, change, .. } = *judged;
    let (start_op, max_op) = (change.start_op().get(), change.max_op());
    let mut copy = document.automerge().clone();
    let apply = || {
        use automerge::ReadDoc;
        copy.apply_changes([change]).map_err(|_| "it does not apply")?;
        let sound = copy.get_missing_deps(&[]).is_empty() && copy.get_change_meta_by_hash(&hash).is_some();
        if sound { Ok(copy) } else { Err("it waits for others") }
    };
    let copy = catch_unwind(AssertUnwindSafe(apply))
        .map_err(|_| Refusal::new(Code::Form, "applying fails"))?
        .map_err(|reason| Refusal::new(Code::Form, reason))?;
    document.advance(copy, ChangeInfo { hash, actor, seq, start_op, max_op, deps, time });
    Ok(())
}
