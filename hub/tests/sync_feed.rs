//! What a reply carries: pages, wanted documents, snapshots, cursors of another log, a hub restored from a backup.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod sync_school;

use registro_documents::{Document, Kind, Subject, genesis};
use registro_hub::Hub;
use registro_hub::log::schema;
use registro_model::{Capacity, DocumentId};
use registro_sync::messages::{Entry, PAGE_BYTES, Reply, scope_digest};
use registro_sync::notices::{Signed, Snapshot};
use registro_sync::{Code, Cursor, Request};
use sync_school::*;

fn want(hub: &Hub, device: &Device, want: Vec<DocumentId>, now: i64) -> Reply {
    let end = hub.head().unwrap();
    hub.sync(&device.caller, &Request { cursor: end, end, want, ..Request::default() }, now).unwrap()
}

fn snapshots(reply: &Reply) -> Vec<&Snapshot> {
    reply.feed.iter().filter_map(|e| if let Entry::Snapshot(s) = e { Some(&**s) } else { None }).collect()
}

/// Writes so many justifications of a day each.
fn justify(hub: &Hub, mother: &Device, id: DocumentId, commands: std::ops::Range<u8>) {
    for command in commands {
        let on = state(hub, id);
        let key = format!("absence/2026-11-20/{:016x}", u64::from(command));
        let text = "motivi di famiglia ".repeat(40);
        let justification = fact().with("to", day("2026-11-20")).with("reason", "family").with("text", text);
        let draft = Draft { id, on: &on, puts: vec![("justifications", key, justification)] };
        let acks = mother.push(hub, vec![mother.batch(command, Capacity::Guardian, &[draft])], morning());
        position_of(&acks[0]);
    }
}

#[test]
fn a_new_device_gets_its_documents_and_the_end_as_its_cursor() {
    let hub = hub();
    let teacher = device(&hub, TEACHER, 51);
    let reply = hub.sync(&teacher.caller, &Request::default(), morning()).unwrap();
    assert_eq!(reply.cursor, hub.head().unwrap());
    assert_eq!(reply.end, reply.cursor);
    assert!(!reply.more && changes(&reply.feed).is_empty());
    let listed = reply.documents.unwrap();
    let digest = scope_digest(listed.iter().map(|l| (l.identity.id, l.until.as_deref())));
    assert_eq!(digest, reply.scope);
    // With the digest in hand the list is not sent again.
    let end = reply.end;
    let request = Request { cursor: end, end, scope: digest, ..Request::default() };
    assert!(hub.sync(&teacher.caller, &request, morning()).unwrap().documents.is_none());
}

#[test]
fn wanted_documents_come_signed_with_their_tail_and_pages_end() {
    let hub = hub();
    let teacher = device(&hub, TEACHER, 51);
    let reply = hub.sync(&teacher.caller, &Request::default(), morning()).unwrap();
    let listed = reply.documents.unwrap();
    let mut open: Vec<_> = listed.iter().map(|l| l.identity.id).collect();
    let (mut seen, mut pages) = (0, 0);
    while !open.is_empty() {
        let reply = want(&hub, &teacher, open.clone(), morning());
        for snapshot in snapshots(&reply) {
            assert!(snapshot.is_signed_by(SCHOOL, hub.school_key()));
            let entry = listed.iter().find(|l| l.identity.id == snapshot.document).unwrap();
            if entry.last_position == 0 {
                assert!(snapshot.bytes.is_empty());
                assert_eq!(snapshot.heads[0].0, genesis::hash(entry.identity.kind).0);
            }
            seen += 1;
        }
        assert!(reply.unserved.len() < open.len(), "every page serves something");
        open = reply.unserved;
        pages += 1;
    }
    assert_eq!((seen, pages < 5), (listed.len(), true));
}

#[test]
fn foreign_and_unknown_documents_get_the_same_answer() {
    let hub = hub();
    let father = device(&hub, FATHER, 51);
    let foreign = want(&hub, &father, vec![record(&hub, P2)], morning());
    let unknown = want(&hub, &father, vec![DocumentId([0xee; 16])], morning());
    assert_eq!((foreign.feed, foreign.unserved), (unknown.feed, unknown.unserved));
}

