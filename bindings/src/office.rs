//! The register as the office (*segreteria*) uses it. Everything here needs a connection.

use registro_model::{ClassCode, PersonId};

use crate::error::RegistroError;
use crate::values::IsoDate;
use crate::work::detached;

/// One fact of a kept batch.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct KeptFact {
    /// Whom or what it is about, as the hub names it.
    pub about: Option<String>,
    /// The section of the register.
    pub section: String,
    /// Its key there.
    pub key: String,
}

/// A batch that is not in the register: refused, or waiting for the office.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct KeptBatch {
    /// Its number at the hub.
    pub id: i64,
    /// Its author.
    pub person: PersonId,
    /// The author's name, where it is known on this device.
    pub name: Option<String>,
    /// When the hub received it, Unix milliseconds.
    pub received: i64,
    /// `refused`, `office` or `quota`.
    pub code: String,
    /// Why, in Italian.
    pub italian: String,
    /// Why, in English.
    pub english: String,
    /// What it would write.
    pub facts: Vec<KeptFact>,
}

/// The register as the office uses it.
#[derive(uniffi::Object)]
pub struct Office {
    inner: registro::Office,
}

impl Office {
    pub(crate) fn of(registro: &registro::Registro) -> Self {
        Self { inner: registro.office() }
    }
}

#[uniffi::export]
impl Office {
    /// Ends a teacher's assignments (*cattedre*) in a class from a day on.
    ///
    /// # Errors
    /// `Offline`, `NotLoggedIn`, `SessionEnded`, `Untrusted`.
    pub async fn end_assignment(
        &self,
        teacher: PersonId,
        class_code: ClassCode,
        from: IsoDate,
    ) -> Result<(), RegistroError> {
        let office = self.inner.clone();
        detached(async move { office.end_assignment(teacher, &class_code, from).await }).await
    }

    /// What is with the office.
    ///
    /// # Errors
    /// `Offline`, `NotLoggedIn`, `SessionEnded`, `Untrusted`.
    pub async fn kept(&self) -> Result<Vec<KeptBatch>, RegistroError> {
        let office = self.inner.clone();
        let kept = detached(async move { office.kept().await }).await?;
        Ok(kept.into_iter().map(KeptBatch::from).collect())
    }
}

impl From<registro::office::KeptBatch> for KeptBatch {
    fn from(batch: registro::office::KeptBatch) -> Self {
        let fact = |fact: registro::office::KeptFact| KeptFact {
            about: fact.about,
            section: fact.section,
            key: fact.key,
        };
        Self {
            id: batch.id,
            person: batch.person,
            name: batch.name,
            received: batch.received,
            code: batch.code,
            italian: batch.italian,
            english: batch.english,
            facts: batch.facts.into_iter().map(fact).collect(),
        }
    }
}
