//! What is fetched of a federation, in which order, and how it is verified.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{KnownAnchor, KnownProvider, Listed, MAX_ISSUERS, MAX_PROVIDERS, Pinned, Resolver};
use crate::identity::federation::chain::{self, Resolved, read_anchor, read_subordinate};
use crate::identity::federation::error::FederationError;
use crate::identity::federation::jose::algorithm::SigningAlgorithm;
use crate::identity::federation::jose::jwk::JwkSet;
use crate::identity::federation::jose::jws;
use crate::identity::federation::provider::{self, CoreKeys, ProviderMetadata};
use crate::identity::federation::statement::Statement;
use crate::identity::federation::trust_mark::{self, TrustMark};

impl Resolver {
    async fn configuration(&self, what: &'static str, entity: &str) -> Result<String, FederationError> {
        // A slash at the end of a name is not part of the address (OpenID Federation 1.0 §9).
        let base = entity.strip_suffix('/').unwrap_or(entity);
        self.fetcher.get(what, format!("{base}/.well-known/openid-federation")).await
    }

    pub(super) async fn fetch_anchor(&self, pinned: &Pinned, now: i64) -> Result<(), FederationError> {
        let entity = &pinned.settings.entity;
        let text = self.configuration("an anchor's configuration", entity).await?;
        let statement = Arc::new(read_anchor(&text, entity, &pinned.keys, now)?);
        let listed = self.fetch_list(pinned, &statement).await?;
        // A hub that is not registered yet has no marks; logins will say so.
        let marks = self.fetch_marks(&statement, now).await.unwrap_or_else(|error| {
            tracing::warn!(%entity, %error, "the anchor gives the hub no trust mark");
            Vec::new()
        });
        self.write(|known| {
            // Who is not listed any more is not used any more, however long the chain holds.
            known.providers.retain(|name, provider| {
                provider.resolved.anchor != *entity || listed.iter().any(|one| one.entity == *name)
            });
            known.anchors.insert(entity.clone(), KnownAnchor { statement, marks, listed });
        });
        Ok(())
    }

    /// What the anchor says of an entity.
    async fn subordinate(
        &self,
        anchor: &Statement,
        entity: &str,
        now: i64,
    ) -> Result<Statement, FederationError> {
        let endpoint = anchor
            .address("federation_entity", "federation_fetch_endpoint")
            .ok_or(FederationError::Rule("an anchor has no fetch endpoint"))?;
        let url = with_parameter(endpoint, "sub", entity)?;
        let text = self.fetcher.get("an anchor's statement", url).await?;
        read_subordinate(&text, entity, anchor, now)
    }

    async fn fetch_marks(&self, anchor: &Statement, now: i64) -> Result<Vec<TrustMark>, FederationError> {
        let of_hub = self.subordinate(anchor, &self.own, now).await?;
        let issuers = self.issuer_keys(&of_hub.claims.trust_marks, anchor, now).await;
        let marks =
            trust_mark::verified(&of_hub.claims.trust_marks, &self.own, &anchor.claims, &issuers, now);
        match marks.is_empty() {
            true => Err(FederationError::Rule("no trust mark of the hub holds")),
            false => Ok(marks),
        }
    }

    /// The keys of those who issued marks: the anchor's, and those of others that the anchor vouches for.
    async fn issuer_keys(&self, marks: &[Value], anchor: &Statement, now: i64) -> BTreeMap<String, JwkSet> {
        #[derive(Deserialize)]
        struct Issued {
            iss: String,
        }
        let mut keys = BTreeMap::from([(anchor.claims.sub.clone(), anchor.keys.clone())]);
        let allowed =
            |issuer: &String| anchor.claims.trust_mark_issuers.values().flatten().any(|one| one == issuer);
        for mark in marks {
            let text = mark.get("trust_mark").and_then(Value::as_str).unwrap_or_default();
            let Ok(Issued { iss }) = jws::unverified(text) else { continue };
            if keys.contains_key(&iss) || keys.len() > MAX_ISSUERS || !allowed(&iss) {
                continue;
            }
            if let Ok(statement) = self.subordinate(anchor, &iss, now).await {
                keys.insert(iss, statement.keys);
            }
        }
        keys
    }

    async fn fetch_list(&self, pinned: &Pinned, anchor: &Statement) -> Result<Vec<Listed>, FederationError> {
        let chosen = &pinned.settings.providers;
        let mut listed = match &pinned.settings.registry {
            Some(registry) => {
                parse_list(&self.fetcher.get("the register of providers", registry.to_string()).await?)?
            }
            None => match anchor.address("federation_entity", "federation_list_endpoint") {
                Some(endpoint) => {
                    let url = with_parameter(endpoint, "entity_type", provider::TYPE)?;
                    parse_list(&self.fetcher.get("the anchor's list", url).await?)?
                }
                None => Vec::new(),
            },
        };
        let named: Vec<String> = listed.iter().map(|one| one.entity.clone()).collect();
        listed.retain(|one| chosen.is_empty() || chosen.contains(&one.entity));
        let unnamed = chosen.iter().filter(|entity| !named.contains(entity));
        listed.extend(unnamed.map(|entity| Listed { entity: entity.clone(), name: None, logo: None }));
        listed.retain(|one| self.fetcher.is_address(&one.entity));
        listed.truncate(MAX_PROVIDERS);
        Ok(listed)
    }

