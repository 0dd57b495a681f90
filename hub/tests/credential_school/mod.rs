//! Credentials of a small school, with mail that goes into a folder.

#![allow(dead_code)]

use std::path::PathBuf;
use std::sync::Arc;

use registro_hub::identity::Randomness;
use registro_hub::identity::config::IdentityConfig;
use registro_hub::identity::credentials::issue::{HowToIssue, Outcome, Whom};
use registro_hub::identity::credentials::{Credentials, Known};
use registro_hub::identity::issuer::Issuer;
use registro_hub::identity::people::MonthDay;
use registro_hub::identity::store::IdentityStore;
use registro_hub::registry::Registered;
use registro_hub::{HubError, SystemRandomness};
use registro_model::PersonId;

use crate::sync_school::*;

/// A passphrase that does.
pub const GOOD: &str = "tre civette sul comò";
/// Another.
pub const OTHER: &str = "un tavolo viola nella pioggia";
/// The teacher's address, and user name.
pub const TEACHERS: &str = "anna.uno@scuola.example";
pub const MINUTE: i64 = 60_000;

pub struct School {
    pub credentials: Credentials,
    pub registered: Registered,
    pub folder: tempfile::TempDir,
    pub store: Arc<IdentityStore>,
}

pub fn school() -> School {
    school_with(true)
}

pub fn school_with(mail: bool) -> School {
    let folder = tempfile::tempdir().unwrap();
    let mut config = IdentityConfig::default();
    if mail {
        let outbox = folder.path().join("outbox");
        let text = format!("from = 'Registro <registro@scuola.example>'\nfolder = {outbox:?}");
        config.mail = Some(toml::from_str(&text).unwrap());
    }
    let store = Arc::new(IdentityStore::open(folder.path()).unwrap());
    let random = Randomness::new(Box::new(SystemRandomness::new()));
    let issuer = Issuer::new(&"https://hub.scuola.example".parse().unwrap()).unwrap();
    let credentials = Credentials::open(folder.path(), Arc::clone(&store), random, &config, &issuer).unwrap();
    credentials.set_until(Some(day("2027-02-01"))).unwrap();
    let mut registered = registry().registered;
    let login = &mut registered.login;
    for (person, email) in
        [(TEACHER, TEACHERS), (MOTHER, "famiglia@posta.example"), (FATHER, "famiglia@posta.example")]
    {
        login.emails.insert(person, email.to_owned());
    }
    login.codes.extend([(TEACHER, "D001".to_owned()), (P1, "260001".to_owned()), (P2, "260002".to_owned())]);
    School { credentials, registered, folder, store }
}

impl School {
    pub fn known(&self, person: PersonId) -> Known {
        Known::of(&self.registered, person).unwrap()
    }

    pub fn known_people(&self) -> impl Fn(PersonId) -> Result<Option<Known>, HubError> + '_ {
        |person| Ok(Known::of(&self.registered, person))
    }

    pub fn how(by_mail: bool, again: bool) -> HowToIssue {
        HowToIssue { by_mail, again, leavers_revoked_on: MonthDay::LAST_OF_YEAR }
    }

    pub fn issue(&self, whom: &Whom, how: HowToIssue, now: i64) -> Vec<(String, Outcome)> {
        let people = whom.people(&self.registered, day("2026-11-23")).unwrap();
        let issues = self.credentials.issue(&self.registered, &people, how, now).unwrap();
        issues.into_iter().map(|issue| (issue.name, issue.outcome)).collect()
    }

    /// User name and code of one person, on paper.
    pub fn printed(&self, person: PersonId, now: i64) -> (String, String) {
        match self.issue(&Whom::Person(person), Self::how(false, true), now).pop().unwrap().1 {
            Outcome::Printed { username, code, .. } => (username, code.printed().to_string()),
            other => panic!("{other:?}"),
        }
    }

    /// A person with a password, whose address is confirmed. Gives the user name.
    pub fn active(&self, person: PersonId, password: &str, now: i64) -> String {
        use registro_hub::identity::credentials::first_access::FirstAccess;
        let (username, code) = self.printed(person, now);
        let known = self.known(person);
        let email = known.email.clone().unwrap_or_else(|| "mia@posta.example".to_owned());
        let typed = FirstAccess { code: &code, password, again: password, email: &email };
        self.credentials.complete_first_access(&typed, &known, now).unwrap().unwrap();
        if self.credentials.mail.is_on() {
            let mails = self.mails(now);
            let token = token(mails.iter().find(|mail| mail.contains("/confirm-email")).unwrap());
            assert!(self.credentials.confirm_email(&token, now).unwrap());
        }
        username
    }

    pub fn log_in(
        &self,
        username: &str,
        password: &str,
        now: i64,
    ) -> registro_hub::identity::credentials::LogIn {
        self.credentials.log_in(username, password, &self.known_people(), now).unwrap()
    }

    /// Sends what is due and takes the mails out of the folder, decoded.
    pub fn mails(&self, now: i64) -> Vec<String> {
        self.credentials.mail.deliver(now).unwrap();
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.folder.path().join("outbox"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
            .collect();
        files.sort();
        let mails = files.iter().map(|path| decoded(&std::fs::read_to_string(path).unwrap())).collect();
        files.iter().for_each(|path| std::fs::remove_file(path).unwrap());
        mails
    }
}

/// Undoes quoted-printable (RFC 2045 §6.7).
pub fn decoded(mail: &str) -> String {
    let mail = mail.replace("=\r\n", "");
    if !mail.to_lowercase().contains("quoted-printable") {
        return mail;
    }
    let (mut bytes, mut rest) = (Vec::new(), mail.as_bytes());
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).filter(|_| *first == b'=').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The token or code of the first link in a mail.
pub fn token(mail: &str) -> String {
    let link = mail.split_whitespace().find(|word| word.starts_with("https://hub.scuola.example/")).unwrap();
    link.split_once('=').unwrap().1.to_owned()
}
