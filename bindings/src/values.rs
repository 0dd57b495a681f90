//! Ids, codes, dates and times: text in Kotlin and Swift, checked when it comes in.

use registro_model::ids::InvalidId;
use registro_model::{
    ClassCode, ClockTime, CommandId, DocumentId, PersonId, SchoolId, SubjectCode, ids::GroupCode, time,
};

use crate::error::RegistroError;

/// A calendar day.
pub type IsoDate = registro_model::Date;

fn invalid(error: InvalidId) -> RegistroError {
    registro::Error::invalid_input(error.what).into()
}

uniffi::custom_type!(
    /// A person of the school: 32 lower-case hexadecimal digits. Neither a fiscal code nor a pupil number.
    PersonId, String, {
        remote,
        lower: |id| id.to_string(),
        try_lift: |text| Ok(text.parse().map_err(invalid)?),
    }
);
uniffi::custom_type!(
    /// A document of the register: 32 lower-case hexadecimal digits.
    DocumentId, String, {
        remote,
        lower: |id| id.to_string(),
        try_lift: |text| Ok(text.parse().map_err(invalid)?),
    }
);
uniffi::custom_type!(
    /// A school of a hub: 32 lower-case hexadecimal digits.
    SchoolId, String, {
        remote,
        lower: |id| id.to_string(),
        try_lift: |text| Ok(text.parse().map_err(invalid)?),
    }
);
uniffi::custom_type!(
    /// Something that a person wrote, and every version of a fact that it made: 16 lower-case hexadecimal digits.
    CommandId, String, {
        remote,
        lower: |id| id.to_string(),
        try_lift: |text| Ok(text.parse().map_err(invalid)?),
    }
);
uniffi::custom_type!(
    /// A class (*classe*) by the school's code, such as `3A`: 1 to 24 ASCII letters, digits, `-`, `_`, `.`.
    ClassCode, String, {
        remote,
        lower: |code| code.to_string(),
        try_lift: |text| Ok(text.parse().map_err(invalid)?),
    }
);
uniffi::custom_type!(
    /// A subject (*materia*) by the school's code, such as `ITA`: 1 to 24 ASCII letters, digits, `-`, `_`, `.`.
    SubjectCode, String, {
        remote,
        lower: |code| code.to_string(),
        try_lift: |text| Ok(text.parse().map_err(invalid)?),
    }
);
uniffi::custom_type!(
    /// A group of pupils (*gruppo*) by the school's code: 1 to 24 ASCII letters, digits, `-`, `_`, `.`.
    GroupCode, String, {
        remote,
        lower: |code| code.to_string(),
        try_lift: |text| Ok(text.parse().map_err(invalid)?),
    }
);
uniffi::custom_type!(
    /// A calendar day in Italy, exactly `yyyy-mm-dd`, such as `2026-11-23`.
    IsoDate, String, {
        remote,
        lower: |date| date.to_string(),
        try_lift: |text| Ok(time::parse_date(&text).map_err(invalid)?),
    }
);
uniffi::custom_type!(
    /// A time on the classroom's wall, exactly `hh:mm`, from `00:00` to `23:59`.
    ClockTime, String, {
        remote,
        lower: |time| time.to_string(),
        try_lift: |text| Ok(text.parse().map_err(invalid)?),
    }
);