    /// Fetches a provider. One that is not as it must be is neither offered nor used until it is.
    pub(super) async fn fetch_provider(
        &self,
        pinned: &Pinned,
        entity: &str,
        now: i64,
    ) -> Result<Arc<KnownProvider>, FederationError> {
        let outcome = self.resolve_provider(pinned, entity, now).await;
        self.write(|known| match &outcome {
            Ok(provider) => {
                known.failed.remove(entity);
                known.unusable.remove(entity);
                known.providers.insert(entity.to_owned(), Arc::clone(provider));
            }
            Err(error) if error.is_passing() => {}
            // Its chain may still hold by its dates; but the federation, asked now, does not vouch for it.
            Err(_) => {
                known.providers.remove(entity);
                known.unusable.insert(entity.to_owned());
            }
        });
        outcome
    }

    async fn resolve_provider(
        &self,
        pinned: &Pinned,
        entity: &str,
        now: i64,
    ) -> Result<Arc<KnownProvider>, FederationError> {
        let anchor = self
            .with_anchor(&pinned.settings.entity, |anchor| Arc::clone(&anchor.statement))
            .ok_or(FederationError::UnknownProvider)?;
        let subordinate = self.subordinate(&anchor, entity, now).await?;
        let configuration = self.configuration("a provider's configuration", entity).await?;
        #[derive(Deserialize)]
        struct Marked {
            #[serde(default)]
            trust_marks: Vec<Value>,
        }
        let marks =
            jws::unverified::<Marked>(&configuration).map(|said| said.trust_marks).unwrap_or_default();
        let issuers = self.issuer_keys(&marks, &anchor, now).await;
        let resolved = chain::resolve(&configuration, &subordinate, &anchor, provider::TYPE, &issuers, now)?;
        let is_address = |address: &str| self.fetcher.is_address(address);
        let metadata = ProviderMetadata::read(&resolved, pinned.settings.scheme, &is_address)?;
        let keys = self.core_keys(&metadata, &resolved).await?;
        Ok(Arc::new(KnownProvider { resolved, metadata, keys, fetched: now }))
    }

    async fn core_keys(
        &self,
        metadata: &ProviderMetadata,
        resolved: &Resolved,
    ) -> Result<JwkSet, FederationError> {
        const WHAT: &str = "a provider's keys";
        let wrong = FederationError::message(WHAT);
        let value: Value = match &metadata.keys {
            CoreKeys::Inline(keys) => return Ok(keys.clone()),
            CoreKeys::Signed(url) => {
                let text = self.fetcher.get(WHAT, url.clone()).await?;
                let read = jws::verify(&text, &resolved.keys, &SigningAlgorithm::ALL).map_err(&wrong)?;
                read.claims().map_err(&wrong)?
            }
            CoreKeys::Plain(url) => {
                let text = self.fetcher.get(WHAT, url.clone()).await?;
                serde_json::from_str(&text)
                    .map_err(|_| FederationError::Rule("a provider's keys do not read"))?
            }
        };
        JwkSet::from_json(&value).map_err(wrong)
    }
}

fn with_parameter(endpoint: &str, name: &str, value: &str) -> Result<String, FederationError> {
    let mut url = Url::parse(endpoint).map_err(|_| FederationError::Rule("an endpoint is no address"))?;
    url.query_pairs_mut().append_pair(name, value);
    Ok(url.into())
}

/// Reads a list: names (an anchor's), or records with names for people (SPID's registry).
fn parse_list(text: &str) -> Result<Vec<Listed>, FederationError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Item {
        Name(String),
        Record {
            entity_id: String,
            #[serde(default)]
            organization_name: Option<String>,
            #[serde(default)]
            logo_uri: Option<String>,
        },
    }
    let items: Vec<Value> = serde_json::from_str(text)
        .map_err(|_| FederationError::Rule("the list of providers does not read"))?;
    let listed = items.into_iter().filter_map(|item| {
        Some(match Item::deserialize(item).ok()? {
            Item::Name(entity) => Listed { entity, name: None, logo: None },
            Item::Record { entity_id, organization_name, logo_uri } => Listed {
                entity: entity_id,
                name: organization_name.map(|name| name.chars().take(100).collect()),
                logo: logo_uri
                    .and_then(|logo| Url::parse(&logo).ok())
                    .filter(|logo| logo.scheme() == "https"),
            },
        })
    });
    Ok(listed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_names_or_records_and_what_does_not_read_is_left_out() {
        let read = |text| {
            parse_list(text)
                .map(|list| list.into_iter().map(|one| (one.entity, one.name)).collect::<Vec<_>>())
        };
        assert_eq!(
            read(r#"["https://a.example", 7, {"x": 1}]"#).unwrap(),
            [("https://a.example".to_owned(), None)]
        );
        let records =
            r#"[{"entity_id": "https://b.example", "organization_name": "B", "logo_uri": "javascript:x"}]"#;
        assert_eq!(read(records).unwrap(), [("https://b.example".to_owned(), Some("B".to_owned()))]);
        assert!(parse_list(records).unwrap().iter().all(|one| one.logo.is_none()));
        assert!(read("{}").is_err() && read("<html>").is_err());
    }
}
