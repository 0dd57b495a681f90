//! The hub over HTTP.
//!
//! | module | what |
//! |---|---|
//! | [`sync_route`] | `POST /v1/sync` |
//! | [`events`] | `GET /v1/events`: pokes that say "there is news" |
//! | [`device_routes`] | `POST /v1/devices` |
//! | [`outbox_route`] | `POST /v1/outbox` |
//! | [`session_routes`] | who is logged in, on which devices, and signing out there |
//! | [`office_routes`] | the office's tools |
//! | [`called`] | who calls, before anything else of a request is looked at |
//! | [`dev_routes`] | login, clock, revocation, councils of a development hub |
//! | [`failure`] | errors as the caller gets them |
//! | [`allowance`] | how often a caller may ask |

pub mod allowance;
pub mod called;
pub mod dev_routes;
pub mod device_routes;
pub mod events;
pub mod failure;
pub mod office_routes;
pub mod outbox_route;
pub mod session_routes;
pub mod sync_route;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::caller::AuthorizeCaller;
use crate::clock::{Clock, StandingClock};
use crate::dev::DevIssuer;
use crate::error::HubError;
use crate::hub::Hub;
use crate::identity::{self, Identity};
use crate::random::Random;
use allowance::Allowance;
use failure::Failure;

/// Largest body of a request, compressed.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// Requests that wait for the hub at once; more are answered "busy".
const MAX_WAITING: usize = 64;
/// Callers that are looked up at once; a stranger's token is turned away before anything is waited for.
const MAX_LOOKING: usize = 256;
/// How long requests under way may take after the hub was told to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// How often the hub looks whether there is mail to send.
const SEND: Duration = Duration::from_secs(1);
/// How often the login takes away what has ended, and looks whether its keys are to be replaced.
const TEND: Duration = Duration::from_secs(15);
/// How often the hub looks whether another process changed the directory.
const LOOK: Duration = Duration::from_secs(2);

/// What a server is made of.
pub struct ServerParts {
    /// The hub.
    pub hub: Arc<Hub>,
    /// Who calls.
    pub callers: Arc<dyn AuthorizeCaller>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The login; none in tests that need none.
    pub identity: Option<Arc<Identity>>,
    /// The development issuer and its clock, if there is one.
    pub development: Option<Development>,
}

/// What only a development hub has.
pub struct Development {
    /// The issuer.
    pub issuer: DevIssuer,
    /// The clock that `POST /dev/clock` moves.
    pub clock: Option<Arc<StandingClock>>,
    /// Where nonces come from.
    pub random: Box<dyn Random>,
}

pub(crate) struct Shared {
    pub hub: Arc<Hub>,
    pub callers: Arc<dyn AuthorizeCaller>,
    pub clock: Arc<dyn Clock>,
    pub identity: Option<Arc<Identity>>,
    pub development: Option<SharedDevelopment>,
    pub allowance: Allowance,
    pub waiting: Arc<Semaphore>,
    pub looking: Arc<Semaphore>,
    pub stopping: watch::Receiver<bool>,
}

pub(crate) struct SharedDevelopment {
    pub issuer: DevIssuer,
    pub clock: Option<Arc<StandingClock>>,
    pub random: Mutex<Box<dyn Random>>,
}

pub(crate) type AppState = State<Arc<Shared>>;

impl Shared {
    /// Does something with the hub on a thread that may block.
    pub async fn with_hub<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Hub) -> Result<T, HubError> + Send + 'static,
    ) -> Result<T, Failure> {
        let permit = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| Failure::busy())?;
        let hub = Arc::clone(&self.hub);
        let work = move || {
            // Held by the work: a caller that goes away ends the request, and not what has begun.
            let _permit = permit;
            work(&hub)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Failure::internal())?.map_err(Failure::from)
    }
}

/// A hub that serves. Dropping it does not stop it; [`RunningHub::stop`] does.
#[derive(Debug)]
pub struct RunningHub {
    /// Where it listens.
    pub address: SocketAddr,
    /// The hub.
    pub hub: Arc<Hub>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    lock: Option<std::fs::File>,
}

impl RunningHub {
    /// The address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Keeps the data directory taken as long as the hub runs.
    pub(crate) fn hold(&mut self, lock: std::fs::File) {
        self.lock = Some(lock);
    }

    /// Stops: event streams are closed, requests under way end, at most for five seconds.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(DRAIN, self.task).await.is_err() {
            tracing::warn!("requests were still under way when the hub stopped");
        }
        drop(self.lock);
    }
}

/// Listens and serves in the background.
pub async fn start(parts: ServerParts, listen: SocketAddr) -> Result<RunningHub, HubError> {
    start_on(parts, TcpListener::bind(listen).await?)
}

