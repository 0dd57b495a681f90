//! The way out: the school's mail server (SMTP), or a folder, for tests and for a first look.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{FileTransport, SmtpTransport, Transport};
use serde::Deserialize;

use crate::error::HubError;

/// How long the mail server may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How the school sends mail: a server, or a folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// Who it comes from, as `Registro <registro@scuola.example>`.
    pub from: String,
    /// The server's name.
    pub host: Option<String>,
    /// Its port; 587 or, with `tls = "always"`, 465 if absent.
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: MailTls,
    /// The user at the server.
    pub user: Option<String>,
    /// The file with the user's password.
    pub password_file: Option<PathBuf>,
    /// Write mails into this folder instead of sending them.
    pub folder: Option<PathBuf>,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// By STARTTLS, without which nothing is sent (RFC 3207).
    #[default]
    Starttls,
    /// From the first byte (RFC 8314).
    Always,
    /// Not at all: for a server on this machine only.
    None,
}

/// Why a mail was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// Try again later.
    ForNow,
    /// The server will never take it.
    ForGood,
}

/// Sends mail. Called from one thread at a time, which may block.
pub trait Mailer: Send + Sync {
    /// Sends one mail of plain text.
    fn send(&self, to: &str, subject: &str, text: &str) -> Result<(), NotSent>;
}

/// A mail server or a folder.
pub struct SmtpOrFolder {
    from: Mailbox,
    way: Way,
}

enum Way {
    Smtp(SmtpTransport),
    Folder(FileTransport),
}

impl SmtpOrFolder {
    /// As the school set it up.
    ///
    /// # Errors
    /// [`HubError::Settings`] says what does not hold.
    pub fn new(config: &MailConfig) -> Result<Self, HubError> {
        let from = config.from.parse().map_err(|_| wrong("from: not an address"))?;
        let way = match (&config.host, &config.folder) {
            (None, Some(folder)) => {
                std::fs::create_dir_all(folder)?;
                Way::Folder(FileTransport::new(folder))
            }
            (Some(host), None) => Way::Smtp(smtp(config, host)?),
            _ => return Err(wrong("host, mail.folder: set one of them")),
        };
        Ok(Self { from, way })
    }
}

fn wrong(what: &str) -> HubError {
    HubError::Settings(format!("mail.{what}"))
}

fn smtp(config: &MailConfig, host: &str) -> Result<SmtpTransport, HubError> {
    let checked =
        || TlsParameters::new(host.to_owned()).map_err(|_| wrong("host: not a name that TLS can check"));
    let (tls, port) = match config.tls {
        MailTls::Starttls => (Tls::Required(checked()?), 587),
        MailTls::Always => (Tls::Wrapper(checked()?), 465),
        MailTls::None if matches!(host, "localhost" | "127.0.0.1" | "::1") => (Tls::None, 25),
        MailTls::None => return Err(wrong("tls: \"none\" is for a server on this machine")),
    };
    let mut builder = SmtpTransport::builder_dangerous(host)
        .tls(tls)
        .port(config.port.unwrap_or(port))
        .timeout(Some(TIMEOUT));
    match (&config.user, &config.password_file) {
        (Some(user), Some(file)) => {
            let password = std::fs::read_to_string(file)
                .map_err(|error| HubError::Settings(format!("mail.password_file: {error}")))?;
            builder = builder.credentials(Credentials::new(user.clone(), password.trim_end().to_owned()));
        }
        (None, None) => {}
        _ => return Err(wrong("user, mail.password_file: set both or none")),
    }
    Ok(builder.build())
}

impl Mailer for SmtpOrFolder {
    fn send(&self, to: &str, subject: &str, text: &str) -> Result<(), NotSent> {
        let to = to.parse().map_err(|_| NotSent::ForGood)?;
        // Written by a machine: nobody's absence note shall answer (RFC 3834 §5).
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .raw_header(HeaderValue::new(name, "auto-generated".to_owned()))
            .message_id(None)
            .body(text.to_owned())
            .map_err(|_| NotSent::ForGood)?;
        match &self.way {
            Way::Folder(folder) => folder.send(&message).map(drop).map_err(|_| NotSent::ForNow),
            Way::Smtp(server) => server.send(&message).map(drop).map_err(|error| {
                if error.is_permanent() {
                    return NotSent::ForGood;
                }
                // The error's own text may name the recipient.
                tracing::warn!(status = ?error.status(), "the mail server did not take a mail");
                NotSent::ForNow
            }),
        }
    }
}
