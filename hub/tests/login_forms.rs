//! The login's pages over a real socket: what protects them, and what they let happen.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod oauth_app;
mod sync_school;

use std::collections::BTreeMap;

use oauth_app::{Answer, App, Stage, authorize};
use registro_hub::Level;
use registro_hub::identity::credentials::first_access::FirstAccess;
use registro_hub::identity::credentials::issue::{HowToIssue, Outcome};
use registro_hub::identity::interaction::{Authenticated, Method as Way};
use registro_hub::identity::people::MonthDay;
use registro_model::PersonId;
use registro_sync::http::Method;
use sync_school::*;

const GOOD: &str = "tre civette sul comò";
const OTHER: &str = "un tavolo viola nella pioggia";
const L2: &str = "https://www.spid.gov.it/SpidL2";

/// A browser: cookies, and the token of the form that it saw last.
struct Phone<'a> {
    stage: &'a Stage,
    cookies: BTreeMap<String, String>,
    form: String,
}

impl<'a> Phone<'a> {
    fn new(stage: &'a Stage) -> Self {
        Self { stage, cookies: BTreeMap::new(), form: String::new() }
    }

    /// In the middle of the login that an app began.
    async fn begun(stage: &'a Stage, change: &[(&str, &str)]) -> Self {
        let mut phone = Self::new(stage);
        let pushed = App::new().push(stage, change).await;
        phone.get(&authorize(&pushed.text("request_uri"))).await;
        assert_eq!(phone.cookies.len(), 1);
        phone
    }

    fn take(&mut self, answer: &Answer) {
        for cookie in answer.headers.all("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        if let Some(at) = page(answer).split_once("name=\"form\" value=\"") {
            self.form = at.1.split('"').next().unwrap().to_owned();
        }
    }

    fn headers(&self, more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = vec![("cookie", cookies.join("; "))];
        headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        headers
    }

    async fn get(&mut self, path: &str) -> Answer {
        let answer = self.stage.send(Method::Get, path, self.headers(&[]), Vec::new()).await;
        self.take(&answer);
        answer
    }

