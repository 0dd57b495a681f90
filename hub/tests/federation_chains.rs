//! Trust chains: what a hub believes of a provider, and what it refuses. Everything here is signed by the right key
//! unless the case says otherwise.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod federation_world;

use std::collections::BTreeMap;

use federation_world::*;
use registro_hub::identity::federation::chain::{Resolved, read_anchor, read_subordinate, resolve};
use registro_hub::identity::federation::error::FederationError;
use registro_hub::identity::federation::jose::JoseError;
use registro_hub::identity::federation::jose::algorithm::SigningAlgorithm;
use registro_hub::identity::federation::provider::ProviderMetadata;
use registro_hub::identity::federation::settings::Scheme;
use serde_json::{Value, json};

const ANCHOR: &str = "https://anchor.example";
const PROVIDER: &str = "https://op.example/oidc";
const HUB: &str = "https://hub.example";
const NOW: i64 = 1_795_000_000;

/// A federation, and who signs what with which header.
struct Case {
    claims: Claims,
    anchor: (Who, Value),
    subordinate: (Who, Value),
    provider: (Who, Value),
}

impl Case {
    fn honest() -> Self {
        Self {
            claims: claims(ANCHOR, PROVIDER, HUB, NOW),
            anchor: (Who::Anchor, statement_header()),
            subordinate: (Who::Anchor, statement_header()),
            provider: (Who::Provider, statement_header()),
        }
    }

    fn resolved(&self) -> Result<Resolved, FederationError> {
        let sign = |(who, header): &(Who, Value), claims: &Value| key(*who).sign(header.clone(), claims);
        let anchor =
            read_anchor(&sign(&self.anchor, &self.claims.anchor), ANCHOR, &key(Who::Anchor).set(), NOW)?;
        let text = sign(&self.subordinate, &self.claims.subordinate);
        let subordinate = read_subordinate(&text, PROVIDER, &anchor, NOW)?;
        let own = sign(&self.provider, &self.claims.provider);
        resolve(&own, &subordinate, &anchor, "openid_provider", &BTreeMap::new(), NOW)
    }

    fn metadata(&self) -> Result<ProviderMetadata, FederationError> {
        ProviderMetadata::read(&self.resolved()?, Scheme::Spid, &|address| address.starts_with("https://"))
    }
}