#[test]
fn at_64_changes_a_snapshot_is_made_that_loads_with_all_records() {
    let hub = hub();
    let (mother, teacher) = (device(&hub, MOTHER, 51), device(&hub, TEACHER, 52));
    let id = record(&hub, P1);
    justify(&hub, &mother, id, 1..71);
    let reply = want(&hub, &teacher, vec![id], morning());
    let snapshot = snapshots(&reply)[0].clone();
    assert!(snapshot.is_signed_by(SCHOOL, hub.school_key()));
    assert!(!snapshot.bytes.is_empty());
    let document = Document::load(&snapshot.bytes).unwrap();
    let count = document.change_count() - 1;
    assert_eq!(count, 64);
    let records = snapshot.records.unpack(count).unwrap();
    assert_eq!(records.iter().map(|r| r.position).max(), Some(snapshot.at.position));
    let origins = snapshot.records.origins(id).unwrap();
    assert!(
        document.actors().filter(|actor| **actor != genesis::ACTOR).all(|actor| origins.contains_key(actor))
    );
    let tail = changes(&reply.feed);
    assert_eq!(tail.len(), 70 + 1 - 64, "profile and 70 justifications, less what is folded");
    // The document in memory and the one rebuilt from snapshot and tail are one.
    let mut rebuilt = document;
    for entry in &reply.feed {
        let Entry::Change { change, .. } = entry else { continue };
        match registro_documents::gate::judge(&rebuilt, &change.chunk, &Default::default()).unwrap() {
            registro_documents::gate::Verdict::Sound(judged) => {
                registro_documents::gate::admit(&mut rebuilt, judged).unwrap();
            }
            registro_documents::gate::Verdict::Known(_) => panic!("a change of the tail is in the snapshot"),
        }
    }
    assert_eq!(rebuilt.heads(), state(&hub, id).heads());
}

#[test]
fn a_page_never_splits_a_batch() {
    let hub = hub();
    let teacher = device(&hub, TEACHER, 51);
    let before = hub.head().unwrap();
    let (p1, p2, month) = (record(&hub, P1), record(&hub, P2), month(&hub, "3A"));
    let topic = |text: &str| fact().with("topic", text);
    let mut expected = Vec::new();
    for command in 1..=60u8 {
        let (on1, on2, on3) = (state(&hub, p1), state(&hub, p2), state(&hub, month));
        let date = format!("2026-11-{:02}", 2 + command % 5);
        let key = format!("{date}#{}/{TEACHER}", 1 + command % 5);
        let drafts = [
            absence_on(&on1, p1, &date),
            absence_on(&on2, p2, &date),
            Draft { id: month, on: &on3, puts: vec![("topics", key, topic(&"argomento ".repeat(390)))] },
        ];
        let batch = teacher.batch(command, Capacity::Lesson, &drafts);
        expected.push(batch.changes.iter().map(|c| c.envelope.change).collect::<Vec<_>>());
        for ack in teacher.push(&hub, vec![batch], morning()) {
            position_of(&ack);
        }
    }
    let (mut cursor, mut pages, mut got) = (before, 0, Vec::new());
    loop {
        let reply = teacher.page(&hub, cursor, morning());
        let size: usize = reply
            .feed
            .iter()
            .map(|e| if let Entry::Change { change, .. } = e { change.chunk.len() } else { 0 })
            .sum();
        assert!(size <= PAGE_BYTES);
        let page = changes(&reply.feed);
        for batch in &expected {
            let here = batch.iter().filter(|hash| page.contains(hash)).count();
            assert!(here == 0 || here == batch.len(), "a batch is split");
        }
        got.extend(page);
        cursor = reply.cursor;
        pages += 1;
        if !reply.more {
            break;
        }
    }
    assert!(pages > 1, "the test needs several pages");
    assert_eq!(got, expected.concat());
    assert_eq!(cursor, hub.head().unwrap());
}

