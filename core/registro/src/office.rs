//! The register as the office (*segreteria*) uses it, as far as devices reach: ending an assignment, seeing what is
//! with the office. Both need a connection.

use registro_model::{ClassCode, Date, PersonId};

use crate::error::{Error, ErrorKind};
use crate::provenance::name_of;
use crate::registro::Registro;

/// The register as the office uses it.
#[derive(Clone)]
pub struct Office {
    registro: Registro,
}

/// A batch that is not in the register: refused, or waiting for the office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBatch {
    /// Its number at the hub.
    pub id: i64,
    /// Its author.
    pub person: PersonId,
    /// The author's name, where it is known here.
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

/// One fact of a kept batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFact {
    /// Whom or what it is about, as the hub names it.
    pub about: Option<String>,
    /// The section.
    pub section: String,
    /// The key.
    pub key: String,
}

/// What the hub answers.
#[derive(serde::Deserialize)]
struct Kept {
    id: i64,
    person: String,
    received: i64,
    code: String,
    reason: Option<KeptReason>,
    #[serde(default)]
    facts: Vec<KeptItem>,
}

#[derive(serde::Deserialize)]
struct KeptReason {
    sentence_it: String,
    sentence_en: String,
}

#[derive(serde::Deserialize)]
struct KeptItem {
    subject: Option<String>,
    section: String,
    key: String,
}

impl Office {
    pub(crate) fn new(registro: Registro) -> Self {
        Self { registro }
    }

    /// Ends a teacher's assignments in a class from a day on.
    pub async fn end_assignment(
        &self,
        teacher: PersonId,
        class: &ClassCode,
        from: Date,
    ) -> Result<(), Error> {
        let (hub, authorization) = self.registro.hub_and_authorization().await?;
        let body = serde_json::json!({
            "teacher": teacher.to_string(), "class": class.as_str(), "from": from.to_string(),
        });
        let path = "/v1/office/assignments/end";
        hub.post(path, Some(authorization.as_ref()), "application/json", body.to_string().into_bytes())
            .await?;
        Ok(())
    }

    /// What is with the office.
    pub async fn kept(&self) -> Result<Vec<KeptBatch>, Error> {
        let (hub, authorization) = self.registro.hub_and_authorization().await?;
        let answer = hub.get("/v1/office/kept", Some(authorization.as_ref())).await?;
        let untrusted = || Error::new(ErrorKind::Untrusted, "the list of kept batches does not read");
        let list: Vec<Kept> = serde_json::from_slice(&answer).map_err(|_| untrusted())?;
        let mut device = self.registro.device();
        let directory = device.directory()?.0;
        list.into_iter()
            .map(|kept| {
                let person: PersonId = kept.person.parse().map_err(|_| untrusted())?;
                let (italian, english) = kept.reason.map_or_else(
                    || ("Non è stato accettato.".to_owned(), "It was not accepted.".to_owned()),
                    |reason| (reason.sentence_it, reason.sentence_en),
                );
                let fact =
                    |item: KeptItem| KeptFact { about: item.subject, section: item.section, key: item.key };
                Ok(KeptBatch {
                    id: kept.id,
                    person,
                    name: name_of(directory, person),
                    received: kept.received,
                    code: kept.code,
                    italian,
                    english,
                    facts: kept.facts.into_iter().map(fact).collect(),
                })
            })
            .collect()
    }
}
