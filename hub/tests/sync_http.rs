//! The hub over a real socket: login, enrolment, sync, pokes, hostile bodies, stopping, and what its log says.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod sync_school;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use registro_documents::SigningKey;
use registro_hub::dev::DevIssuer;
use registro_hub::server::{Development, RunningHub, ServerParts, start};
use registro_hub::{AuthorizeCaller, Clock, StandingClock};
use registro_identity::development::DevelopmentSession;
use registro_identity::{development, enrolment};
use registro_model::Capacity;
use registro_sync::Request;
use registro_sync::http::{BearerToken, HttpError, HubClient};
use registro_sync::messages::MAX_MESSAGE_BYTES;
use sync_school::*;
use zeroize::Zeroizing;

async fn running() -> RunningHub {
    let hub = hub();
    let clock = Arc::new(StandingClock::at(morning()));
    let issuer = DevIssuer::new(Arc::clone(&hub));
    let callers: Arc<dyn AuthorizeCaller> = Arc::new(issuer.clone());
    let parts = ServerParts {
        hub,
        callers,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        identity: None,
        development: Some(Development { issuer, clock: Some(clock), random: Box::new(Counter(99 << 32)) }),
    };
    start(parts, SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap()
}

async fn log_in(hub: &RunningHub, who: &str) -> (HubClient, DevelopmentSession) {
    let client = HubClient::for_development(&hub.url()).unwrap();
    let session = development::log_in(&client, who).await.unwrap();
    (client, session)
}

/// Sends raw bytes and reads the answer's status line and body.
fn raw(address: SocketAddr, path: &str, token: Option<&str>, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nContent-Type: application/json\r\n{authorization}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The hub may answer and close before it has read all of a body that is too large.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, text.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_enrols_a_device_pushes_and_reads() {
    let hub = running().await;
    let (client, session) = log_in(&hub, "D001").await;
    assert_eq!((session.person, session.school, session.name.as_str()), (TEACHER, SCHOOL, "Uno Anna"));
    let key = SigningKey::from_seed(&Zeroizing::new([51; 32]));
    let certificate = enrolment::enrol(&client, &session, &key, None).await.unwrap();
    assert_eq!(
        enrolment::enrol(&client, &session, &key, None).await.unwrap(),
        certificate,
        "enrolling again is harmless"
    );
    let author = Device {
        key,
        certificate,
        caller: registro_hub::Caller::new(TEACHER, registro_hub::Level::L2),
        epoch: [1; 8],
        directory: 1,
    };
    let id = record(&hub.hub, P1);
    let batch = author.batch(1, Capacity::Lesson, &[absence(&state(&hub.hub, id), id)]);
    let token = &session.token;
    let first =
        client.sync(token, &Request { push: vec![batch.clone()], ..Request::default() }).await.unwrap();
    let position = position_of(&first.acks[0]);
    assert!(first.documents.unwrap().iter().any(|l| l.identity.id == id && l.last_position == position));
    let (mother, mothers) = log_in(&hub, &MOTHER.to_string()).await;
    let request = Request { want: vec![id], ..Request::default() };
    let reply = mother.sync(&mothers.token, &request).await.unwrap();
    assert!(changes(&reply.feed).contains(&batch.changes[0].envelope.change));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poke_comes_when_the_log_grows() {
    let hub = running().await;
    let (client, session) = log_in(&hub, "D001").await;
    let waiting = {
        let (client, token) = (client.clone(), session.token.clone());
        tokio::spawn(async move { client.wait_for_news(&token).await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished(), "no poke without news");
    let key = SigningKey::from_seed(&Zeroizing::new([51; 32]));
    enrolment::enrol(&client, &session, &key, None).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap().unwrap();
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_stops_at_once_though_somebody_listens_for_pokes() {
    let hub = running().await;
    let (client, session) = log_in(&hub, "D001").await;
    let waiting = tokio::spawn(async move { client.wait_for_news(&session.token).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begun = Instant::now();
    hub.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert!(waiting.await.unwrap().is_err(), "the stream was closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_valid_token_gets_nothing() {
    let hub = running().await;
    let client = HubClient::for_development(&hub.url()).unwrap();
    let (_, session) = log_in(&hub, "D001").await;
    let good = session.token.reveal().to_owned();
    // Another person's id under this signature.
    let forged = good.replace(&TEACHER.to_string(), &HEAD.to_string());
    for token in ["", "x", "dev.a.b.c", &forged, good.get(..good.len() - 2).unwrap()] {
        assert_eq!(
            client.sync(&BearerToken::new(token.to_owned()), &Request::default()).await.unwrap_err(),
            HttpError::Unauthorized,
            "{token}"
        );
    }
    let address = hub.address;
    let (status, body) =
        tokio::task::spawn_blocking(move || raw(address, "/v1/sync", None, b"")).await.unwrap();
    assert_eq!(status, 401);
    let error: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(error["kind"], "unauthorized");
    for field in ["sentence_it", "sentence_en", "next_step"] {
        assert!(error[field].is_string());
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_are_refused_and_the_hub_lives() {
    let hub = running().await;
    let (client, session) = log_in(&hub, "D001").await;
    let (address, token) = (hub.address, session.token.reveal().to_owned());
    let bomb = {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let zeros = vec![0u8; 1024 * 1024];
        for _ in 0..=(MAX_MESSAGE_BYTES / zeros.len()) {
            gzip.write_all(&zeros).unwrap();
        }
        gzip.finish().unwrap()
    };
    let noise: Vec<u8> = (0..50_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    // A list that claims to have 2^60 elements.
    let mut claim = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    claim.write_all(&[0x87, 0x9b, 0x10, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    let claim = claim.finish().unwrap();
    let cases = [
        ("/v1/sync", bomb, 413),
        ("/v1/sync", noise.clone(), 400),
        ("/v1/sync", claim, 400),
        ("/v1/sync", Vec::new(), 400),
        ("/v1/sync", vec![7; 5 * 1024 * 1024], 413),
        ("/v1/devices", noise, 400),
        ("/v1/devices", br#"{"key":"zz","proof":""}"#.to_vec(), 400),
        ("/v1/office/assignments/end", br#"{"teacher":"","class":"3A","from":"2026-99-99"}"#.to_vec(), 400),
        ("/dev/login", br#"{"person":"nobody"}"#.to_vec(), 404),
        ("/nothing/here", Vec::new(), 404),
    ];
    for (path, body, expected) in cases {
        let token = token.clone();
        let length = body.len();
        let (status, _) =
            tokio::task::spawn_blocking(move || raw(address, path, Some(&token), &body)).await.unwrap();
        assert_eq!(status, expected, "{path} with {length} bytes");
    }
    client.sync(&session.token, &Request::default()).await.unwrap();
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_without_development_login_has_no_development_routes() {
    let parts = ServerParts {
        hub: hub(),
        callers: Arc::new(registro_hub::caller::Nobody),
        clock: Arc::new(StandingClock::at(morning())),
        identity: None,
        development: None,
    };
    let hub = start(parts, SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = hub.address;
    for path in ["/dev/login", "/dev/clock", "/dev/revoke", "/dev/council"] {
        let (status, _) =
            tokio::task::spawn_blocking(move || raw(address, path, None, b"{\"person\":\"D001\"}"))
                .await
                .unwrap();
        assert_eq!(status, 404, "{path}");
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_ends_an_assignment_and_sees_what_is_kept() {
    let hub = running().await;
    let (client, office) = log_in(&hub, "P009").await;
    let (_, teacher) = log_in(&hub, "D001").await;
    let body =
        serde_json::json!({ "teacher": THIRD.to_string(), "class": "3A", "from": "2026-11-23" }).to_string();
    let end = |token: BearerToken| {
        let (client, body) = (client.clone(), body.clone());
        async move {
            client
                .post("/v1/office/assignments/end", Some(&token), "application/json", body.into_bytes())
                .await
        }
    };
    assert_eq!(end(teacher.token).await.unwrap_err(), HttpError::Forbidden);
    let answer = end(office.token.clone()).await.unwrap();
    assert_eq!(answer, br#"{"ended":1}"#);
    let third = device(&hub.hub, THIRD, 51);
    let id = record(&hub.hub, P1);
    third.push(
        &hub.hub,
        vec![third.batch(1, Capacity::Lesson, &[absence(&state(&hub.hub, id), id)])],
        morning(),
    );
    let kept = client.get("/v1/office/kept", Some(&office.token)).await.unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(kept[0]["code"], "refused");
    assert_eq!(kept[0]["reason"]["kind"], "not-assigned");
    assert_eq!(kept[0]["facts"][0]["kind"], "pupil-record");
    assert_eq!(kept[0]["facts"][0]["key"], "2026-11-23/absence");
    hub.stop().await;
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<u8>>>);

impl Write for Collected {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_hubs_log_output_names_nobody_and_shows_no_fact() {
    let collected = Collected::default();
    let writer = collected.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let hub = hub();
        let (teacher, mother) = (device(&hub, TEACHER, 51), device(&hub, MOTHER, 52));
        let id = record(&hub, P1);
        let on = state(&hub, id);
        let canary = fact().with("to", day("2026-11-20")).with("reason", "health").with("text", "CANARINO");
        let draft = |puts| Draft { id, on: &on, puts };
        let key = "absence/2026-11-20/c0ffee00c0ffee00".to_owned();
        let good = mother.batch(
            1,
            Capacity::Guardian,
            &[draft(vec![("justifications", key.clone(), canary.clone())])],
        );
        let refused =
            teacher.batch(2, Capacity::Guardian, &[draft(vec![("justifications", key, canary.clone())])]);
        let malformed =
            teacher.batch(3, Capacity::Lesson, &[draft(vec![("attendance", "CANARINO".to_owned(), canary)])]);
        mother.push(&hub, vec![good], morning());
        let acks = teacher.push(&hub, vec![refused, malformed], morning());
        assert!(acks.iter().all(|ack| code_of(ack).is_some()));
    });
    let text = String::from_utf8(collected.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("the gate refuses a change"), "the canary must have been near the log");
    for secret in ["CANARINO", "c0ffee", "Madre", "Alfa", "Uno Anna", "health", "2026-11-20/"] {
        assert!(!text.contains(secret), "{secret} stands in the log");
    }
}
