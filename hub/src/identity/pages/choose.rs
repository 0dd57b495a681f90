//! The first page: SPID, CIE, or the school's credentials.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};

use super::message;
use super::shell::Shell;
use super::visit::{Belongs, Page, Visit};
use crate::caller::Level;
use crate::identity::Identity;
use crate::identity::federation::{Provider, Reason, Upstream};
use crate::identity::interaction::{Method, Purpose};

#[derive(Template)]
#[template(path = "login/choose.html")]
struct ChoosePage {
    shell: Shell,
    spid: Vec<Choice>,
    cie: Vec<Choice>,
    school: bool,
    open_spid: bool,
    higher: bool,
    back_to_app: bool,
}

struct Choice {
    name: String,
    link: String,
}

/// `GET /login`.
pub async fn choose(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Login).await?;
    let Some(login) = &visit.interaction else { return Ok(message::no_login(&visit)) };
    if login.authenticated.is_some() {
        return Ok(visit.go("/login/done"));
    }
    let (wanted, is_app) = (login.wanted, matches!(login.purpose, Purpose::App { .. }));
    let today = crate::clock::day_in_italy(visit.now);
    let allowed = visit.work(move |identity| identity.credentials.is_allowed(today)).await?;
    let school = allowed && wanted <= Level::L2;
    let providers = identity.federation.as_ref().map(|party| party.providers()).unwrap_or_default();
    let of = |method: Method| -> Vec<Choice> {
        providers.iter().filter(|provider| provider.method == method).map(choice).collect()
    };
    let (mut spid, cie) = (of(Method::Spid), of(Method::Cie));
    // No provider stands before the others (AgID, rules of the SPID button).
    shuffle(&identity, &mut spid);
    let asked = if visit.query.get("all").is_empty() { login.method } else { None };
    match (asked, cie.as_slice()) {
        (Some(Method::School), _) if school => return Ok(visit.go("/login/school")),
        (Some(Method::Cie), [only]) => return Ok(visit.go(&only.link)),
        _ => {}
    }
    let page = ChoosePage {
        shell: visit.shell("/login?all=1"),
        spid,
        cie,
        school,
        open_spid: asked == Some(Method::Spid),
        higher: wanted > Level::L1,
        back_to_app: is_app,
    };
    Ok(visit.answer(StatusCode::OK, &page))
}

fn choice(provider: &Provider) -> Choice {
    let id: String = url::form_urlencoded::byte_serialize(provider.id.as_bytes()).collect();
    Choice { name: provider.name.clone(), link: format!("/login/begin?provider={id}") }
}

fn shuffle(identity: &Identity, choices: &mut [Choice]) {
    for last in (1..choices.len()).rev() {
        // A list of some tens: the bias of the remainder is far below what anybody can see.
        let drawn = u32::from_be_bytes(identity.draw()) as usize % (last + 1);
        choices.swap(last, drawn);
    }
}

/// `GET /login/begin?provider=…`: to the provider.
pub async fn begin(
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Page {
    let visit = Visit::begin(&identity, &headers, query.as_deref(), Belongs::Login).await?;
    let login = visit.login()?;
    let Some(party) = identity.federation.clone() else {
        return Ok(visit.go("/login/failed?reason=misconfigured"));
    };
    let language = Some(visit.language.tag());
    match party.begin(visit.query.get("provider"), login.wanted, login.id, language).await {
        Ok(address) => Ok(visit.go(address.as_str())),
        Err(error) => {
            tracing::warn!(%error, "a login at a provider cannot begin");
            Ok(visit.go(&format!("/login/failed?reason={}", Reason::from(&error).word())))
        }
    }
}
