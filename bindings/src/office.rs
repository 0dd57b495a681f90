//! The register as the office (*segreteria*) uses it. Everything here needs a connection.

use registro_model::{ClassCode, PersonId};

use crate::error::RegistroError;
use crate::values::IsoDate;
use crate::work::detached;

/// A batch that is not in the register: refused, or waiting for the office.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct KeptBatch {
    /// Its author: a person's id.
    pub person: String,
    /// `refused` or `office`.
    pub code: String,
    /// Why, in Italian.
    pub italian: String,
    /// Why, in English.
    pub english: String,
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
        Ok(kept
            .into_iter()
            .map(|batch| KeptBatch {
                person: batch.person,
                code: batch.code,
                italian: batch.italian,
                english: batch.english,
            })
            .collect())
    }
}
