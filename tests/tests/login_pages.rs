//! The login's pages in a real browser (`tests/peers/browser`): every page in two languages, light and dark, without
//! JavaScript, by keyboard; what axe finds there; SPID and CIE through the reference implementation's pages.
//!
//! With `REGISTRO_PICTURES=docs/img` the pictures of the pages are made anew.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use registro_hub::SystemRandomness;
use registro_hub::clock::{Clock, SystemClock, parse_instant};
use registro_hub::identity::Identity;
use registro_hub::identity::config::IdentityConfig;
use registro_hub::identity::credentials::issue::{HowToIssue, Outcome};
use registro_hub::identity::federation::keys::FederationKeys;
use registro_hub::identity::issuer::Issuer;
use registro_hub::identity::people::{Entitlement, MonthDay, Refusal};
use registro_hub::server::{RunningHub, ServerParts, start_on};
use registro_model::{Date, PersonId};
use registro_tests::browser::Failure;
use registro_tests::federation::{Account, Federation, ORGANIZATION, PASSWORD, free_port};
use registro_tests::hub::{import, sample_school};
use serde_json::{Value, json};

/// A teacher of the sample school.
const TEACHER: &str = "docente-prova";
/// Somebody whom the school does not know.
const STRANGER: &str = "sconosciuto-prova";
/// A parent without rights, by court order.
const ESTRANGED: &str = "senza-diritti";

/// A clock that runs, on a day of the sample's school year.
struct SchoolDay(i64);

impl Clock for SchoolDay {
    fn now(&self) -> i64 {
        SystemClock.now() + self.0
    }
}

/// The cell of a column in the first line of a table that `which` picks.
fn cell(
    table: &str,
    column: &str,
    which: impl Fn(&dyn Fn(&str) -> String) -> bool,
) -> Result<String, Failure> {
    let text = std::fs::read_to_string(sample_school().join(table))?;
    let mut lines = text.lines().map(|line| line.split(';').map(str::to_owned).collect::<Vec<_>>());
    let head = lines.next().ok_or("an empty table")?;
    let at = |row: &[String], name: &str| {
        head.iter()
            .position(|known| known == name)
            .and_then(|index| row.get(index).cloned())
            .unwrap_or_default()
    };
    let row = lines.find(|row| which(&|name| at(row, name))).ok_or("no such line")?;
    Ok(at(&row, column))
}

struct World {
    hub: RunningHub,
    identity: Arc<Identity>,
    offset: i64,
    folder: tempfile::TempDir,
    _providers: [Federation; 2],
}

async fn world() -> Result<World, Failure> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    std::fs::create_dir(&data)?;
    import(sample_school(), &data)?;
    let name = format!("http://127.0.0.1:{}", free_port()?);
    let keys = serde_json::to_value(FederationKeys::of_directory(&data)?.federation_public())?;
    let estranged = cell("alunni.csv", "g2_codice_fiscale", |row| row("g2_diritti") == "N")?;
    let accounts = [
        (TEACHER, cell("docenti.csv", "codice_fiscale", |_| true)?),
        // The code that every form in Italy shows as its example: nobody of the sample has it.
        (STRANGER, "RSSMRA80A01H501U".to_owned()),
        (ESTRANGED, estranged),
    ]
    .map(|(username, fiscal_code)| Account { username: username.to_owned(), fiscal_code });
    let spid = Federation::start("spid", &name, &keys, &accounts, folder.path())?;
    let cie = Federation::start("cie", &name, &keys, &accounts, folder.path())?;
    let outbox = folder.path().join("outbox");
    let settings = format!(
        "[mail]\nfrom = 'Registro <registro@scuola.example>'\nfolder = {outbox:?}\n{ORGANIZATION}{}{}",
        spid.settings("spid", &data).await?,
        cie.settings("cie", &data).await?
    );
    std::fs::write(data.join("identity.toml"), settings)?;
    let morning = parse_instant("2026-11-25T07:30:00+01:00").ok_or("no instant")?;
    let offset = morning - SystemClock.now();
    let clock: Arc<dyn Clock> = Arc::new(SchoolDay(offset));
    let hub = Arc::new(registro_hub::serve::open(&data, clock.now())?);
    let identity = Arc::new(Identity::open(
        Arc::clone(&hub),
        Arc::clone(&clock),
        IdentityConfig::of_directory(&data)?,
        Issuer::new(&name.parse()?)?,
        &data,
        Box::new(SystemRandomness::new()),
    )?);
    let callers = Arc::new(registro_hub::caller::Nobody);
    let parts = ServerParts { hub, callers, clock, identity: Some(Arc::clone(&identity)), development: None };
    let listener = tokio::net::TcpListener::bind(name.trim_start_matches("http://")).await?;
    let hub = start_on(parts, listener)?;
    let federation = identity.federation.clone().ok_or("no federation")?;
    assert!(federation.refresh().await, "all of both federations can be used");
    Ok(World { hub, identity, offset, folder, _providers: [spid, cie] })
}

impl World {
    fn person(&self, code: &str) -> Result<PersonId, Failure> {
        Ok(self.identity.hub.person_by_code(code)?.ok_or("no such person")?)
    }

    /// Credentials on paper.
    fn issue(&self, person: PersonId) -> Result<Value, Failure> {
        let how = HowToIssue { by_mail: false, again: true, leavers_revoked_on: MonthDay::LAST_OF_YEAR };
        let registered = self.identity.hub.registered()?;
        let mut issues = self.identity.credentials.issue(&registered, &[person], how, self.identity.now())?;
        match issues.pop().map(|issue| issue.outcome) {
            Some(Outcome::Printed { username, code, .. }) => Ok(json!({
                "username": username, "code": code.printed().to_string(), "email": self.identity.email_of(person)?,
            })),
            other => Err(format!("{other:?}").into()),
        }
    }

    /// Drives the browser through the pages.
    async fn drive(&self, plan: Value) -> Result<(), Failure> {
        let file = self.folder.path().join("plan.json");
        std::fs::write(&file, plan.to_string())?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/browser/pages.js");
        let driven = tokio::task::spawn_blocking(move || Command::new("node").arg(script).arg(file).output());
        let output = driven.await??;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )
            .into()),
        }
    }

    fn plan(&self, off: bool, people: Value) -> Value {
        json!({
            "issuer": self.identity.issuer.as_str(), "offset": self.offset, "off": off, "people": people,
            "outbox": self.folder.path().join("outbox"), "pictures": std::env::var_os("REGISTRO_PICTURES").map(|folder| {
                Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)
            }),
            "teacher": TEACHER, "stranger": STRANGER, "estranged": ESTRANGED, "providerPassword": PASSWORD,
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_works_without_javascript_and_axe_finds_nothing() -> Result<(), Failure> {
    let world = world().await?;
    let today: Date = "2026-11-25".parse()?;
    let estranged = cell("alunni.csv", "g2_codice_fiscale", |row| row("g2_diritti") == "N")?;
    let estranged = world.person(&estranged)?;
    assert_eq!(
        world.identity.entitlement(estranged, today)?,
        Entitlement::Refused(Refusal::NoRole),
        "the sample has a parent without rights over any child"
    );
    world.identity.credentials.set_until(Some("2027-02-01".parse()?))?;
    let (teacher, pupil) = (world.person("D002")?, world.person("260001")?);
    let people = json!({ "it": world.issue(teacher)?, "en": world.issue(pupil)? });
    world.drive(world.plan(false, people)).await?;
    world.identity.credentials.set_until(Some("2026-11-24".parse()?))?;
    world.drive(world.plan(true, Value::Null)).await?;
    world.hub.stop().await;
    Ok(())
}
