//! A fact: one entry of a section, a small map that is written whole, never edited in place, never deleted.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use registro_model::{Capacity, ClockTime, CommandId, Date, PersonId, time::parse_date};

/// A scalar inside a fact. There are no floating-point numbers, counters or timestamps in the register.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Scalar {
    /// Text of at most 8 KB.
    #[n(0)]
    Text(#[n(0)] String),
    /// A whole number.
    #[n(1)]
    Int(#[n(0)] i64),
    /// Yes or no.
    #[n(2)]
    Bool(#[n(0)] bool),
    /// Raw bytes: ids, hashes.
    #[n(3)]
    Bytes(
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        Vec<u8>,
    ),
}

/// A field of a fact: a scalar, or a map of scalars (at most [`Fact::MAX_MAPS`] per fact).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Field {
    /// One value.
    #[n(0)]
    Scalar(#[n(0)] Scalar),
    /// A group of values.
    #[n(1)]
    Map(#[n(0)] BTreeMap<String, Scalar>),
}

/// A version of a fact, as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Fact {
    /// The command that wrote this version (field `v`).
    #[n(0)]
    pub v: CommandId,
    /// The capacity in which it was written (field `as`).
    #[n(1)]
    pub capacity: Capacity,
    /// All other fields.
    #[n(2)]
    pub fields: BTreeMap<String, Field>,
}

/// Name of the field that holds [`Fact::v`].
pub const VERSION: &str = "v";
/// Name of the field that holds [`Fact::capacity`].
pub const CAPACITY: &str = "as";
/// Field of a version that resolves a conflict: SHA-256 of the sorted versions that it supersedes.
pub const RESOLVES: &str = "resolves";
/// Field (a map with `why`) of a version that annuls the fact.
pub const ANNULLED: &str = "annulled";

impl Fact {
    /// Most maps of scalars in one fact.
    pub const MAX_MAPS: usize = 8;
    /// Longest text, in bytes.
    pub const MAX_TEXT: usize = 8 * 1024;
    /// Longest key of a section or of a field, in bytes.
    pub const MAX_KEY: usize = 200;

    /// A fact without fields.
    pub fn new(v: CommandId, capacity: Capacity) -> Self {
        Self { v, capacity, fields: BTreeMap::new() }
    }

    /// Adds a scalar field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Scalar>) -> Self {
        self.fields.insert(name.to_owned(), Field::Scalar(value.into()));
        self
    }

    /// Adds a scalar field if there is a value.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<Scalar>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a map of scalars.
    #[must_use]
    pub fn with_map(mut self, name: &str, entries: impl IntoIterator<Item = (String, Scalar)>) -> Self {
        self.fields.insert(name.to_owned(), Field::Map(entries.into_iter().collect()));
        self
    }

    /// This fact annulled under a new version: all fields stay, with the reason why.
    #[must_use]
    pub fn annulled_by(&self, v: CommandId, capacity: Capacity, why: &str) -> Self {
        let mut fact = Self { v, capacity, fields: self.fields.clone() };
        fact.fields.remove(RESOLVES);
        fact.with_map(ANNULLED, [("why".to_owned(), Scalar::Text(why.to_owned()))])
    }

    /// Whether this version annuls the fact.
    pub fn is_annulled(&self) -> bool {
        self.fields.contains_key(ANNULLED)
    }

    /// Why it was annulled.
    pub fn annulled_why(&self) -> Option<&str> {
        match self.map(ANNULLED)?.get("why")? {
            Scalar::Text(why) => Some(why),
            _ => None,
        }
    }

    /// What this version resolves, if it resolves a conflict.
    pub fn resolves(&self) -> Option<&[u8]> {
        self.bytes(RESOLVES)
    }

    /// A scalar field.
    pub fn scalar(&self, name: &str) -> Option<&Scalar> {
        match self.fields.get(name)? {
            Field::Scalar(scalar) => Some(scalar),
            Field::Map(_) => None,
        }
    }

    /// A map field.
    pub fn map(&self, name: &str) -> Option<&BTreeMap<String, Scalar>> {
        match self.fields.get(name)? {
            Field::Map(map) => Some(map),
            Field::Scalar(_) => None,
        }
    }

    /// A text field.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.scalar(name)? {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.scalar(name)? {
            Scalar::Int(int) => Some(*int),
            _ => None,
        }
    }

    /// A yes or no.
    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.scalar(name)? {
            Scalar::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    /// Raw bytes.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        match self.scalar(name)? {
            Scalar::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A date written as ISO text.
    pub fn date(&self, name: &str) -> Option<Date> {
        parse_date(self.text(name)?).ok()
    }

    /// A clock time written `hh:mm`.
    pub fn time(&self, name: &str) -> Option<ClockTime> {
        self.text(name)?.parse().ok()
    }

    /// A person's id.
    pub fn person(&self, name: &str) -> Option<PersonId> {
        PersonId::try_from(self.bytes(name)?).ok()
    }

    /// The slot of the event (*ora di lezione*), where the fact has one.
    pub fn slot(&self) -> Option<u8> {
        self.int("slot").and_then(|slot| u8::try_from(slot).ok())
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Scalar {
    fn from(int: i64) -> Self {
        Self::Int(int)
    }
}

impl From<u8> for Scalar {
    fn from(int: u8) -> Self {
        Self::Int(i64::from(int))
    }
}

impl From<bool> for Scalar {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<Vec<u8>> for Scalar {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<PersonId> for Scalar {
    fn from(id: PersonId) -> Self {
        Self::Bytes(id.0.to_vec())
    }
}

impl From<registro_model::DocumentId> for Scalar {
    fn from(id: registro_model::DocumentId) -> Self {
        Self::Bytes(id.0.to_vec())
    }
}

impl From<CommandId> for Scalar {
    fn from(id: CommandId) -> Self {
        Self::Bytes(id.0.to_vec())
    }
}

impl From<Date> for Scalar {
    fn from(date: Date) -> Self {
        Self::Text(date.to_string())
    }
}

impl From<ClockTime> for Scalar {
    fn from(time: ClockTime) -> Self {
        Self::Text(time.to_string())
    }
}
