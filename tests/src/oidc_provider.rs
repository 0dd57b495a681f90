//! A certified OpenID provider as a process of this test (`tests/peers/oidc-provider`), and people who log in there.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::browser::{Browser, Failure, Place};
use crate::federation::{PASSWORD, free_port};

/// The provider. It ends when it is dropped.
pub struct OidcProvider {
    process: Child,
    /// Its name, and where it is.
    pub issuer: String,
}

impl OidcProvider {
    /// Starts one with these options of its `server.mjs`.
    ///
    /// # Errors
    /// Node or the package is not there: `cargo xtask peers` installs it.
    pub fn start(options: &[&str]) -> Result<Self, Failure> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/oidc-provider");
        let mut process = Command::new("node")
            .arg(folder.join("server.mjs"))
            .args(["--port", &free_port()?.to_string()])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        match line.trim().strip_prefix("ready ") {
            Some(issuer) => Ok(Self { issuer: issuer.to_owned(), process }),
            None => {
                let _ = process.kill();
                Err("the provider does not start: run `cargo xtask peers`".into())
            }
        }
    }

    /// Somebody logs in, and reaches that level if it is not the one asked for. Gives the address that the browser
    /// comes back to, which begins with `app`.
    ///
    /// # Errors
    /// The provider shows something else than its login and its consent.
    pub async fn log_in(
        &self,
        browser: &mut Browser,
        address: &str,
        app: &str,
        account: &str,
        acr: Option<&str>,
    ) -> Result<String, Failure> {
        let mut place = browser.open(address, app).await?;
        // Login and consent; a browser that is known there is not asked who it is again.
        for _ in 0..12 {
            let page = match place {
                // An app on loopback, whose port nobody knows beforehand, and the provider itself look alike.
                Place::App(own) if own.starts_with(&self.issuer) => {
                    place = browser.open(&own, app).await?;
                    continue;
                }
                Place::App(callback) => return Ok(callback),
                Place::Page(page) => page,
            };
            let mut form = page.form_with("action")?;
            if form.has("username") {
                form = form.with("username", account).with("password", PASSWORD);
                form = form.with("acr", acr.unwrap_or_default());
            }
            place = browser.press(&form, "continue", app).await?;
        }
        Err("the login does not end".into())
    }

    /// Somebody gives up.
    ///
    /// # Errors
    /// The provider shows something else than its login.
    pub async fn give_up(&self, browser: &mut Browser, address: &str, app: &str) -> Result<String, Failure> {
        let form = browser.open(address, app).await?.page()?.form_with("action")?;
        match browser.press(&form, "cancel", app).await? {
            Place::App(callback) => Ok(callback),
            Place::Page(page) => Err(format!("the login goes on: {} {}", page.url, page.html).into()),
        }
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
