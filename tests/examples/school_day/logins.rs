//! How the people of the day log in: with SPID where its reference implementation is installed (`cargo xtask peers`),
//! with the school's credentials otherwise. Both go through the hub's own pages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use registro::identity::{Level, LoginMethod};
use registro::{LoginRequest, Profile, Registro};
use registro_hub::directory::TableRegistry;
use registro_hub::identity::federation::keys::FederationKeys;
use registro_hub::import::ImportedSchool;
use registro_hub::registry::Registry;
use registro_model::PersonId;
use registro_tests::browser::{Browser, Page};
use registro_tests::federation::{self, Account, Act, Federation, ORGANIZATION};
use registro_tests::login::{self, CALLBACK, Credentials, allow, first_access, issue, second_factor};

use crate::processes::Failure;

/// How long a hub may take to list the providers after its start.
const FIRST_LISTING: Duration = Duration::from_secs(60);

/// The way in which everybody logs in.
pub enum Logins {
    /// SPID: a provider of its reference implementation, and who has which account there.
    Spid { _provider: Federation, accounts: BTreeMap<PersonId, String> },
    /// The school's credentials.
    School(BTreeMap<PersonId, Credentials>),
}

/// The Python that has SPID's reference implementation, if it is there.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("REGISTRO_PEERS_PYTHON").map(PathBuf::from);
    let cached = std::env::var_os("REGISTRO_CACHE").map(PathBuf::from);
    let usual = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/registro"));
    let installed = |folder: PathBuf| folder.join("peers-python");
    let cached = cached.or(usual).map(installed).filter(|folder| folder.join("installed.txt").exists());
    named.or(cached.map(|folder| folder.join("bin/python"))).filter(|python| python.exists())
}

impl Logins {
    /// Prepares the hub's data before it serves: its settings, and what goes with them.
    pub async fn prepare(
        hub: &str,
        data: &Path,
        people: &[PersonId],
        school: &ImportedSchool,
    ) -> Result<Self, Failure> {
        let Some(python) = python() else { return Ok(Self::School(BTreeMap::new())) };
        let database = registro_hub::log::schema::open(&data.join("hub.sqlite"))?;
        let guardians = school.pupils.iter().flat_map(|row| &row.guardians);
        let codes = school.staff.iter().map(|row| &row.fiscal_code);
        let mut accounts = BTreeMap::new();
        let mut listed = Vec::new();
        for code in codes.chain(guardians.map(|row| &row.fiscal_code)) {
            let person = TableRegistry::default().person_by_fiscal_code(&database, code)?;
            let Some(person) = person.filter(|person| people.contains(person)) else { continue };
            if !accounts.contains_key(&person) {
                let username = format!("persona-{}", accounts.len() + 1);
                listed.push(Account { username: username.clone(), fiscal_code: code.clone() });
                accounts.insert(person, username);
            }
        }
        let keys = serde_json::to_value(FederationKeys::of_directory(data)?.federation_public())?;
        let provider = Federation::start_with(&python, "spid", hub, &keys, &listed, data)?;
        let settings = format!("{ORGANIZATION}{}", provider.settings("spid", data).await?);
        std::fs::write(data.join("identity.toml"), settings)?;
        Ok(Self::Spid { _provider: provider, accounts })
    }

    /// Once the hub serves: the office issues credentials where the school's are used, and everybody sets a password.
    /// Who works in the office has an authenticator app: its acts need two factors.
    pub async fn hand_out(
        &mut self,
        hub: &str,
        data: &Path,
        people: &[PersonId],
        office: PersonId,
        now: i64,
    ) -> Result<(), Failure> {
        if let Self::School(credentials) = self {
            // Somebody with two devices has one password.
            let people: Vec<PersonId> = people.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
            for printed in issue(data, &people, now)? {
                credentials.insert(printed.person, first_access(hub, &printed).await?);
            }
            let code = second_factor(data, office, now)?;
            credentials.entry(office).and_modify(|credentials| credentials.code = Some(code));
        }
        Ok(())
    }

    /// How it is called.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Spid { .. } => "SPID",
            Self::School(_) => "the school's credentials",
        }
    }

    /// Logs a person in: the app begins, the browser goes through the pages, the app ends it.
    pub async fn log_in(&self, registro: &Registro, person: PersonId) -> Result<Profile, Failure> {
        match self {
            Self::School(credentials) => {
                login::log_in(registro, credentials.get(&person).ok_or("somebody without credentials")?).await
            }
            Self::Spid { accounts, .. } => {
                let username = accounts.get(&person).ok_or("somebody without an account")?;
                let method = Some(LoginMethod::Spid);
                let request = LoginRequest { method, level: Level::L2, english: false };
                let address = registro.begin_login(request).await?;
                let mut browser = Browser::new()?;
                let mut page = browser.open(&address, CALLBACK).await?.page()?;
                let listed =
                    |page: &Page| page.links().into_iter().find(|link| link.path() == "/login/begin");
                // A hub that has just started asks the federation first: whoever comes that early tries again.
                let began = Instant::now();
                while listed(&page).is_none() && began.elapsed() < FIRST_LISTING {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    page = browser.open(page.url.as_str(), CALLBACK).await?.page()?;
                }
                let provider =
                    listed(&page).ok_or_else(|| format!("no provider is listed:\n{}", page.html))?;
                let page = browser.open(provider.as_str(), CALLBACK).await?.page()?;
                let consent = federation::log_in(&mut browser, page, username, Act::Agree, CALLBACK).await?;
                let callback = allow(&mut browser, &consent.page()?).await?;
                Ok(registro.complete_login(&callback).await?)
            }
        }
    }
}
