//! The reference implementation of SPID and CIE as a process of this test (`tests/peers/federation`).

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::browser::{Browser, Failure, Page, Place};

/// Everybody's password there.
pub const PASSWORD: &str = "prova";

/// A trust anchor with its identity provider. It ends when it is dropped.
pub struct Federation {
    process: Child,
    /// The anchor's name.
    pub anchor: String,
    /// The provider's name.
    pub provider: String,
}

/// Somebody who can log in there.
#[derive(Debug, Clone)]
pub struct Account {
    /// The name at the login.
    pub username: String,
    /// The fiscal code.
    pub fiscal_code: String,
}

/// A port that is free now.
///
/// # Errors
/// There is none.
pub fn free_port() -> Result<u16, Failure> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The Python that has what the peer needs; `cargo xtask peers` makes it and says where it is.
fn python() -> PathBuf {
    std::env::var_os("REGISTRO_PEERS_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from)
}

impl Federation {
    /// Starts one. `profile` is `spid` or `cie`; `client` is the hub's name, `keys` its public federation keys.
    /// `folder` takes the files that go along.
    ///
    /// # Errors
    /// Python or the package is not there; the error shows what it said.
    pub fn start(
        profile: &str,
        client: &str,
        keys: &Value,
        accounts: &[Account],
        folder: &Path,
    ) -> Result<Self, Failure> {
        Self::start_with(&python(), profile, client, keys, accounts, folder)
    }

    /// Starts one with a Python that has the package.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(
        python: &Path,
        profile: &str,
        client: &str,
        keys: &Value,
        accounts: &[Account],
        folder: &Path,
    ) -> Result<Self, Failure> {
        let people: Vec<Value> = accounts
            .iter()
            .map(|account| {
                json!({
                    "username": account.username, "given_name": "Nome", "family_name": "Cognome",
                    "birthdate": "1980-01-01", "fiscal_code": account.fiscal_code,
                })
            })
            .collect();
        let (keys_file, people_file) =
            (folder.join(format!("{profile}-rp.json")), folder.join(format!("{profile}-people.json")));
        std::fs::write(&keys_file, keys.to_string())?;
        std::fs::write(&people_file, Value::from(people).to_string())?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/federation/federation.py");
        let log = std::fs::File::create(folder.join(format!("{profile}.log")))?;
        let mut process = Command::new(python)
            .arg(script)
            .args(["--profile", profile, "--port", &free_port()?.to_string(), "--rp", client])
            .arg(&keys_file)
            .arg("--people")
            .arg(&people_file)
            // Its database lives in the test's folder, so that an end without warning leaves nothing behind.
            .arg("--db")
            .arg(folder.join(format!("{profile}.sqlite3")))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let mut line = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let mut names = line.strip_prefix("ready").unwrap_or_default().split_whitespace().map(str::to_owned);
        match (names.next(), names.next()) {
            (Some(anchor), Some(provider)) => Ok(Self { process, anchor, provider }),
            _ => {
                let _ = process.kill();
                let said = std::fs::read_to_string(folder.join(format!("{profile}.log"))).unwrap_or_default();
                Err(format!("the federation does not start: {said}").into())
            }
        }
    }

    /// The anchor's keys. A school receives them out of band; a test reads them where they are.
    ///
    /// # Errors
    /// The anchor does not answer as it should.
    pub async fn anchor_keys(&self) -> Result<Value, Failure> {
        let url = format!("{}/.well-known/openid-federation", self.anchor);
        let page = Browser::new()?.open(&url, "").await?.page()?;
        let claims = page.html.split('.').nth(1).ok_or("no statement")?;
        let claims = registro_hub::identity::federation::jose::decode(claims)?;
        let claims: Value = serde_json::from_slice(&claims)?;
        Ok(claims.get("jwks").cloned().ok_or("no keys")?)
    }

    /// The section of a hub's settings about this federation. The keys' file is written into the hub's data.
    ///
    /// # Errors
    /// As [`Self::anchor_keys`].
    pub async fn settings(&self, scheme: &str, data: &Path) -> Result<String, Failure> {
        let file = format!("{scheme}-anchor.json");
        std::fs::write(data.join(&file), self.anchor_keys().await?.to_string())?;
        Ok(format!(
            "[[federation.anchor]]\nscheme = \"{scheme}\"\nentity = \"{}\"\nkeys = \"{file}\"\n",
            self.anchor
        ))
    }
}

impl Federation {
    /// From the hub's page on which a way is chosen, through this provider's pages, to where the hub sends the browser
    /// then: a page, or an address that begins with `app`.
    ///
    /// # Errors
    /// The page does not offer this provider, or a page is not what it should be; the error shows it.
    pub async fn by_pages(
        &self,
        browser: &mut Browser,
        page: &Page,
        username: &str,
        act: Act,
        app: &str,
    ) -> Result<Place, Failure> {
        let is_ours = |link: &reqwest::Url| {
            link.path() == "/login/begin" && link.query_pairs().any(|(_, value)| value == self.provider)
        };
        let link = page.links().into_iter().find(is_ours);
        let link = link.ok_or_else(|| format!("{} is not offered:\n{}", self.provider, page.html))?;
        let login = browser.open(link.as_str(), app).await?.page()?;
        log_in(browser, login, username, act, app).await
    }
}

/// What a hub says of itself in its settings, before the anchors.
pub const ORGANIZATION: &str = r#"
[federation]
organization = "Istituto di prova"
homepage = "https://scuola.example/"
policy = "https://scuola.example/privacy"
logo = "https://scuola.example/logo.svg"
contacts = ["scuola@pec.example"]
"#;

/// What a person does at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Logs in and agrees.
    Agree,
    /// Logs in, and does not let the data go.
    Decline,
}

/// Goes through the provider's pages, from its login page to where it sends the browser: an address that begins with
/// `stop`, or the page at the end of all redirects if `stop` is empty.
///
/// # Errors
/// A page is not what it should be; the error shows it.
pub async fn log_in(
    browser: &mut Browser,
    page: Page,
    username: &str,
    act: Act,
    stop: &str,
) -> Result<Place, Failure> {
    let form = page.form_with("username")?.with("username", username).with("password", PASSWORD);
    let consent = browser.submit(&form, None, stop).await?.page()?;
    let form = consent.form_with("agree")?;
    let form = match act {
        Act::Agree => form.with("agree", "True"),
        Act::Decline => form.without("agree"),
    };
    browser.submit(&form, None, stop).await
}

impl Drop for Federation {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
