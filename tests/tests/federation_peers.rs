//! The hub in the federations of SPID and CIE, against their reference implementation: from the hub through the
//! provider's pages and back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use registro_hub::clock::{Clock, SystemClock};
use registro_hub::identity::Identity;
use registro_hub::identity::config::IdentityConfig;
use registro_hub::identity::cookies::Cookie;
use registro_hub::identity::federation::keys::FederationKeys;
use registro_hub::identity::federation::{Reason, Upstream};
use registro_hub::identity::interaction::{Authenticated, InteractionId, Method};
use registro_hub::identity::issuer::Issuer;
use registro_hub::server::{RunningHub, ServerParts, start_on};
use registro_hub::{Level, SystemRandomness};
use registro_tests::browser::{Browser, Failure, Page, Place};
use registro_tests::federation::{Account, Act, Federation, ORGANIZATION, free_port, log_in};
use registro_tests::hub::{import, sample_school};
use tempfile::TempDir;

/// A teacher and a pupil of the sample school, at the provider.
const TEACHER: &str = "docente-campione";
const PUPIL: &str = "alunno-campione";

struct World {
    hub: RunningHub,
    identity: Arc<Identity>,
    spid: Federation,
    cie: Federation,
    folder: TempDir,
}

/// The fiscal code of the first line of a table of the sample.
fn fiscal_code(table: &str, column: &str) -> Result<String, Failure> {
    let text = std::fs::read_to_string(sample_school().join(table))?;
    let mut lines = text.lines();
    let at =
        lines.next().and_then(|head| head.split(';').position(|name| name == column)).ok_or("no column")?;
    Ok(lines.next().and_then(|line| line.split(';').nth(at)).ok_or("no line")?.to_owned())
}

/// The sample school, its `scuola.toml` changed.
fn school(folder: &Path, change: impl Fn(String) -> String) -> Result<PathBuf, Failure> {
    let files = folder.join("files");
    std::fs::create_dir(&files)?;
    for entry in std::fs::read_dir(sample_school())? {
        let entry = entry?;
        std::fs::copy(entry.path(), files.join(entry.file_name()))?;
    }
    let toml = files.join("scuola.toml");
    std::fs::write(&toml, change(std::fs::read_to_string(&toml)?))?;
    Ok(files)
}

async fn world(change: impl Fn(String) -> String) -> Result<World, Failure> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    std::fs::create_dir(&data)?;
    import(&school(folder.path(), change)?, &data)?;
    let name = format!("http://127.0.0.1:{}", free_port()?);
    let keys = serde_json::to_value(FederationKeys::of_directory(&data)?.federation_public())?;
    let code = fiscal_code("docenti.csv", "codice_fiscale")?;
    let accounts = [
        Account { username: TEACHER.to_owned(), fiscal_code: code.clone() },
        Account { username: "docente-omonimo".to_owned(), fiscal_code: code },
        Account { username: PUPIL.to_owned(), fiscal_code: fiscal_code("alunni.csv", "codice_fiscale")? },
    ];
    let spid = Federation::start("spid", &name, &keys, &accounts, folder.path())?;
    let cie = Federation::start("cie", &name, &keys, &accounts, folder.path())?;
    let settings =
        format!("{ORGANIZATION}{}{}", spid.settings("spid", &data).await?, cie.settings("cie", &data).await?);
    std::fs::write(data.join("identity.toml"), settings)?;
    let (hub, identity) = start(&data, &name).await?;
    Ok(World { hub, identity, spid, cie, folder })
}

async fn start(data: &Path, name: &str) -> Result<(RunningHub, Arc<Identity>), Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let hub = Arc::new(registro_hub::serve::open(data, clock.now())?);
    let issuer = Issuer::new(&name.parse()?)?;
    let listener = tokio::net::TcpListener::bind(name.trim_start_matches("http://")).await?;
    let identity = Arc::new(Identity::open(
        Arc::clone(&hub),
        Arc::clone(&clock),
        IdentityConfig::of_directory(data)?,
        issuer,
        data,
        Box::new(SystemRandomness::new()),
    )?);
    let callers = Arc::new(registro_hub::caller::Nobody);
    let parts = ServerParts { hub, callers, clock, identity: Some(Arc::clone(&identity)), development: None };
    Ok((start_on(parts, listener)?, identity))
}

/// A login of the hub's own pages, in a browser of its own.
struct Login {
    browser: Browser,
    id: InteractionId,
}