/// Serves on an open socket in the background: who needs to know the address first opens it.
pub fn start_on(parts: ServerParts, listener: TcpListener) -> Result<RunningHub, HubError> {
    let address = listener.local_addr()?;
    let (stop, stopping) = watch::channel(false);
    let hub = Arc::clone(&parts.hub);
    let shared = Arc::new(Shared {
        hub: parts.hub,
        callers: parts.callers,
        clock: parts.clock,
        identity: parts.identity,
        development: parts.development.map(|development| SharedDevelopment {
            issuer: development.issuer,
            clock: development.clock,
            random: Mutex::new(development.random),
        }),
        allowance: Allowance::default(),
        waiting: Arc::new(Semaphore::new(MAX_WAITING)),
        looking: Arc::new(Semaphore::new(MAX_LOOKING)),
        stopping: stopping.clone(),
    });
    tokio::spawn(look_for_changes(Arc::clone(&shared), stopping.clone()));
    if let Some(federation) = shared.identity.as_ref().and_then(|identity| identity.federation.clone()) {
        tokio::spawn(federation.keep_fresh(stopping.clone()));
    }
    if let Some(identity) = &shared.identity {
        tokio::spawn(tend(Arc::clone(identity), stopping.clone()));
        tokio::spawn(send_mail(Arc::clone(identity), stopping.clone()));
    }
    let router = routes(shared);
    let task = tokio::spawn(async move {
        let mut stopping = stopping;
        let stopped = async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "the server ended");
        }
    });
    Ok(RunningHub { address, hub, stop, task, lock: None })
}

fn routes(shared: Arc<Shared>) -> Router {
    let mut router = Router::new()
        .route("/v1/sync", post(sync_route::sync))
        .route("/v1/events", get(events::events))
        .route("/v1/outbox", post(outbox_route::hand_in))
        .route("/v1/session", get(session_routes::session))
        .route("/v1/sessions", get(session_routes::sessions))
        .route("/v1/sessions/end", post(session_routes::end))
        .route("/v1/devices", post(device_routes::certify))
        .route("/v1/office/assignments/end", post(office_routes::end_assignments))
        .route("/v1/office/kept", get(office_routes::kept))
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready));
    if shared.development.is_some() {
        router = router
            .route("/dev/login", post(dev_routes::login))
            .route("/dev/clock", post(dev_routes::clock))
            .route("/dev/revoke", post(dev_routes::revoke))
            .route("/dev/council", post(dev_routes::council));
    }
    let login = shared.identity.clone().map(identity::routes).unwrap_or_default();
    router
        .fallback(|| async { Failure::not_found() })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(map_response_with_state(Arc::clone(&shared), tell_nonce))
        .with_state(Arc::clone(&shared))
        .merge(login)
        .layer(map_response_with_state(shared, tell_time))
}

/// Every answer of the API carries the nonce for the next proof (RFC 9449 §8.2), and is kept by nobody on the way: it
/// is about people.
async fn tell_nonce(State(shared): AppState, mut response: Response) -> Response {
    let nonce = shared.callers.fresh_nonce(shared.clock.now());
    if let Some(value) = nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok()) {
        response.headers_mut().insert("DPoP-Nonce", value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The hub's own time: devices keep the offset to it, and a development hub's clock is not the machine's.
async fn tell_time(State(shared): AppState, mut response: Response) -> Response {
    let now = chrono::DateTime::from_timestamp_millis(shared.clock.now()).unwrap_or_default();
    let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(value) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, value);
    }
    response
}

async fn ready(State(shared): AppState) -> (StatusCode, &'static str) {
    let stopping = *shared.stopping.borrow();
    let hub = Arc::clone(&shared.hub);
    let ready = !stopping && tokio::task::spawn_blocking(move || hub.is_ready()).await.unwrap_or(false);
    if ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") }
}

async fn tend(identity: Arc<Identity>, mut stopping: watch::Receiver<bool>) {
    loop {
        let tended = identity.clone().work(Identity::tend).await;
        if let Err(error) = tended {
            tracing::error!(%error, "the login cannot be tended");
        }
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(TEND) => {}
        }
    }
}

/// Mail that the login's pages, and commands in other processes, put into the queue.
async fn send_mail(identity: Arc<Identity>, mut stopping: watch::Receiver<bool>) {
    loop {
        let sender = Arc::clone(&identity);
        let sent = tokio::task::spawn_blocking(move || sender.credentials.mail.deliver(sender.now())).await;
        match sent {
            // A class that gets its credentials, or somebody who asks without end: no pause in between.
            Ok(Ok(delivered)) if delivered.is_full() && !*stopping.borrow() => continue,
            Ok(Err(error)) => tracing::error!(%error, "mail cannot be sent"),
            _ => {}
        }
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(SEND) => {}
        }
    }
}

/// An import in another process changes the directory: its facts are written without waiting for a request.
async fn look_for_changes(shared: Arc<Shared>, mut stopping: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let (hub, now) = (Arc::clone(&shared.hub), shared.clock.now());
        let looked = tokio::task::spawn_blocking(move || hub.refresh(now)).await;
        if let Ok(Err(error)) = looked {
            tracing::error!(%error, "the directory cannot be read");
        }
    }
}
