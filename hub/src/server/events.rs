//! `GET /v1/events`: a poke when the log has grown, nothing else. Data is always pulled.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::AppState;
use super::called::Called;
use super::failure::Failure;
use crate::identity::authorization::tokens::ACCESS_SECONDS;

/// How often an idle stream shows that it lives: below the idle limits of common proxies.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// Shortest time between two pokes: what happens meanwhile is one poke.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a stream lasts: as long as an access token. Whoever goes on listening shows again who they are.
const LASTS: Duration = Duration::from_secs(ACCESS_SECONDS as u64);

#[derive(Debug, Deserialize)]
pub(crate) struct Since {
    /// The position that the caller knows: if the log has grown since, the first poke comes at once.
    after: Option<u64>,
}

struct Waiting {
    news: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    known: Option<u64>,
    until: Instant,
    first: bool,
}

pub(crate) async fn events(
    State(shared): AppState,
    _: Called,
    Query(since): Query<Since>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let waiting = Waiting {
        news: shared.hub.news(),
        stopping: shared.stopping.clone(),
        known: since.after,
        until: Instant::now() + LASTS,
        first: true,
    };
    let pokes = stream::unfold(waiting, |mut waiting| async move {
        if !std::mem::replace(&mut waiting.first, false) {
            tokio::time::sleep(PAUSE).await;
        }
        if Instant::now() >= waiting.until {
            return None;
        }
        let known = waiting.known.take();
        if known.is_none_or(|known| *waiting.news.borrow() <= known) {
            tokio::select! {
                changed = waiting.news.changed() => changed.ok()?,
                _ = waiting.stopping.wait_for(|stop| *stop) => return None,
                () = tokio::time::sleep_until(waiting.until) => return None,
            }
        }
        waiting.news.mark_unchanged();
        Some((Ok(Event::default().event("news").data("")), waiting))
    });
    Ok(Sse::new(pokes).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("alive")))
}
