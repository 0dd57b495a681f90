//! Identifiers. Ids of persons, pupils and documents are random and minted by the hub: fiscal codes and
//! pupil numbers never leave its tables.

use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Encode};

/// A text that should be an identifier and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}: {why}")]
pub struct InvalidId {
    /// What was expected, e.g. `person id`.
    pub what: &'static str,
    /// Why the text was refused; never the text itself.
    pub why: &'static str,
}

pub(crate) fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn unhex<const N: usize>(text: &str, what: &'static str) -> Result<[u8; N], InvalidId> {
    let bytes = text.as_bytes();
    if bytes.len() != 2 * N {
        return Err(InvalidId { what, why: "wrong length" });
    }
    let digit = |b: u8| match b {
        b'0'..=b'9' => Ok(b - b'0'),
        b'a'..=b'f' => Ok(b - b'a' + 10),
        _ => Err(InvalidId { what, why: "only lower-case hexadecimal digits are allowed" }),
    };
    let mut out = [0u8; N];
    for (index, slot) in out.iter_mut().enumerate() {
        *slot = digit(bytes[2 * index])? << 4 | digit(bytes[2 * index + 1])?;
    }
    Ok(out)
}

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $len:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(with = "minicbor::bytes")] pub [u8; $len]);

        impl $name {
            /// The id's raw bytes, as they stand in signed texts and tables.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                unhex(text, $what).map(Self)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = InvalidId;

            fn try_from(bytes: &[u8]) -> Result<Self, InvalidId> {
                bytes.try_into().map(Self).map_err(|_| InvalidId { what: $what, why: "wrong length" })
            }
        }
    };
}

byte_id!(
    /// A person of the school: staff, pupil or guardian. One person has one id, however many roles and children.
    PersonId, 16, "person id"
);
byte_id!(
    /// A document (one per row of the audience table, subject, school year and generation).
    DocumentId, 16, "document id"
);
byte_id!(
    /// A school (*istituto*) as a tenant of a hub.
    SchoolId, 16, "school id"
);
byte_id!(
    /// A user's act. Every fact version that it writes carries this id as its version `v`.
    CommandId, 8, "command id"
);

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(String);

        impl $name {
            /// Longest code accepted, in bytes.
            pub const MAX_LEN: usize = 24;

            /// Checks and wraps a code: 1 to 24 ASCII letters, digits, `-`, `_`, `.`.
            pub fn new(text: &str) -> Result<Self, InvalidId> {
                if text.is_empty() || text.len() > Self::MAX_LEN {
                    return Err(InvalidId { what: $what, why: "a code has 1 to 24 characters" });
                }
                if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
                    return Err(InvalidId { what: $what, why: "a code has only ASCII letters, digits, '-', '_', '.'" });
                }
                Ok(Self(text.to_owned()))
            }

            /// The code as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }
    };
}

code!(
    /// A class (*classe*) of one school year, by the code that the school uses for it: `3A`.
    ClassCode, "class code"
);
code!(
    /// A subject (*materia*), by the school's code: `ITA`.
    SubjectCode, "subject code"
);
code!(
    /// A site (*sede, plesso*), by the school's code: `C`.
    SiteCode, "site code"
);
code!(
    /// A group of pupils across or within classes (*gruppo, articolata*): `ALT-1FG`.
    GroupCode, "group code"
);
