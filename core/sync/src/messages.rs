//! Request and reply of `POST /v1/sync`. CBOR arrays with fixed positions; gzip in the transport.

use minicbor::{Decode, Encode};
use registro_documents::policy::Reason;
use registro_documents::{AcceptanceRecord, Batch, Certificate, DocumentIdentity, Hash, SignedChange};
use registro_model::{Date, DocumentId};

use crate::notices::{Checkpoint, Refused, Restored, Revoked, Snapshot};

/// A position in the school's log and its chain value there. Position 0 with a chain of zeros is the log's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Cursor {
    /// The position.
    #[n(0)]
    pub position: u64,
    /// The chain value of the row at that position.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub chain: Hash,
}

/// Most changes in one push.
pub const MAX_PUSH_CHANGES: usize = 500;
/// Most bytes of a request or a feed page before compression; a batch or a snapshot larger than this travels alone.
pub const PAGE_BYTES: usize = 256 * 1024;
/// Most bytes that either side reads of one message after decompression.
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;
/// Most documents asked for in one request.
pub const MAX_WANT: usize = 1_000;

/// Seconds after which a device asks again whose batch found the hub busy: as long as the hub says over HTTP.
pub const BUSY_SECONDS: u64 = 2;

/// What a device asks.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Request {
    /// Up to where the device has applied the feed.
    #[n(0)]
    pub cursor: Cursor,
    /// The hub's end as stated by the last reply applied: what came by `want`, acks and refusals stem from it.
    #[n(1)]
    pub end: Cursor,
    /// Digest of the set of documents that the device believes it may read.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub scope: Hash,
    /// Documents of which it wants the snapshot and the tail.
    #[n(3)]
    pub want: Vec<DocumentId>,
    /// Batches that it holds unconfirmed, anybody's.
    #[n(4)]
    pub push: Vec<Batch>,
    /// Certificates of pushed batches and those that a restored hub may lack.
    #[n(5)]
    pub certificates: Vec<Certificate>,
    /// Revocations that a restored hub may lack.
    #[n(6)]
    pub revoked: Vec<Revoked>,
}

/// What the hub answers.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Reply {
    /// The cursor, or the end, of the request is not of the hub's log: it was restored from a backup. Nothing else
    /// in the reply counts but `end` and `time`.
    #[n(0)]
    pub diverged: bool,
    /// What became of each pushed change.
    #[n(1)]
    pub acks: Vec<Ack>,
    /// News for the caller, in order of position; wanted snapshots with their tails first.
    #[n(2)]
    pub feed: Vec<Entry>,
    /// The cursor after this reply.
    #[n(3)]
    pub cursor: Cursor,
    /// The end of the hub's log.
    #[n(4)]
    pub end: Cursor,
    /// Digest of the set of documents that the caller may read now.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub scope: Hash,
    /// That set, if it differs from the device's.
    #[n(6)]
    pub documents: Option<Vec<Listed>>,
    /// Wanted documents that did not fit into this page: ask again.
    #[n(7)]
    pub unserved: Vec<DocumentId>,
    /// Whether the feed goes on after `cursor`.
    #[n(8)]
    pub more: bool,
    /// The hub's clock, Unix milliseconds.
    #[n(9)]
    pub time: i64,
    /// Version of the directory in force.
    #[n(10)]
    pub directory: u64,
}

/// A document that the caller may read.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Listed {
    /// What it is.
    #[n(0)]
    pub identity: DocumentIdentity,
    /// Position of its last change.
    #[n(1)]
    pub last_position: u64,
    /// Last day of which the caller is sent news, ISO; nothing later is sent.
    #[n(2)]
    pub until: Option<String>,
}

/// SHA-256 of the sorted (id, until) that a caller may read.
pub fn scope_digest<'a>(documents: impl IntoIterator<Item = (DocumentId, Option<&'a str>)>) -> Hash {
    let mut rows: Vec<_> = documents.into_iter().collect();
    rows.sort_unstable();
    let mut parts = registro_documents::bytes::Parts::new("registro/scope/1");
    for (id, until) in rows {
        parts = parts.part(id.as_bytes()).part(until.unwrap_or_default().as_bytes());
    }
    registro_documents::bytes::sha256(&parts.into_bytes())
}