impl World {
    fn begin(&self) -> Result<Login, Failure> {
        let (id, cookie) = self.identity.interactions.begin_profile(self.identity.now())?;
        let mut browser = Browser::new()?;
        browser.plant(&self.hub.url(), Cookie::Login.name(&self.identity.issuer), cookie.reveal())?;
        Ok(Login { browser, id })
    }

    /// To the provider, through its pages, and to where it sends the browser: the hub's callback.
    async fn go(
        &self,
        login: &mut Login,
        provider: &str,
        username: &str,
        act: Act,
        language: Option<&str>,
    ) -> Result<String, Failure> {
        let federation = self.identity.federation.as_ref().ok_or("no federation")?;
        let url = federation.begin(provider, Level::L2, login.id, language).await?;
        let page = login.browser.open(url.as_str(), "").await?.page()?;
        let stop = format!("{}/federation/callback", self.hub.url());
        log_in(&mut login.browser, page, username, act, &stop).await?.app()
    }

    /// Back to the hub; to which of its pages.
    async fn back(&self, login: &mut Login, callback: &str) -> Result<String, Failure> {
        let next = login.browser.open(callback, &format!("{}/login/", self.hub.url())).await?.app()?;
        Ok(next.replace(&self.hub.url(), ""))
    }

    fn who(&self, login: &Login) -> Result<Option<Authenticated>, Failure> {
        let found = self.identity.interactions.find(login.id, self.identity.now())?;
        Ok(found.and_then(|interaction| interaction.authenticated))
    }
}

