//! A certified OpenID provider in the place of the hub's own authorization server: the app logs in there, and the hub
//! judges the tokens that it brings.

use std::sync::Arc;

use registro_hub::identity::Identity;
use registro_hub::identity::config::IdentityConfig;
use registro_hub::identity::issuer::Issuer;
use registro_hub::keys::{KeyFile, SchoolKeyVault};
use registro_hub::server::{RunningHub, ServerParts, start_on};
use registro_hub::{Clock, Hub, SystemClock, SystemRandomness, clock};
use registro_identity::jose::Algorithm;
use registro_identity::metadata::Endpoints;
use registro_identity::storage::{MemoryKeys, MemorySecrets};
use registro_identity::{
    BeginLogin, Login, LoginOptions, Platform, Session, SessionKeeper, SystemEnvironment, enrolment,
};
use registro_model::directory::StaffMember;
use registro_model::people::Role;
use registro_model::time::Span;
use registro_model::{Date, PersonId};
use registro_sync::http::{HttpError, HubClient, Transport, TransportOptions};
use registro_tests::browser::{Browser, Failure};
use registro_tests::miniature::{person, registry};
use registro_tests::oidc_provider::OidcProvider;
use tempfile::TempDir;

const APP: &str = "it.registro.app:/callback";
/// What the provider calls the hub's API.
const API: &str = "https://hub.registro.example/api";
/// The provider's `docente`.
const VERDI: PersonId = person(61);

struct Stage {
    provider: OidcProvider,
    hub: RunningHub,
    _folder: TempDir,
}

/// A month around today: the provider's clock is the machine's.
fn around(today: Date) -> Result<Span, Failure> {
    let days = chrono::Days::new(30);
    let from = today.checked_sub_days(days).ok_or("a day")?;
    Ok(Span { from, to: today.checked_add_days(days) })
}

async fn stage() -> Result<Stage, Failure> {
    let provider = OidcProvider::start(&[])?;
    let folder = tempfile::tempdir()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut registry = registry();
    let roles = vec![(Role::Teacher, around(clock::day_in_italy(clock.now()))?)];
    registry.registered.directory.staff.insert(VERDI, StaffMember { name: "Verdi Anna".to_owned(), roles });
    registry.codes.insert("VRDNNA75E50F205X".to_owned(), VERDI);
    let key = KeyFile::in_directory(folder.path()).school_key(&mut SystemRandomness::new())?;
    let database = registro_hub::log::schema::open_in_memory()?;
    let random = Box::new(SystemRandomness::new());
    let hub = Arc::new(Hub::open(database, Box::new(registry), key, random, clock.now())?);
    let settings = folder.path().join("identity.toml");
    let text =
        format!("[external]\nissuer = '{}'\naudience = '{API}'\nscope = 'register.read'\n", provider.issuer);
    std::fs::write(&settings, text)?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let issuer = Issuer::new(&format!("http://{}", listener.local_addr()?).parse()?)?;
    let identity = Arc::new(Identity::open(
        Arc::clone(&hub),
        Arc::clone(&clock),
        IdentityConfig::read(&settings)?,
        issuer,
        folder.path(),
        Box::new(SystemRandomness::new()),
    )?);
    let callers = registro_hub::identity::callers(&identity)?;
    let parts = ServerParts { hub, callers, clock, identity: Some(identity), development: None };
    Ok(Stage { provider, hub: start_on(parts, listener)?, _folder: folder })
}

impl Stage {
    /// Somebody logs in at the provider, with the app's own client.
    async fn log_in(&self, account: &str, scope: &str) -> Result<SessionKeeper, Failure> {
        let platform = Platform {
            transport: Transport::new(TransportOptions::development())?,
            keys: Arc::new(MemoryKeys::default()),
            secrets: Arc::new(MemorySecrets::default()),
            environment: Arc::new(SystemEnvironment),
        };
        let options = LoginOptions {
            issuer: self.provider.issuer.clone(),
            client_id: "it.registro.app".to_owned(),
            scope: scope.to_owned(),
            resource: Some(API.to_owned()),
            algorithms: Algorithm::ALL.to_vec(),
            endpoints: Endpoints::OnIssuer,
        };
        let login = Login::new(options, platform);
        let begin = BeginLogin { redirect: APP.to_owned(), ..BeginLogin::default() };
        let address = login.begin(begin).await?;
        let mut browser = Browser::new()?;
        let callback = self.provider.log_in(&mut browser, address.as_str(), APP, account, None).await?;
        Ok(login.complete(&callback).await?)
    }

    fn client(&self) -> Result<HubClient, Failure> {
        Ok(HubClient::for_development(&self.hub.url())?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_logs_in_there_and_the_hub_knows_the_person_by_fiscal_number() -> Result<(), Failure> {
    let stage = stage().await?;
    let keeper = stage.log_in("docente", "openid offline_access register.read").await?;
    let client = stage.client()?;
    let answer = client.get("/v1/session", Some(&keeper)).await?;
    let answer: serde_json::Value = serde_json::from_slice(&answer)?;
    assert_eq!((&answer["name"], &answer["reads"]), (&"Verdi Anna".into(), &true.into()));
    assert_eq!(answer["issuer"], stage.provider.issuer);
    // A device's key is certified under the provider's name, and the register is read.
    let session = Session::of(&client, &keeper).await?;
    let key = registro_documents::SigningKey::from_seed(&zeroize::Zeroizing::new([51; 32]));
    let certificate = enrolment::enrol(&client, &session, &key, None).await?;
    assert_eq!(certificate.person, VERDI);
    let reply = client.sync(&keeper, &registro_sync::Request::default()).await?;
    assert!(reply.documents.is_some_and(|documents| !documents.is_empty()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_school_does_not_know_is_not_entitled() -> Result<(), Failure> {
    let stage = stage().await?;
    let keeper = stage.log_in("genitore", "openid offline_access register.read").await?;
    let refused = stage.client()?.get("/v1/session", Some(&keeper)).await;
    assert_eq!(refused.unwrap_err(), HttpError::Forbidden);
    Ok(())
}
