//! What may stand where: the key grammar and the known fields of every section that this version writes.
//!
//! A section without an entry here exists in the genesis for a later version; nothing may be written into it yet.

mod grammar;
mod sections;

pub use grammar::{KeyGrammar, matches};
pub use sections::section;

use crate::fact::{ANNULLED, CAPACITY, Fact, Field, RESOLVES, Scalar, VERSION};

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Text of at most so many bytes.
    Text(usize),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number between two bounds, both included.
    Int(i64, i64),
    /// Yes or no.
    Bool,
    /// Exactly so many bytes.
    Bytes(usize),
    /// An ISO date.
    Date,
    /// `hh:mm`.
    Time,
    /// A map of scalars with these fields.
    Map(&'static [FieldSpec]),
    /// A map of at most so many persons, under the keys `1`, `2`, …
    People(usize),
    /// A whole number of ids of 8 bytes, at most so many, one after the other.
    CommandIds(usize),
}

/// A field that a fact may or must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSpec {
    /// Its name.
    pub name: &'static str,
    /// What it may hold.
    pub field_type: FieldType,
    /// Whether every version of the fact has it.
    pub required: bool,
}

/// What may be written in one section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionSchema {
    /// The forms of its keys, each with the fields of the facts under such keys.
    pub forms: &'static [(KeyGrammar, &'static [FieldSpec])],
}

/// Why a fact does not fit its section.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The key has none of the section's forms.
    #[error("the key has none of the section's forms")]
    Key,
    /// A field that this version does not know.
    #[error("unknown field")]
    UnknownField,
    /// A field is missing.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    /// A field holds something else than it should.
    #[error("the field `{0}` holds something else than it should")]
    Type(&'static str),
}

impl SectionSchema {
    /// The fields of facts under this key; `None` if the key has none of the section's forms.
    pub fn fields_for(&self, key: &str) -> Option<&'static [FieldSpec]> {
        self.forms.iter().find(|(grammar, _)| matches(grammar, key)).map(|(_, fields)| *fields)
    }

    /// Checks a key and the whole fact under it.
    pub fn check(&self, key: &str, fact: &Fact) -> Result<(), SchemaError> {
        let specs = self.fields_for(key).ok_or(SchemaError::Key)?;
        for (name, field) in &fact.fields {
            match name.as_str() {
                VERSION | CAPACITY => return Err(SchemaError::UnknownField),
                RESOLVES => check_field(RESOLVES, FieldType::Bytes(32), field)?,
                ANNULLED => check_field(ANNULLED, FieldType::Map(ANNULLED_FIELDS), field)?,
                _ => {
                    let spec =
                        specs.iter().find(|spec| spec.name == name).ok_or(SchemaError::UnknownField)?;
                    check_field(spec.name, spec.field_type, field)?;
                }
            }
        }
        match specs.iter().find(|spec| spec.required && !fact.fields.contains_key(spec.name)) {
            Some(spec) => Err(SchemaError::Missing(spec.name)),
            None => Ok(()),
        }
    }
}

const ANNULLED_FIELDS: &[FieldSpec] =
    &[FieldSpec { name: "why", field_type: FieldType::Text(500), required: true }];

fn check_field(name: &'static str, field_type: FieldType, field: &Field) -> Result<(), SchemaError> {
    let fits = match (field_type, field) {
        (FieldType::Map(specs), Field::Map(map)) => {
            for (key, value) in map {
                let spec = specs.iter().find(|spec| spec.name == key).ok_or(SchemaError::UnknownField)?;
                if !scalar_fits(spec.field_type, value) {
                    return Err(SchemaError::Type(name));
                }
            }
            specs.iter().all(|spec| !spec.required || map.contains_key(spec.name))
        }
        (FieldType::People(most), Field::Map(map)) => {
            map.len() <= most
                && map.iter().all(|(key, value)| {
                    key.parse::<usize>().is_ok_and(|n| n.to_string() == *key && (1..=most).contains(&n))
                        && scalar_fits(FieldType::Bytes(16), value)
                })
        }
        (_, Field::Scalar(scalar)) => scalar_fits(field_type, scalar),
        _ => false,
    };
    if fits { Ok(()) } else { Err(SchemaError::Type(name)) }
}

fn scalar_fits(field_type: FieldType, scalar: &Scalar) -> bool {
    match (field_type, scalar) {
        (FieldType::Text(most), Scalar::Text(text)) => text.len() <= most,
        (FieldType::Word(words), Scalar::Text(text)) => words.contains(&text.as_str()),
        (FieldType::Int(least, most), Scalar::Int(int)) => (least..=most).contains(int),
        (FieldType::Bool, Scalar::Bool(_)) => true,
        (FieldType::Bytes(len), Scalar::Bytes(bytes)) => bytes.len() == len,
        (FieldType::Date, Scalar::Text(text)) => registro_model::time::parse_date(text).is_ok(),
        (FieldType::Time, Scalar::Text(text)) => text.parse::<registro_model::ClockTime>().is_ok(),
        (FieldType::CommandIds(most), Scalar::Bytes(bytes)) => {
            bytes.len() % 8 == 0 && bytes.len() / 8 <= most
        }
        _ => false,
    }
}
