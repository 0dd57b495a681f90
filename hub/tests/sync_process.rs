//! The hub as a process on a data directory: the sample school imported, served, backed up while serving, stopped,
//! restored.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod sync_school;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use registro_documents::{Kind, SigningKey};
use registro_hub::log::{RowKind, read, schema};
use registro_identity::development::DevelopmentSession;
use registro_identity::{development, enrolment};
use registro_model::{Capacity, DocumentId};
use registro_sync::http::HubClient;
use registro_sync::messages::{Entry, Listed};
use registro_sync::{Cursor, Reply, Request};
use sync_school::*;
use zeroize::Zeroizing;

const HUB: &str = env!("CARGO_BIN_EXE_registro-hub");

fn command(arguments: &[&str], data: &Path) -> std::process::Output {
    let output = Command::new(HUB).args(arguments).arg("--data").arg(data).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A serving process; it ends with the test, because its standard input closes.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(data: &Path, clock: &str) -> Self {
        let mut child = Command::new(HUB)
            .args(["serve", "--dev-login", "--until-stdin-closes", "--clock", clock, "--data"])
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, url }
    }

    fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }

    fn client(&self) -> HubClient {
        HubClient::for_development(&self.url).unwrap()
    }
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/istituto")
}

async fn first_sync(client: &HubClient, session: &DevelopmentSession) -> (Vec<Listed>, Reply) {
    let mut reply = client.sync(&session.token, &Request::default()).await.unwrap();
    (reply.documents.take().unwrap(), reply)
}

async fn fetch(
    client: &HubClient,
    session: &DevelopmentSession,
    end: Cursor,
    want: Vec<DocumentId>,
) -> Vec<Entry> {
    let (mut open, mut entries) = (want, Vec::new());
    while !open.is_empty() {
        let rest = open.split_off(open.len().min(1_000));
        let request = Request { cursor: end, end, want: open, ..Request::default() };
        let reply = client.sync(&session.token, &request).await.unwrap();
        entries.extend(reply.feed);
        open = reply.unserved;
        open.extend(rest);
    }
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_school_is_served_backed_up_and_restored() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let backup = directory.path().join("noon.sqlite");
    command(&["import", sample().to_str().unwrap()], &data);
    let begun = Instant::now();
    let hub = Serving::start(&data, "2026-11-23T07:30:00+01:00");
    println!("founding the sample school took {:?}", begun.elapsed());
    let client = hub.client();
    let teacher = development::log_in(&client, "D020").await.unwrap();
    let key = SigningKey::from_seed(&Zeroizing::new([51; 32]));
    let certificate = enrolment::enrol(&client, &teacher, &key, None).await.unwrap();
    let (listed, reply) = first_sync(&client, &teacher).await;
    let wanted: Vec<_> = listed.iter().filter(|l| l.last_position > 0).map(|l| l.identity.id).collect();
    let begun = Instant::now();
    let entries = fetch(&client, &teacher, reply.end, wanted.clone()).await;
    println!("{} documents came in {:?}", wanted.len(), begun.elapsed());
    let snapshots = entries.iter().filter(|e| matches!(e, Entry::Snapshot(_))).count();
    assert_eq!(snapshots, wanted.len());
    assert_eq!(listed.iter().filter(|l| l.identity.kind == Kind::ClassRoster).count(), 40);

    // A second process may not serve the same directory.
    let second =
        Command::new(HUB).args(["serve", "--data"]).arg(&data).stdin(Stdio::null()).output().unwrap();
    assert!(!second.status.success());

    command(&["backup", "--to", backup.to_str().unwrap()], &data);
    let author = Device {
        key,
        certificate,
        caller: registro_hub::Caller::new(teacher.person, registro_hub::Level::L2),
        epoch: [1; 8],
        directory: 1,
    };
    let id = listed
        .iter()
        .find(|l| l.identity.kind == Kind::ClassMonth && l.identity.subject.to_string() == "month/3A/2026-11")
        .unwrap()
        .identity
        .id;
    let genesis = registro_documents::Document::founded(Kind::ClassMonth);
    let topic = fact().with("topic", "storia");
    let draft =
        Draft { id, on: &genesis, puts: vec![("topics", format!("2026-11-23#1/{}", teacher.person), topic)] };
    let batch = author.batch(1, Capacity::Lesson, &[draft]);
    let push = Request { cursor: reply.end, end: reply.end, push: vec![batch.clone()], ..Request::default() };
    let pushed = client.sync(&teacher.token, &push).await.unwrap();
    position_of(&pushed.acks[0]);
    hub.stop();

    command(&["restore", "--from", backup.to_str().unwrap()], &data);
    let hub = Serving::start(&data, "2026-11-23T22:00:00+01:00");
    let client = hub.client();
    // The session outlives the restart.
    let request = Request { cursor: pushed.end, end: pushed.end, ..Request::default() };
    let reply = client.sync(&teacher.token, &request).await.unwrap();
    assert!(reply.diverged);
    let request = Request {
        cursor: reply.end,
        end: reply.end,
        push: vec![batch],
        certificates: vec![author.certificate.clone()],
        ..Request::default()
    };
    let reply = client.sync(&teacher.token, &request).await.unwrap();
    position_of(&reply.acks[0]);
    hub.stop();
}

#[test]
fn a_second_start_and_an_import_without_changes_write_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    command(&["import", sample().to_str().unwrap()], data);
    let now = at("2026-11-23T07:30");
    let head = registro_hub::serve::open(data, now).unwrap().head().unwrap();
    assert!(head.position > 2_000);
    command(&["import", sample().to_str().unwrap()], data);
    let again = registro_hub::serve::open(data, now + 1_000).unwrap();
    assert_eq!(again.head().unwrap(), head);
    let school = again.school_id();
    drop(again);
    let database = schema::open(&data.join("hub.sqlite")).unwrap();
    let rows = read::rows_after(&database, school, 0, 100_000).unwrap();
    let certificates = rows.iter().filter(|row| row.kind == RowKind::Certificate).count();
    assert_eq!(certificates, 1, "one start wrote, so one certificate was made");
}

#[cfg(unix)]
#[test]
fn a_termination_signal_stops_the_hub() {
    let directory = tempfile::tempdir().unwrap();
    command(&["import", sample().to_str().unwrap()], directory.path());
    let mut hub = Serving::start(directory.path(), "2026-11-23T07:30:00+01:00");
    let pid = hub.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(hub.child.wait().unwrap().success());
}

#[test]
fn a_clock_needs_the_development_login() {
    let output = Command::new(HUB).args(["serve", "--clock", "2026-11-23T07:30:00+01:00"]).output().unwrap();
    assert!(!output.status.success());
}