#[test]
fn a_cursor_or_an_end_of_another_log_is_told_and_nothing_is_taken() {
    let hub = hub();
    let teacher = device(&hub, TEACHER, 51);
    let id = record(&hub, P1);
    let batch = teacher.batch(1, Capacity::Lesson, &[absence(&state(&hub, id), id)]);
    let own = hub.head().unwrap();
    let foreign = Cursor { chain: [1; 32], ..own };
    let beyond = Cursor { position: own.position + 1, ..own };
    let absurd = Cursor { position: u64::MAX, ..own };
    for (cursor, end) in [(foreign, own), (own, foreign), (own, beyond), (absurd, own)] {
        let request = Request { cursor, end, push: vec![batch.clone()], ..Request::default() };
        let reply = hub.sync(&teacher.caller, &request, morning()).unwrap();
        assert!(reply.diverged && reply.acks.is_empty() && reply.feed.is_empty());
        assert_eq!(reply.end, own);
    }
    assert_eq!(hub.head().unwrap(), own);
}

#[test]
fn a_second_start_without_changes_writes_nothing_and_keeps_every_document() {
    let file = tempfile::tempdir().unwrap();
    let path = file.path().join("hub.sqlite");
    let first = hub_on(schema::open(&path).unwrap(), 1, morning());
    let (head, documents) = (first.head().unwrap(), first.documents().unwrap());
    drop(first);
    let second = hub_on(schema::open(&path).unwrap(), 2, morning() + 1_000);
    assert_eq!(second.head().unwrap(), head);
    assert_eq!(second.documents().unwrap(), documents);
}

#[test]
fn a_restored_hub_gets_back_what_the_devices_hold() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hub.sqlite");
    let backup = directory.path().join("noon.sqlite");
    let hub = hub_on(schema::open(&path).unwrap(), 1, morning());
    let teacher = device(&hub, TEACHER, 51);
    let id = record(&hub, P1);
    let before_noon = teacher.batch(1, Capacity::Lesson, &[absence(&state(&hub, id), id)]);
    position_of(&teacher.push(&hub, vec![before_noon.clone()], morning())[0]);
    registro_hub::backup::backup(&path, &backup).unwrap();
    let second = device(&hub, SECOND, 52);
    let after_noon = second.batch(2, Capacity::Lesson, &[absence_on(&state(&hub, id), id, "2026-11-21")]);
    position_of(&second.push(&hub, vec![after_noon.clone()], morning())[0]);
    hub.revoke(&teacher.certificate.id(), morning()).unwrap();
    let revoked: Vec<_> = second
        .news(&hub, Cursor::default(), morning())
        .into_iter()
        .filter_map(|e| if let Entry::Revoked(n) = e { Some(n) } else { None })
        .collect();
    let old_end = hub.head().unwrap();
    drop(hub);

    registro_hub::backup::restore(&backup, &path, &registry(), &school_key(), morning() + 1_000).unwrap();
    let hub = hub_on(schema::open(&path).unwrap(), 3, morning() + 2_000);
    let rows = hub.log_rows(0, 100_000).unwrap();
    assert_eq!(rows.last().unwrap().kind, registro_hub::log::RowKind::Restored);
    let request = Request { cursor: old_end, end: old_end, ..Request::default() };
    let reply = hub.sync(&second.caller, &request, morning() + 3_000).unwrap();
    assert!(reply.diverged);
    let request = Request {
        cursor: reply.end,
        end: reply.end,
        want: vec![id],
        push: vec![before_noon, after_noon],
        certificates: vec![second.certificate.clone()],
        revoked,
        ..Request::default()
    };
    let reply = hub.sync(&second.caller, &request, morning() + 3_000).unwrap();
    assert_eq!(reply.acks.iter().map(code_of).collect::<Vec<_>>(), vec![None, None]);
    assert!(changes(&reply.feed).contains(&request.push[1].changes[0].envelope.change));
    // The revocation is back too: the teacher's next change is refused.
    let next = teacher.batch(3, Capacity::Lesson, &[absence_on(&state(&hub, id), id, "2026-11-20")]);
    assert_eq!(code_of(&second.push(&hub, vec![next], morning() + 4_000)[0]), Some(Code::Refused));
}