fn rule(outcome: Result<Resolved, FederationError>) -> String {
    match outcome {
        Ok(_) => "resolved".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_honest_chain_resolves_to_the_narrowed_metadata_and_ends_with_its_first_statement() {
    let resolved = Case::honest().resolved().unwrap();
    assert_eq!(resolved.entity, PROVIDER);
    assert_eq!(resolved.anchor, ANCHOR);
    assert_eq!(resolved.expires, NOW + 3600);
    assert_eq!(resolved.metadata["subject_types_supported"], json!(["pairwise"]), "set by the policy");
    assert_eq!(
        resolved.metadata["id_token_signing_alg_values_supported"],
        json!(["RS256"]),
        "narrowed by it"
    );
    assert_eq!(resolved.trust_marks.len(), 1);
    let metadata = Case::honest().metadata().unwrap();
    assert_eq!(metadata.name, "Gestore inventato");
    assert_eq!(metadata.id_token_algorithms, [SigningAlgorithm::Rs256]);
}

/// Sets one value in one statement; `null` takes it away.
fn with(statement: &str, path: &str, value: Value) -> Case {
    let mut case = Case::honest();
    let claims = match statement {
        "anchor" => &mut case.claims.anchor,
        "subordinate" => &mut case.claims.subordinate,
        _ => &mut case.claims.provider,
    };
    match (value, path.rsplit_once('/')) {
        (Value::Null, Some((parent, name))) => drop(at(claims, parent).as_object_mut().unwrap().remove(name)),
        (Value::Null, None) => drop(claims.as_object_mut().unwrap().remove(path)),
        (value, _) => *at(claims, path) = value,
    }
    case
}

#[test]
fn a_statement_that_says_something_wrong_breaks_the_chain() {
    let op = "metadata/openid_provider";
    for (statement, path, value) in [
        ("anchor", "iss", json!(PROVIDER)),
        ("anchor", "sub", json!("https://anchor.example/")),
        ("anchor", "exp", json!(NOW - 100)),
        ("anchor", "iat", json!(NOW + 100)),
        ("anchor", "exp", json!("tomorrow")),
        ("anchor", "exp", json!(1e300)),
        ("anchor", "exp", Value::Null),
        ("anchor", "crit", json!(["unheard_of"])),
        ("anchor", "jwks", json!({ "keys": [] })),
        ("anchor", "constraints", json!({ "allowed_entity_types": ["openid_relying_party"] })),
        ("anchor", "constraints", json!({ "naming_constraints": { "permitted": [".gov.example"] } })),
        ("anchor", "constraints", json!({ "max_path_length": -1 })),
        ("subordinate", "iss", json!(PROVIDER)),
        ("subordinate", "iss", json!("https://other.example")),
        ("subordinate", "sub", json!("https://op.example")),
        ("subordinate", "exp", json!(NOW - 100)),
        ("subordinate", "iat", json!(NOW + 100)),
        ("subordinate", "crit", json!(["unheard_of"])),
        ("subordinate", "jwks", serde_json::to_value(key(Who::Stranger).set()).unwrap()),
        ("subordinate", "constraints", json!({ "naming_constraints": { "excluded": ["op.example"] } })),
        ("subordinate", "metadata_policy_crit", json!(["regexp"])),
        (
            "subordinate",
            "metadata_policy/openid_provider/issuer",
            json!({ "one_of": ["https://other.example"] }),
        ),
        ("subordinate", "metadata_policy/openid_provider/scopes_supported", json!({ "essential": true })),
        ("subordinate", "metadata_policy/openid_provider/issuer", json!("no operators")),
        ("provider", "iss", json!(ANCHOR)),
        ("provider", "sub", json!(ANCHOR)),
        ("provider", "exp", json!(NOW - 100)),
        ("provider", "iat", json!(NOW + 100)),
        ("provider", "authority_hints", json!([])),
        ("provider", "authority_hints", json!(["https://other.example"])),
        ("provider", "authority_hints", json!(vec![ANCHOR; 11])),
        ("provider", "jwks", serde_json::to_value(key(Who::Stranger).set()).unwrap()),
        ("provider", "metadata", json!({ "openid_relying_party": {} })),
    ] {
        let outcome = rule(with(statement, path, value.clone()).resolved());
        assert_ne!(outcome, "resolved", "{statement} {path} {value}");
    }
    for (path, value) in [
        ("issuer", json!("https://op.example")),
        ("issuer", json!("https://op.example/oidc/")),
        ("issuer", Value::Null),
        ("authorization_endpoint", json!("http://op.example/authorize")),
        ("authorization_endpoint", json!("javascript:alert(1)")),
        ("token_endpoint", json!("ftp://op.example/")),
        ("token_endpoint", Value::Null),
        ("userinfo_endpoint", json!(7)),
        ("jwks", Value::Null),
        ("jwks", json!([])),
        ("response_types_supported", json!(["id_token"])),
        ("code_challenge_methods_supported", json!(["plain"])),
        ("token_endpoint_auth_methods_supported", json!(["client_secret_basic"])),
        ("client_registration_types_supported", json!(["explicit"])),
    ] {
        let outcome = with("provider", &format!("{op}/{path}"), value.clone()).metadata();
        assert!(
            matches!(outcome, Err(FederationError::Rule(_) | FederationError::Message { .. })),
            "{path} {value}"
        );
    }
    // Within the clocks' tolerance a statement that just ended still holds.
    let mut case = with("provider", "exp", json!(NOW - 59));
    case.claims.provider["iat"] = json!(NOW - 3600);
    assert!(case.resolved().is_ok());
    // What the anchor says instead goes before what the provider says.
    let instead = json!({ "openid_provider": { "token_endpoint": "https://op.example/elsewhere" } });
    let metadata = with("subordinate", "metadata", instead).metadata().unwrap();
    assert_eq!(metadata.token_endpoint, "https://op.example/elsewhere");
}

#[test]
fn a_statement_by_another_key_or_of_another_kind_breaks_the_chain() {
    let typed = |header: Value| {
        move |case: &mut Case, which: usize| match which {
            0 => case.anchor.1 = header.clone(),
            1 => case.subordinate.1 = header.clone(),
            _ => case.provider.1 = header.clone(),
        }
    };
    for which in 0..3 {
        for header in [
            json!({ "alg": "RS256", "typ": "JWT" }),
            json!({ "alg": "RS256" }),
            json!({ "alg": "RS256", "typ": "trust-mark+jwt" }),
            json!({ "alg": "none", "typ": "entity-statement+jwt" }),
            json!({ "alg": "HS256", "typ": "entity-statement+jwt" }),
            json!({ "alg": "RS512", "typ": "entity-statement+jwt" }),
            json!({ "alg": "RS256", "typ": "entity-statement+jwt", "kid": "another" }),
            json!({ "alg": "RS256", "typ": "entity-statement+jwt", "kid": key(Who::Stranger).kid() }),
            json!({ "alg": "RS256", "typ": "entity-statement+jwt", "crit": ["exp"] }),
        ] {
            let mut case = Case::honest();
            typed(header.clone())(&mut case, which);
            let outcome = case.resolved();
            assert!(matches!(outcome, Err(FederationError::Message { .. })), "{which} {header}");
        }
        for stranger in [Who::Stranger, Who::ProviderCore] {
            let mut case = Case::honest();
            let place = [&mut case.anchor.0, &mut case.subordinate.0, &mut case.provider.0];
            *place.into_iter().nth(which).unwrap() = stranger;
            let outcome = rule(case.resolved());
            assert!(outcome.contains("key is not known"), "{which} {stranger:?}: {outcome}");
        }
    }
    // A key that the header brings along is not looked at.
    let mut case = Case::honest();
    case.provider = (
        Who::Stranger,
        json!({ "alg": "RS256", "typ": "entity-statement+jwt",
        "kid": key(Who::Provider).kid(), "jwk": key(Who::Stranger).public() }),
    );
    assert!(matches!(case.resolved(), Err(FederationError::Message { why: JoseError::Signature, .. })));
}

#[test]
fn only_marks_that_the_anchor_allows_and_that_are_the_entitys_own_count() {
    let kind = format!("{ANCHOR}/mark/op");
    let mark = |who: Who, header: Value, change: &dyn Fn(&mut Value)| {
        let mut claims = json!({ "iss": ANCHOR, "sub": PROVIDER, "id": kind, "iat": NOW, "exp": NOW + 60 });
        change(&mut claims);
        json!({ "id": kind, "trust_mark": key(who).sign(header, &claims) })
    };
    let typed = || json!({ "alg": "RS256", "typ": "trust-mark+jwt" });
    let honest = mark(Who::Anchor, typed(), &|_| ());
    let renamed = |from: &str, to: &str| {
        let mut claims = json!({ "iss": ANCHOR, "sub": PROVIDER, "iat": NOW });
        claims[from] = kind.clone().into();
        json!({ to: kind, "trust_mark": key(Who::Anchor).sign(typed(), &claims) })
    };
    for good in [
        honest.clone(),
        mark(Who::Anchor, json!({ "alg": "RS256" }), &|_| ()),
        mark(Who::Anchor, typed(), &|claims| drop(claims.as_object_mut().unwrap().remove("exp"))),
        renamed("trust_mark_type", "trust_mark_type"),
        renamed("id", "trust_mark_type"),
        renamed("trust_mark_type", "trust_mark_id"),
    ] {
        let resolved = with("provider", "trust_marks", json!([good])).resolved().unwrap();
        assert_eq!(resolved.trust_marks.len(), 1, "{good}");
    }
    for bad in [
        mark(Who::Anchor, typed(), &|claims| claims["sub"] = json!("https://other.example")),
        mark(Who::Anchor, typed(), &|claims| claims["exp"] = json!(NOW)),
        mark(Who::Anchor, typed(), &|claims| claims["iat"] = json!(NOW + 100)),
        mark(Who::Anchor, typed(), &|claims| claims["iss"] = json!(PROVIDER)),
        mark(Who::Anchor, typed(), &|claims| claims["id"] = json!("other")),
        mark(Who::Anchor, typed(), &|claims| claims["trust_mark_type"] = json!("other")),
        mark(Who::Provider, typed(), &|_| ()),
        mark(Who::Stranger, typed(), &|_| ()),
        mark(Who::Anchor, statement_header(), &|_| ()),
        mark(Who::Anchor, json!({ "alg": "none" }), &|_| ()),
        json!({ "id": "other", "trust_mark": honest["trust_mark"] }),
        json!({ "id": kind, "trust_mark_type": "other", "trust_mark": honest["trust_mark"] }),
        json!({ "id": kind }),
        json!("text"),
    ] {
        // The provider is still the anchor's: a mark that does not count takes nothing away.
        let resolved = with("provider", "trust_marks", json!([bad])).resolved().unwrap();
        assert_eq!(resolved.trust_marks, [], "{bad}");
    }
    // Who may issue is the anchor's say, type by type.
    for issuers in [json!({ &kind: [] }), json!({ &kind: ["https://other.example"] })] {
        let mut case = Case::honest();
        case.claims.anchor["trust_mark_issuers"] = issuers;
        assert_eq!(case.resolved().unwrap().trust_marks, []);
    }
    let mut case = Case::honest();
    case.claims.anchor["trust_mark_issuers"] = json!({});
    assert_eq!(
        case.resolved().unwrap().trust_marks.len(),
        1,
        "of a type that nobody is listed for: the anchor"
    );
    case.claims.anchor["trust_mark_owners"] = json!({ &kind: { "sub": "https://owner.example" } });
    assert_eq!(case.resolved().unwrap().trust_marks, [], "an owner's delegation is not understood");
}
