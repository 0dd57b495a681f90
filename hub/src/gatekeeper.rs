//! Judging pushed batches: envelope, gate, policy, office. A batch is accepted whole or not at all.
//!
//! | module | what |
//! |---|---|
//! | [`envelope_check`] | step 0: what fails there leaves no trace |
//! | [`memory`] | what is remembered of refusals |
//! | [`judging`] | the steps in order |

pub mod envelope_check;
pub mod judging;
pub mod memory;

use registro_documents::policy::Reason;
use registro_documents::{AcceptanceRecord, Hash};
use registro_model::{DocumentId, Standing};
use registro_sync::Code;

use crate::documents::Loaded;

/// What the hub does with a batch.
#[derive(Debug)]
pub enum Judgement {
    /// All of it is in the log.
    Known(Vec<(Hash, AcceptanceRecord)>),
    /// It may be accepted: the next state of every document that it touches, with the standing of the change.
    Acceptable(Vec<Acceptable>),
    /// It may not; with the facts that it would have written, as far as anybody looked.
    Not(Verdict, Vec<FactName>),
    /// It was judged before.
    Remembered(Vec<(Hash, Verdict)>),
}

/// The place of a fact, without its content.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(array)]
pub struct FactName {
    /// The document.
    #[n(0)]
    pub document: DocumentId,
    /// The section.
    #[n(1)]
    pub section: String,
    /// The key.
    #[n(2)]
    pub key: String,
}

/// A change that may be accepted.
#[derive(Debug)]
pub struct Acceptable {
    /// Its document.
    pub document: DocumentId,
    /// The document with it.
    pub next: Loaded,
    /// Its weight.
    pub standing: Standing,
    /// What it puts: section, key, fact. Kept for what the hub itself wrote.
    pub puts: Vec<(String, String, registro_documents::Fact)>,
}

/// Why a batch is not accepted, and what the hub remembers of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The code.
    pub code: Code,
    /// The reason, where policy or office decided.
    pub reason: Option<Reason>,
    /// Indexes of the changes that are the cause; `None` if all are alike. Its author's device runs the command again
    /// without them, so all are named at once.
    pub causes: Option<Vec<usize>>,
    /// Whether nothing is remembered of it.
    pub traceless: bool,
}

impl Verdict {
    pub(crate) fn traceless(code: Code, cause: Option<usize>) -> Self {
        Self { code, reason: None, causes: cause.map(|index| vec![index]), traceless: true }
    }

    pub(crate) fn final_code(code: Code, cause: Option<usize>) -> Self {
        Self { code, reason: None, causes: cause.map(|index| vec![index]), traceless: false }
    }

    pub(crate) const fn kept(code: Code, reason: Reason, causes: Option<Vec<usize>>) -> Self {
        Self { code, reason: Some(reason), causes, traceless: false }
    }

    /// Whether the change at an index is the cause.
    pub fn is_cause(&self, index: usize) -> bool {
        self.causes.as_ref().is_none_or(|causes| causes.contains(&index))
    }
}
