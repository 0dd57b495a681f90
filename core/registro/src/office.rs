//! The register as the office (*segreteria*) uses it, as far as devices reach: ending an assignment, seeing what is
//! with the office. Both need a connection.

use registro_model::{ClassCode, Date, PersonId};

use crate::error::{Error, ErrorKind};
use crate::registro::Registro;

/// The register as the office uses it.
#[derive(Clone)]
pub struct Office {
    registro: Registro,
}

/// A batch that is not in the register: refused, or waiting for the office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBatch {
    /// Its author.
    pub person: String,
    /// `refused` or `office`.
    pub code: String,
    /// Why, in Italian.
    pub italian: String,
    /// Why, in English.
    pub english: String,
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
        let (hub, token) = self.registro.hub_and_token()?;
        let body = serde_json::json!({
            "teacher": teacher.to_string(), "class": class.as_str(), "from": from.to_string(),
        });
        let path = "/v1/office/assignments/end";
        hub.post(path, Some(token.reveal()), "application/json", body.to_string().into_bytes()).await?;
        Ok(())
    }

    /// What is with the office.
    pub async fn kept(&self) -> Result<Vec<KeptBatch>, Error> {
        let (hub, token) = self.registro.hub_and_token()?;
        let answer = hub.get("/v1/office/kept", Some(token.reveal())).await?;
        let list: Vec<serde_json::Value> = serde_json::from_slice(&answer)
            .map_err(|_| Error::new(ErrorKind::Untrusted, "the list of kept batches does not read"))?;
        let text = |value: &serde_json::Value, name: &str| {
            value.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
        };
        Ok(list
            .iter()
            .map(|kept| KeptBatch {
                person: text(kept, "person"),
                code: text(kept, "code"),
                italian: text(kept, "sentence_it"),
                english: text(kept, "sentence_en"),
            })
            .collect())
    }
}