#[test]
fn the_chain_is_stated_once_a_day() {
    let hub = hub();
    let mother = device(&hub, MOTHER, 51);
    let checkpoints = |now| {
        let mut cursor = Cursor::default();
        let mut found = Vec::new();
        loop {
            let reply = mother.page(&hub, cursor, now);
            found.extend(reply.feed.into_iter().filter_map(|e| match e {
                Entry::Checkpoint(checkpoint) => Some(checkpoint),
                _ => None,
            }));
            cursor = reply.cursor;
            if !reply.more {
                return found;
            }
        }
    };
    let first = checkpoints(morning());
    assert_eq!(first.len(), 1);
    assert!(first[0].is_signed_by(SCHOOL, hub.school_key()));
    justify(&hub, &mother, record(&hub, P1), 1..3);
    assert_eq!(checkpoints(morning()).len(), 1);
    let tuesday = at("2026-11-24T08:00");
    let id = record(&hub, P1);
    let on = state(&hub, id);
    let justification = fact().with("to", day("2026-11-23")).with("reason", "health");
    let draft = Draft {
        id,
        on: &on,
        puts: vec![("justifications", "absence/2026-11-23/00000000000000ff".to_owned(), justification)],
    };
    mother.push(&hub, vec![mother.batch(99, Capacity::Guardian, &[draft])], tuesday);
    assert_eq!(checkpoints(tuesday).len(), 2);
}

#[test]
fn of_a_class_that_was_left_nothing_later_is_sent() {
    let hub = hub();
    let (guardian, teacher) = (device(&hub, GUARDIAN_OF_MOVED, 51), device(&hub, TEACHER, 52));
    let id = month(&hub, "4B");
    let before = hub.head().unwrap();
    let topic = |on: &Document, command: u8| {
        let key = format!("2026-11-23#1/{TEACHER}");
        let draft = Draft { id, on, puts: vec![("topics", key, fact().with("topic", "storia"))] };
        teacher.batch(command, Capacity::Lesson, &[draft])
    };
    position_of(&teacher.push(&hub, vec![topic(&state(&hub, id), 1)], morning())[0]);
    let reply = hub.sync(&guardian.caller, &Request::default(), morning()).unwrap();
    let left = reply.documents.unwrap().into_iter().find(|l| l.identity.id == id).unwrap();
    assert_eq!(left.until.as_deref(), Some("2026-11-01"));
    assert_eq!(left.last_position, 0, "what came after the last day does not exist for the reader");
    assert!(changes(&guardian.news(&hub, before, morning())).is_empty());
    let reply = want(&hub, &guardian, vec![id], morning());
    assert!(snapshots(&reply)[0].bytes.is_empty() && changes(&reply.feed).is_empty());
    assert_eq!(changes(&teacher.news(&hub, before, morning())).len(), 1);
}

#[test]
fn the_hubs_facts_are_what_a_device_reads_as_directory() {
    let hub = hub();
    let school = state(&hub, hub.find(Kind::School, &Subject::School).unwrap().unwrap());
    let people = school.keys("people");
    assert_eq!(people.len(), 10);
    let settings = school.versions("settings", "settings");
    assert_eq!(settings[0].fact.text("justify_kinds"), Some("absence,entry,exit,permit"));
    assert_eq!(school.versions("settings", "class/3A")[0].fact.text("site"), Some("C"));
    let roster = state(&hub, hub.find(Kind::ClassRoster, &Subject::Class(class("3A"))).unwrap().unwrap());
    assert_eq!(roster.keys("months").len(), 10);
    assert_eq!(roster.keys("pupils").len(), 3);
    let kinds: Vec<_> = roster
        .keys("assignments")
        .iter()
        .flat_map(|key| roster.versions("assignments", key))
        .filter_map(|version| version.fact.text("kind").map(str::to_owned))
        .collect();
    assert_eq!((kinds.len(), kinds.iter().filter(|kind| *kind == "coordinator").count()), (6, 1));
    let reserve = state(&hub, hub.find(Kind::PupilReserve, &Subject::Person(P2)).unwrap().unwrap());
    assert_eq!(reserve.keys("supported"), vec![format!("{COORDINATOR}/2026-09-01")]);
    let guardians = state(&hub, hub.find(Kind::PupilGuardians, &Subject::Person(P1)).unwrap().unwrap());
    assert_eq!(guardians.keys("guardians").len(), 2);
}
