//! The office's tools. Admitting a kept batch will stand at `POST /v1/office/kept/{id}/admit`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use registro_documents::policy::Reason;
use registro_model::time::parse_date;
use registro_model::{ClassCode, PersonId};
use serde::{Deserialize, Serialize};

use super::AppState;
use super::called::Called;
use super::failure::Failure;
use crate::caller::Level;

#[derive(Deserialize)]
pub(crate) struct EndAssignments {
    /// The teacher's id.
    teacher: String,
    /// The class's code.
    class: String,
    /// First day without the assignment, ISO.
    from: String,
}

#[derive(Serialize)]
pub(crate) struct Ended {
    ended: usize,
}

/// Ends a teacher's assignments in a class from a day on.
pub(crate) async fn end_assignments(
    State(shared): AppState,
    Called(authorized): Called,
    body: Result<Json<EndAssignments>, JsonRejection>,
) -> Result<Json<Ended>, Failure> {
    let caller = authorized.at_least(Level::L2)?;
    let Json(body) = body.map_err(|_| Failure::unreadable())?;
    let teacher: PersonId = body.teacher.parse().map_err(|_| Failure::unreadable())?;
    let class = ClassCode::new(&body.class).map_err(|_| Failure::unreadable())?;
    let from = parse_date(&body.from).map_err(|_| Failure::unreadable())?;
    let now = shared.clock.now();
    let ended = Arc::clone(&shared)
        .with_hub(move |hub| hub.end_assignments(&caller, teacher, &class, from, now))
        .await?;
    Ok(Json(Ended { ended }))
}

#[derive(Serialize)]
pub(crate) struct KeptBatch {
    id: i64,
    person: String,
    received: i64,
    code: &'static str,
    reason: Option<ReasonText>,
    facts: Vec<KeptFact>,
}

#[derive(Serialize)]
struct ReasonText {
    kind: &'static str,
    sentence_it: &'static str,
    sentence_en: &'static str,
}

#[derive(Serialize)]
struct KeptFact {
    document: String,
    kind: Option<&'static str>,
    subject: Option<String>,
    section: String,
    key: String,
}

impl From<Reason> for ReasonText {
    fn from(reason: Reason) -> Self {
        Self { kind: reason.kind(), sentence_it: reason.italian(), sentence_en: reason.english() }
    }
}

/// What is kept for the office, newest first.
pub(crate) async fn kept(
    State(shared): AppState,
    Called(authorized): Called,
) -> Result<Json<Vec<KeptBatch>>, Failure> {
    let caller = authorized.at_least(Level::L2)?;
    let now = shared.clock.now();
    let list = Arc::clone(&shared)
        .with_hub(move |hub| {
            let mut list = Vec::new();
            for batch in hub.kept(&caller, now)? {
                let mut facts = Vec::with_capacity(batch.facts.len());
                for fact in batch.facts {
                    let described = hub.describe(&fact)?;
                    facts.push(KeptFact {
                        document: fact.document.to_string(),
                        kind: described.as_ref().map(|(kind, _)| kind.as_str()),
                        subject: described.map(|(_, subject)| subject),
                        section: fact.section,
                        key: fact.key,
                    });
                }
                list.push(KeptBatch {
                    id: batch.id,
                    person: batch.person.to_string(),
                    received: batch.received,
                    code: batch.code.as_str(),
                    reason: batch.reason.map(ReasonText::from),
                    facts,
                });
            }
            Ok(list)
        })
        .await?;
    Ok(Json(list))
}
