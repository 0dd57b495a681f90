//! What the command line says.

use registro_identity::Level;

pub const USAGE: &str = "usage: login --issuer URL --client-id ID [--scope S] [--acr LEVEL] [--resource R] [--allow-http] \
                         [--json]";

pub struct Options {
    pub issuer: String,
    pub client_id: String,
    pub scope: String,
    pub acr: Option<String>,
    pub resource: Option<String>,
    pub allow_http: bool,
    pub json: bool,
}

impl Options {
    pub fn read(arguments: &[String]) -> Result<Self, String> {
        let (mut issuer, mut client_id) = (None, None);
        let mut options = Self {
            issuer: String::new(),
            client_id: String::new(),
            scope: "openid offline_access".to_owned(),
            acr: None,
            resource: None,
            allow_http: false,
            json: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let (name, inline) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let mut value = || {
                inline.clone().or_else(|| arguments.next().cloned()).ok_or(format!("{name} needs a value"))
            };
            match name {
                "--issuer" => issuer = Some(value()?),
                "--client-id" => client_id = Some(value()?),
                "--scope" => options.scope = value()?,
                "--acr" => options.acr = Some(value()?),
                "--resource" => options.resource = Some(value()?),
                "--allow-http" => options.allow_http = true,
                "--json" => options.json = true,
                other => return Err(format!("unknown argument {other}")),
            }
        }
        options.issuer = issuer.ok_or("--issuer is needed")?;
        options.client_id = client_id.ok_or("--client-id is needed")?;
        Ok(options)
    }
}

/// The level as the server knows it. `2`, `L2` and `SpidL2` are short for SPID's name of it, unless the server has a
/// level of that very name.
pub fn acr(asked: &str, known: &[String]) -> String {
    if known.iter().any(|known| known == asked) {
        return asked.to_owned();
    }
    let number = asked.strip_prefix("Spid").unwrap_or(asked);
    let number = number.strip_prefix('L').unwrap_or(number).parse().ok();
    match number.and_then(Level::from_number) {
        Some(level) => level.acr().to_owned(),
        None => asked.to_owned(),
    }
}

/// Whether the terminal speaks English; otherwise it is Italian, as the register's people are.
pub fn speaks_english() -> bool {
    let said = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| {
        let value = std::env::var(name).ok()?;
        (!value.is_empty()).then_some(value)
    });
    said.is_some_and(|language| language.starts_with("en"))
}
