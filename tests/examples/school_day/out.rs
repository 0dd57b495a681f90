//! Writes every document as a plain Automerge file, and what stands in them as JSON.

use std::path::Path;

use registro_documents::{Document, Field, Scalar};
use registro_hub::Hub;
use serde_json::{Map, Value, json};

use crate::checks::Outcome;
use crate::processes::Failure;

/// Writes `documents/<kind>-<id>.automerge` and `report.json`.
pub fn write(folder: &Path, hub: &Hub, outcome: &Outcome) -> Result<(), Failure> {
    let documents = folder.join("documents");
    std::fs::create_dir_all(&documents)?;
    let mut listed = Vec::new();
    for identity in hub.documents()? {
        let loaded = hub.document(identity.id)?;
        let file = format!("{}-{}.automerge", identity.kind, identity.id);
        std::fs::write(documents.join(&file), loaded.document.save())?;
        listed.push(json!({
            "file": file,
            "kind": identity.kind.as_str(),
            "subject": identity.subject.to_string(),
            "changes": loaded.document.change_count(),
            "facts": facts(&loaded.document),
        }));
    }
    let report = json!({ "outcome": outcome.json(), "documents": listed });
    std::fs::write(folder.join("report.json"), serde_json::to_vec(&report)?)?;
    Ok(())
}

/// Section → key → the concurrent versions, by command.
fn facts(document: &Document) -> Value {
    let mut sections = Map::new();
    for section in document.kind().sections() {
        let mut keys = Map::new();
        for key in document.keys(section) {
            let mut versions: Vec<Value> = document
                .versions(section, &key)
                .iter()
                .map(|version| {
                    let mut fact = Map::new();
                    fact.insert("v".to_owned(), json!(version.fact.v.to_string()));
                    fact.insert("as".to_owned(), json!(version.fact.capacity.as_str()));
                    for (name, field) in &version.fact.fields {
                        let value = match field {
                            Field::Scalar(value) => scalar(value),
                            Field::Map(map) => map
                                .iter()
                                .map(|(name, value)| (name.clone(), scalar(value)))
                                .collect::<Map<_, _>>()
                                .into(),
                        };
                        fact.insert(name.clone(), value);
                    }
                    Value::Object(fact)
                })
                .collect();
            versions.sort_by_key(Value::to_string);
            keys.insert(key, Value::Array(versions));
        }
        if !keys.is_empty() {
            sections.insert((*section).to_owned(), Value::Object(keys));
        }
    }
    Value::Object(sections)
}

fn scalar(value: &Scalar) -> Value {
    match value {
        Scalar::Text(text) => json!(text),
        Scalar::Int(int) => json!(int),
        Scalar::Bool(bool) => json!(bool),
        Scalar::Bytes(bytes) => json!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
    }
}