impl Listed {
    /// The last day as a date.
    pub fn until_date(&self) -> Option<Date> {
        registro_model::time::parse_date(self.until.as_deref()?).ok()
    }
}

/// What became of a pushed change.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Ack {
    /// The change.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub hash: Hash,
    /// What became of it.
    #[n(1)]
    pub outcome: Outcome,
}

/// Accepted, or a code that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// In the log, with its record.
    #[n(0)]
    Accepted(#[n(0)] AcceptanceRecord),
    /// Not accepted.
    #[n(1)]
    Not {
        /// What to do about it.
        #[n(0)]
        code: Code,
        /// Why, where the policy or the office's rule decided.
        #[n(1)]
        reason: Option<Reason>,
        /// Whether this very change of the batch is the cause; its batch mates share the code.
        #[n(2)]
        cause: bool,
    },
    /// Another change of this command is in the log, with this record: the device drops its own with what rests on
    /// it and takes that one.
    #[n(2)]
    TakenOver(#[n(0)] AcceptanceRecord),
}

/// Why a change is not accepted, and what its device does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Code {
    /// Final: beyond the gate's bounds.
    #[n(0)]
    Bounds,
    /// Final: not the form of an honest change.
    #[n(1)]
    Form,
    /// Final: it rests on something that was refused or is with the office; the author runs the command again.
    #[n(2)]
    Graph,
    /// Final: another change of this sequence number was accepted. Of a command that is in the log already, the ack
    /// is [`Outcome::TakenOver`].
    #[n(3)]
    Duplicate,
    /// Kept by the hub, not offered again: the author has no authority for it.
    #[n(4)]
    Refused,
    /// Kept by the hub, not offered again: beyond a quota.
    #[n(5)]
    Quota,
    /// Kept by the hub, not offered again: the office decides.
    #[n(6)]
    Office,
    /// Waiting, kept by the device: something that it rests on has not arrived.
    #[n(7)]
    Missing,
    /// Waiting: the author must log in at a higher level first.
    #[n(8)]
    NeedsLevel,
    /// Waiting: the certificate is not known or not valid; the envelope must be signed again.
    #[n(9)]
    Certificate,
    /// Waiting: the hub is too old for it.
    #[n(10)]
    Update,
    /// Waiting: try again later.
    #[n(11)]
    Busy,
}

impl Code {
    /// Whether the change must leave the device's document.
    pub const fn is_dropped(self) -> bool {
        !self.is_waiting()
    }

    /// Whether the device keeps offering it.
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Missing | Self::NeedsLevel | Self::Certificate | Self::Update | Self::Busy)
    }

    /// Whether the hub keeps the signed batch.
    pub const fn is_kept_by_hub(self) -> bool {
        matches!(self, Self::Refused | Self::Quota | Self::Office)
    }

    /// Stable name for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounds => "bounds",
            Self::Form => "form",
            Self::Graph => "graph",
            Self::Duplicate => "duplicate",
            Self::Refused => "refused",
            Self::Quota => "quota",
            Self::Office => "office",
            Self::Missing => "missing",
            Self::NeedsLevel => "needs_level",
            Self::Certificate => "certificate",
            Self::Update => "update",
            Self::Busy => "busy",
        }
    }
}

/// An entry of the feed.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Entry {
    /// An accepted change.
    #[n(0)]
    Change {
        /// Its record.
        #[n(0)]
        record: AcceptanceRecord,
        /// The change as its author signed it.
        #[n(1)]
        change: SignedChange,
    },
    /// A document as the hub folded it.
    #[n(1)]
    Snapshot(#[n(0)] Box<Snapshot>),
    /// A device's certificate: new, or needed by what follows. It is signed by the school.
    #[n(2)]
    Certificate(#[n(0)] Certificate),
    /// A change of the caller's was refused or is with the office.
    #[n(3)]
    Refused(#[n(0)] Refused),
    /// A device was revoked.
    #[n(4)]
    Revoked(#[n(0)] Revoked),
    /// The hub was restored from a backup.
    #[n(5)]
    Restored(#[n(0)] Restored),
    /// The chain at a position, stated daily.
    #[n(6)]
    Checkpoint(#[n(0)] Checkpoint),
}
