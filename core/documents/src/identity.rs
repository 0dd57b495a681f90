//! What a document is about: *(kind, subject, school year, generation)*, with a random id.

use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Encode};
use registro_model::ids::InvalidId;
use registro_model::{ClassCode, DocumentId, PersonId};

use crate::kind::Kind;

/// The subject of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The whole school.
    School,
    /// A class.
    Class(ClassCode),
    /// A class in a month, `2026-11`.
    Month(ClassCode, String),
    /// A class in a term, by the term's code.
    Term(ClassCode, String),
    /// A pupil or a member of staff.
    Person(PersonId),
}

impl Subject {
    /// The class, if the document is about one.
    pub fn class(&self) -> Option<&ClassCode> {
        match self {
            Self::Class(class) | Self::Month(class, _) | Self::Term(class, _) => Some(class),
            Self::School | Self::Person(_) => None,
        }
    }

    /// The person, if the document is about one.
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Self::Person(person) => Some(*person),
            _ => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::School => f.write_str("school"),
            Self::Class(class) => write!(f, "class/{class}"),
            Self::Month(class, month) => write!(f, "month/{class}/{month}"),
            Self::Term(class, term) => write!(f, "term/{class}/{term}"),
            Self::Person(person) => write!(f, "person/{person}"),
        }
    }
}

impl FromStr for Subject {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId { what: "document subject", why: "unknown form" };
        let mut parts = text.split('/');
        let subject = match (parts.next(), parts.next(), parts.next()) {
            (Some("school"), None, None) => Self::School,
            (Some("class"), Some(class), None) => Self::Class(class.parse()?),
            (Some("month"), Some(class), Some(month)) => Self::Month(class.parse()?, month.to_owned()),
            (Some("term"), Some(class), Some(term)) => Self::Term(class.parse()?, term.to_owned()),
            (Some("person"), Some(person), None) => Self::Person(person.parse()?),
            _ => return Err(invalid),
        };
        if parts.next().is_some() { Err(invalid) } else { Ok(subject) }
    }
}

impl<C> Encode<C> for Subject {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.to_string())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Subject {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.str()?.parse().map_err(|_| minicbor::decode::Error::message("unknown document subject"))
    }
}

/// What a document is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(array)]
pub struct DocumentIdentity {
    /// Random id, minted by the hub.
    #[n(0)]
    pub id: DocumentId,
    /// Its kind.
    #[n(1)]
    pub kind: Kind,
    /// What it is about.
    #[n(2)]
    pub subject: Subject,
    /// School year, `2026/2027`.
    #[n(3)]
    pub year: String,
    /// Generation: raised when the hub refounds the document without what must go.
    #[n(4)]
    pub generation: u32,
}