    async fn post_with(
        &mut self,
        path: &str,
        form: &[(&str, &str)],
        more: &[(&'static str, &str)],
    ) -> Answer {
        let mut encoded = url::form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(form);
        let mut headers = self.headers(more);
        headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        let answer = self.stage.send(Method::Post, path, headers, encoded.finish().into_bytes()).await;
        self.take(&answer);
        answer
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let token = self.form.clone();
        self.post_with(path, &[&[("form", token.as_str())], form].concat(), &[]).await
    }
}

fn page(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).unwrap_or_default()
}

/// Where the answer leads.
fn next(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", page(answer));
    header(answer, "location").to_owned()
}

/// Without what differs from one browser to the next.
fn without_tokens(answer: &Answer) -> String {
    let page = page(answer);
    let (before, after) = page.split_once("name=\"form\" value=\"").unwrap();
    format!("{before}{}", &after[64..])
}

/// Gives somebody credentials of the school; says the user name.
fn credentials(stage: &Stage, person: PersonId) -> String {
    let identity = &stage.identity;
    identity.credentials.set_until(Some(day("2027-02-01"))).unwrap();
    let registered = identity.hub.registered().unwrap();
    let how = HowToIssue { by_mail: false, again: true, leavers_revoked_on: MonthDay::LAST_OF_YEAR };
    let mut issued = identity.credentials.issue(&registered, &[person], how, stage.now()).unwrap();
    let Outcome::Printed { username, code, .. } = issued.pop().unwrap().outcome else { panic!() };
    let known = identity.known(person).unwrap().unwrap();
    let code = code.printed();
    let typed = FirstAccess { code: &code, password: GOOD, again: GOOD, email: "mia@posta.example" };
    identity.credentials.complete_first_access(&typed, &known, stage.now()).unwrap().unwrap();
    username
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_forbids_what_it_does_not_need_and_is_kept_nowhere() {
    let stage = Stage::new().await;
    credentials(&stage, TEACHER);
    let mut phone = Phone::begun(&stage, &[]).await;
    for path in [
        "/login",
        "/login/school",
        "/login/failed?reason=x",
        "/first-access",
        "/reset",
        "/confirm-email",
        "/oauth/authorize",
    ] {
        let answer = phone.get(path).await;
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; "), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"), "{path}");
        assert_eq!(header(&answer, "cache-control"), "no-store", "{path}");
        assert_eq!(header(&answer, "referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        assert!(!page(&answer).contains("<script"), "{path}");
    }
    let style = stage.get("/login/style.css").await;
    assert_eq!((style.status, header(&style, "content-type")), (200, "text/css; charset=utf-8"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_good_in_the_browser_and_the_login_that_it_was_made_for() {
    let stage = Stage::new().await;
    let username = credentials(&stage, TEACHER);
    let typed = [("username", username.as_str()), ("password", GOOD)];
    let mut phone = Phone::begun(&stage, &[]).await;
    phone.get("/login/school").await;
    let own = phone.form.clone();
    let mut other = Phone::begun(&stage, &[]).await;
    other.get("/login/school").await;
    let others = other.form.clone();
    assert_ne!(own, others);
    let twice = [&[("form", own.as_str()), ("form", own.as_str())][..], &typed].concat();
    for (what, form, more) in [
        ("no token", typed.to_vec(), &[][..]),
        ("another browser's", [&[("form", others.as_str())][..], &typed].concat(), &[]),
        ("rubbish", [&[("form", "rubbish")][..], &typed].concat(), &[]),
        ("twice", twice, &[]),
        (
            "another site's",
            [&[("form", own.as_str())][..], &typed].concat(),
            &[("origin", "https://evil.example")],
        ),
        (
            "a neighbour's",
            [&[("form", own.as_str())][..], &typed].concat(),
            &[("sec-fetch-site", "same-site")],
        ),
    ] {
        let answer = phone.post_with("/login/school", &form, more).await;
        assert_eq!(answer.status, 400, "{what}");
        assert!(page(&answer).contains("Questa pagina è scaduta"), "{what}");
    }
    let own = [&[("form", own.as_str())][..], &typed].concat();
    let good = [("sec-fetch-site", "same-origin"), ("origin", "null")];
    assert!(next(&phone.post_with("/login/school", &own, &good).await).ends_with("/login/done"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_exists_cannot_be_told_from_the_page_and_what_is_typed_is_not_markup() {
    let stage = Stage::new().await;
    let username = credentials(&stage, TEACHER);
    let mut phone = Phone::begun(&stage, &[]).await;
    phone.get("/login/school").await;
    let wrong = phone.post("/login/school", &[("username", &username), ("password", OTHER)]).await;
    let nobody = phone.post("/login/school", &[("username", "nessuno"), ("password", OTHER)]).await;
    assert_eq!((wrong.status, nobody.status), (422, 422));
    assert_eq!(without_tokens(&wrong).replace(&username, "nessuno"), without_tokens(&nobody));
    let soon = phone.post("/login/school", &[("username", "nessuno"), ("password", OTHER)]).await;
    assert_eq!((soon.status, header(&soon, "retry-after")), (429, "1"));
    let markup =
        phone.post("/login/school", &[("username", "\"><script>alert(1)</script>"), ("password", "x")]).await;
    assert!(page(&markup).contains("&#60;script&#62;") && !page(&markup).contains("<script"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_lets_the_device_in_or_does_not() {
    let stage = Stage::new().await;
    let username = credentials(&stage, TEACHER);
    for (decision, comes_back) in
        [("allow", "code="), ("deny", "error=access_denied"), ("", "error=access_denied")]
    {
        let mut phone = Phone::begun(&stage, &[]).await;
        phone.get("/login/school").await;
        let typed = [("username", username.as_str()), ("password", GOOD)];
        phone.post("/login/school", &typed).await;
        let consent = phone.get("/login/done").await;
        assert!(
            page(&consent).contains("Uno Anna")
                && page(&consent).contains("credenziali della scuola, livello 1")
        );
        let back = next(&phone.post("/login/consent", &[("decision", decision)]).await);
        assert!(back.starts_with("http://127.0.0.1:4000/callback?") && back.contains(comes_back), "{back}");
        assert_eq!(
            phone.post("/login/consent", &[("decision", "allow")]).await.status,
            400,
            "the login has ended"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_consents_before_it_is_known_who_it_is() {
    let stage = Stage::new().await;
    let mut phone = Phone::begun(&stage, &[]).await;
    phone.get("/login").await;
    assert!(next(&phone.get("/login/done").await).ends_with("/login"));
    assert!(next(&phone.post("/login/consent", &[("decision", "allow")]).await).ends_with("/login"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_alone_is_of_the_first_level() {
    let stage = Stage::new().await;
    let username = credentials(&stage, TEACHER);
    let mut phone = Phone::begun(&stage, &[("acr_values", L2)]).await;
    phone.get("/login/school").await;
    let typed = [("username", username.as_str()), ("password", GOOD)];
    let refused = phone.post("/login/school", &typed).await;
    assert_eq!(refused.status, 403);
    assert!(page(&refused).contains("Serve un accesso più sicuro"));
    assert!(next(&phone.get("/login/done").await).ends_with("/login"), "nobody was noted");
    assert!(next(&phone.get("/login/second-factor").await).ends_with("/login/school"), "no step was begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_log_in_is_told_why_and_cannot_consent() {
    let stage = Stage::new().await;
    for (person, reason) in
        [(ESTRANGED, "Non hai un ruolo in questa scuola"), (person(99), "Non hai un ruolo")]
    {
        let mut phone = Phone::begun(&stage, &[]).await;
        phone.get("/login").await;
        let identity = &stage.identity;
        let cookie = phone.cookies.values().next().unwrap().clone();
        let login = identity.interactions.open(&cookie, stage.now()).unwrap().unwrap();
        let who = Authenticated { person, level: Level::L2, method: Way::Spid, at: stage.now() };
        identity.interactions.authenticate(login.id, who, stage.now()).unwrap();
        let refused = phone.get("/login/done").await;
        assert_eq!(refused.status, 403);
        assert!(page(&refused).contains(reason));
        assert_eq!(phone.post("/login/consent", &[("decision", "allow")]).await.status, 403);
        assert!(next(&phone.post("/login/cancel", &[]).await).contains("error=access_denied"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pupil_of_the_first_cycle_is_told_that_the_parents_log_in() {
    let first_cycle = |registered: &mut registro_hub::registry::Registered| {
        let site = registered.directory.classes[&class("3A")].site.clone();
        registered.login.first_cycle.insert(site);
    };
    let stage = Stage::of(Default::default(), first_cycle).await;
    let mut phone = Phone::begun(&stage, &[]).await;
    let cookie = phone.cookies.values().next().unwrap().clone();
    let login = stage.identity.interactions.open(&cookie, stage.now()).unwrap().unwrap();
    let who = Authenticated { person: P1, level: Level::L2, method: Way::Spid, at: stage.now() };
    stage.identity.interactions.authenticate(login.id, who, stage.now()).unwrap();
    let refused = phone.get("/login/done").await;
    assert!(refused.status == 403 && page(&refused).contains("Accedono i genitori"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_logs_out_everywhere_and_nothing_else_does() {
    let stage = Stage::new().await;
    let username = credentials(&stage, TEACHER);
    let app = App::new();
    let tokens = app.tokens(&stage, TEACHER, Level::L2).await;
    let mut phone = Phone::new(&stage);
    assert!(next(&phone.get("/profile").await).ends_with("/login"));
    phone.get("/login/school").await;
    phone.post("/login/school", &[("username", &username), ("password", GOOD)]).await;
    assert!(next(&phone.get("/login/done").await).ends_with("/profile"));
    let profile = phone.get("/profile").await;
    assert!(page(&profile).contains("Uno Anna") && page(&profile).contains("SPID, livello 2"));
    phone.get("/profile/password").await;
    let wrong =
        phone.post("/profile/password", &[("old", OTHER), ("password", OTHER), ("again", OTHER)]).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(stage.identity.sessions_of(TEACHER, stage.now()).unwrap().len(), 1);
    stage.pass(1_000);
    let done = phone.post("/profile/password", &[("old", GOOD), ("password", OTHER), ("again", OTHER)]).await;
    assert!(done.status == 200 && page(&done).contains("Password cambiata"), "{}", page(&done));
    assert!(stage.identity.sessions_of(TEACHER, stage.now()).unwrap().is_empty());
    let refused = app.refresh(&stage, &tokens.refresh).await;
    assert_eq!(refused.error(), (400, "invalid_grant".to_owned()));
    assert!(next(&phone.get("/profile").await).ends_with("/login"), "the pages are closed as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_ends_their_own_sessions_and_nobody_elses() {
    let stage = Stage::new().await;
    let username = credentials(&stage, TEACHER);
    App::new().tokens(&stage, TEACHER, Level::L2).await;
    App::new().tokens(&stage, SECOND, Level::L2).await;
    let id = |person| {
        let session = stage.identity.sessions_of(person, stage.now()).unwrap().pop();
        session.map(|session| session.id.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    let mut phone = Phone::new(&stage);
    phone.get("/profile").await;
    phone.get("/login/school").await;
    phone.post("/login/school", &[("username", &username), ("password", GOOD)]).await;
    phone.get("/login/done").await;
    phone.get("/profile").await;
    let (own, others) = (id(TEACHER).unwrap(), id(SECOND).unwrap());
    phone.post("/profile/sessions/end", &[("session", &others)]).await;
    assert!(id(SECOND).is_some(), "another person's session is unknown here");
    phone.post("/profile/sessions/end", &[("session", &own)]).await;
    assert!(id(TEACHER).is_none());
    phone.get("/profile").await;
    phone.post("/profile/sign-out", &[]).await;
    assert!(next(&phone.get("/profile").await).ends_with("/login"));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_method_is_off_every_page_of_it_says_so() {
    let stage = Stage::new().await;
    let username = credentials(&stage, TEACHER);
    let mut phone = Phone::begun(&stage, &[]).await;
    phone.get("/login/school").await;
    stage.identity.credentials.set_until(None).unwrap();
    let typed = [("username", username.as_str()), ("password", GOOD)];
    for answer in [
        phone.post("/login/school", &typed).await,
        phone.get("/login/school").await,
        phone.get("/first-access").await,
        phone.get("/reset").await,
        phone.get("/reset/new?token=x").await,
    ] {
        assert!(answer.status == 403 && page(&answer).contains("non sono più attive"));
    }
    assert!(!page(&phone.get("/login").await).contains("/login/school"));
}