fn failed(reason: Reason) -> String {
    format!("/login/failed?reason={}", reason.word())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_log_in_with_spid_and_with_cie() -> Result<(), Failure> {
    let world = world(|toml| toml).await?;
    let federation = Arc::clone(world.identity.federation.as_ref().ok_or("no federation")?);
    assert!(federation.refresh().await, "all of both federations can be used");
    let mut listed = federation.providers();
    listed.sort_by_key(|provider| provider.method.number());
    let listed: Vec<_> = listed.iter().map(|one| (one.method, one.id.as_str(), one.name.as_str())).collect();
    assert_eq!(
        listed,
        [
            (Method::Spid, world.spid.provider.as_str(), "Gestore di prova"),
            (Method::Cie, world.cie.provider.as_str(), "Gestore di prova")
        ]
    );

    // SPID, in English.
    let mut login = world.begin()?;
    let callback = world.go(&mut login, &world.spid.provider, TEACHER, Act::Agree, Some("en")).await?;
    assert_eq!(world.back(&mut login, &callback).await?, "/login/done");
    let by_spid = world.who(&login)?.ok_or("nobody")?;
    assert_eq!((by_spid.level, by_spid.method), (Level::L2, Method::Spid));
    let code = fiscal_code("docenti.csv", "codice_fiscale")?;
    assert_eq!(Some(by_spid.person), world.identity.person_by_fiscal_number(&code)?);

    // The same answer again is nobody's.
    assert_eq!(world.back(&mut login, &callback).await?, failed(Reason::Expired));

    // CIE, under another account of the same person: another `sub`, the same person.
    let mut login = world.begin()?;
    let callback = world.go(&mut login, &world.cie.provider, "docente-omonimo", Act::Agree, None).await?;
    assert_eq!(world.back(&mut login, &callback).await?, "/login/done");
    let by_cie = world.who(&login)?.ok_or("nobody")?;
    assert_eq!((by_cie.person, by_cie.level, by_cie.method), (by_spid.person, Level::L2, Method::Cie));

    // An answer is used only in the browser that asked for it.
    let mut login = world.begin()?;
    let callback = world.go(&mut login, &world.spid.provider, TEACHER, Act::Agree, None).await?;
    let mut other = world.begin()?;
    assert_eq!(world.back(&mut other, &callback).await?, failed(Reason::Expired));
    assert_eq!(world.back(&mut login, &callback).await?, failed(Reason::Expired), "and is used up then");
    assert_eq!((world.who(&login)?, world.who(&other)?), (None, None));

    // Somebody whom the school does not know.
    let mut login = world.begin()?;
    let callback = world.go(&mut login, &world.spid.provider, "alunno", Act::Agree, None).await?;
    assert_eq!(world.back(&mut login, &callback).await?, failed(Reason::UnknownPerson));
    assert_eq!(world.who(&login)?, None);

    // Somebody who does not let their data go.
    let mut login = world.begin()?;
    let callback = world.go(&mut login, &world.spid.provider, TEACHER, Act::Decline, None).await?;
    assert_eq!(world.back(&mut login, &callback).await?, failed(Reason::Cancelled));

    resolved(&world).await?;
    logged(&world)?;
    world.hub.stop().await;
    Ok(())
}

/// The hub says what it knows of providers, and of nobody else.
async fn resolved(world: &World) -> Result<(), Failure> {
    let mut browser = Browser::new()?;
    let mut ask = async |sub: &str, anchor: &str| -> Result<u16, Failure> {
        let mut url = reqwest::Url::parse(&format!("{}/resolve", world.hub.url()))?;
        url.query_pairs_mut().append_pair("sub", sub).append_pair("trust_anchor", anchor);
        match browser.open(url.as_str(), "").await? {
            Place::Page(page) => Ok(page.status.as_u16()),
            Place::App(_) => Err("a redirect".into()),
        }
    };
    assert_eq!(ask(&world.spid.provider, &world.spid.anchor).await?, 200);
    assert_eq!(ask(&world.spid.provider, &world.cie.anchor).await?, 404);
    assert_eq!(ask("http://127.0.0.1:1/", &world.cie.anchor).await?, 404);
    Ok(())
}

/// The log has all of it, and none of it can be read in the database.
fn logged(world: &World) -> Result<(), Failure> {
    use registro_hub::identity::Randomness;
    use registro_hub::identity::federation::journal::{Journal, key_path};
    let data = world.folder.path().join("data");
    let random = Randomness::new(Box::new(SystemRandomness::new()));
    let journal = Journal::open(Arc::clone(&world.identity.store), &key_path(&data, None), random)?;
    let mut kinds = std::collections::BTreeMap::<String, usize>::new();
    let mut outcomes = Vec::new();
    journal.read(0, i64::MAX, &mut |entry| {
        if entry.kind == "outcome" {
            outcomes.push(entry.content["outcome"].as_str().unwrap_or_default().to_owned());
        }
        if entry.kind == "revocation" {
            assert_eq!(entry.content["status"], 200, "a token was given back");
        }
        *kinds.entry(entry.kind).or_default() += 1;
        Ok(())
    })?;
    assert_eq!(
        outcomes,
        ["identified", "identified", "identified", "cancelled"],
        "the unknown person was identified"
    );
    let count = |kind: &str| kinds.get(kind).copied().unwrap_or_default();
    assert_eq!(
        ["chain", "request", "answer", "tokens", "userinfo", "revocation"].map(count),
        [2, 5, 4, 3, 3, 3],
        "of five logins one was refused in another browser, and one declined"
    );
    let code = fiscal_code("docenti.csv", "codice_fiscale")?;
    for file in ["identity.sqlite", "identity.sqlite-wal"] {
        let bytes = std::fs::read(data.join(file)).unwrap_or_default();
        assert!(!bytes.windows(code.len()).any(|window| window == code.as_bytes()), "{file}");
    }
    Ok(())
}

/// By the hub's own pages, from *Profilo* through a provider's pages to the page at the end.
async fn by_pages(world: &World, provider: &Federation, username: &str) -> Result<Page, Failure> {
    let mut browser = Browser::new()?;
    let page = browser.open(&format!("{}/profile", world.hub.url()), "").await?.page()?;
    provider.by_pages(&mut browser, &page, username, Act::Agree, "").await?.page()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_lead_to_a_provider_and_back_and_pupils_of_the_first_cycle_are_told_why_not()
-> Result<(), Failure> {
    let world = world(|toml| toml.replace("secondaria_secondo_grado", "comprensivo")).await?;
    let federation = Arc::clone(world.identity.federation.as_ref().ok_or("no federation")?);
    assert!(federation.refresh().await);
    for provider in [&world.spid, &world.cie] {
        let page = by_pages(&world, provider, TEACHER).await?;
        assert_eq!((page.status.as_u16(), page.url.path()), (200, "/profile"), "{}", page.html);
    }
    let refused = by_pages(&world, &world.spid, PUPIL).await?;
    assert_eq!((refused.status.as_u16(), refused.url.path()), (403, "/login/done"), "{}", refused.html);
    assert!(refused.html.contains("Accedono i genitori"), "{}", refused.html);
    let unknown = by_pages(&world, &world.spid, "genitore").await?;
    assert_eq!((unknown.status.as_u16(), unknown.url.path()), (403, "/login/failed"), "{}", unknown.html);
    assert!(unknown.html.contains("segreteria"), "{}", unknown.html);
    world.hub.stop().await;
    Ok(())
}
