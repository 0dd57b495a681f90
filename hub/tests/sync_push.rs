//! Pushed batches: accepted whole or not at all, judged once, refused with a word to their author only.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod sync_school;

use registro_documents::gate::Expectation;
use registro_documents::policy::Reason;
use registro_documents::{Document, Kind, Scalar, Subject, gate};
use registro_hub::log::{RowKind, chain};
use registro_model::{Capacity, CommandId};
use registro_sync::messages::{Entry, Outcome};
use registro_sync::notices::Signed;
use registro_sync::{Code, Cursor, Request};
use sync_school::*;

#[test]
fn a_signed_change_is_accepted_and_fed_back_to_whoever_reads_the_document() {
    let hub = hub();
    let (teacher, second) = (device(&hub, TEACHER, 51), device(&hub, SECOND, 52));
    let (mother, outsider) = (device(&hub, MOTHER, 53), device(&hub, SUBSTITUTE, 54));
    let before = hub.head().unwrap();
    let id = record(&hub, P1);
    let batch = teacher.batch(1, Capacity::Lesson, &[absence(&state(&hub, id), id)]);
    let acks = teacher.push(&hub, vec![batch.clone()], morning());
    assert_eq!(position_of(&acks[0]), before.position + 1);
    let hash = batch.changes[0].envelope.change;
    for reader in [&teacher, &second, &mother] {
        let feed = reader.news(&hub, before, morning());
        assert_eq!(changes(&feed), vec![hash]);
        let certificate = feed
            .iter()
            .position(|e| matches!(e, Entry::Certificate(c) if c.id() == teacher.certificate.id()));
        let change = feed.iter().position(|e| matches!(e, Entry::Change { .. }));
        assert!(certificate.unwrap() < change.unwrap(), "the certificate comes before what it signs");
    }
    assert_eq!(changes(&outsider.news(&hub, before, morning())), Vec::<[u8; 32]>::new());
    let Outcome::Accepted(record) = acks[0].outcome else { panic!() };
    assert_eq!(record.standing, registro_model::Standing::TimetabledLesson);
}

#[test]
fn a_batch_is_accepted_whole_or_not_at_all() {
    let hub = hub();
    let teacher = device(&hub, TEACHER, 51);
    let (mine, foreign) = (record(&hub, P1), record(&hub, P2));
    let before = hub.head().unwrap();
    // The second change is dated on a Sunday: nobody may write it.
    let (on_mine, on_foreign) = (state(&hub, mine), state(&hub, foreign));
    let drafts = [absence(&on_mine, mine), absence_on(&on_foreign, foreign, "2026-11-22")];
    let acks = teacher.push(&hub, vec![teacher.batch(1, Capacity::Lesson, &drafts)], morning());
    assert_eq!(acks.iter().filter_map(code_of).collect::<Vec<_>>(), vec![Code::Refused; 2]);
    let causes: Vec<_> =
        acks.iter().map(|ack| matches!(ack.outcome, Outcome::Not { cause: true, .. })).collect();
    assert_eq!(causes, vec![false, true], "only the culprit is the cause");
    assert!(changes(&teacher.news(&hub, before, morning())).is_empty());
    assert_eq!(state(&hub, mine).change_count(), on_mine.change_count());
    // Both well: consecutive positions.
    let drafts = [absence(&on_mine, mine), absence(&on_foreign, foreign)];
    let acks = teacher.push(&hub, vec![teacher.batch(2, Capacity::Lesson, &drafts)], morning());
    assert_eq!(position_of(&acks[0]) + 1, position_of(&acks[1]));
}

#[test]
fn a_retry_of_the_whole_request_changes_nothing_and_gets_the_same_answer() {
    let hub = hub();
    let teacher = device(&hub, TEACHER, 51);
    let id = record(&hub, P1);
    let on = state(&hub, id);
    let good = teacher.batch(1, Capacity::Lesson, &[absence(&on, id)]);
    let bad = device(&hub, MOTHER, 52).batch(2, Capacity::Lesson, &[absence(&on, id)]);
    let end = hub.head().unwrap();
    let request = Request { cursor: end, end, push: vec![good, bad], ..Request::default() };
    let first = hub.sync(&teacher.caller, &request, morning()).unwrap();
    let after = hub.head().unwrap();
    let second = hub.sync(&teacher.caller, &request, morning() + 60_000).unwrap();
    assert_eq!(first.acks, second.acks);
    assert_eq!(first.feed, second.feed);
    assert_eq!(hub.head().unwrap(), after);
    assert_eq!(code_of(&first.acks[1]), Some(Code::Refused));
}

#[test]
fn what_is_torn_or_forged_leaves_no_trace() {
    let hub = hub();
    let (teacher, second) = (device(&hub, TEACHER, 51), device(&hub, SECOND, 52));
    let (p1, p2) = (record(&hub, P1), record(&hub, P2));
    let (on1, on2) = (state(&hub, p1), state(&hub, p2));
    let whole = teacher.batch(1, Capacity::Lesson, &[absence(&on1, p1), absence(&on2, p2)]);
    let before = hub.head().unwrap();

    let mut torn = whole.clone();
    torn.changes.pop();
    assert_eq!(code_of(&second.push(&hub, vec![torn], morning())[0]), Some(Code::Missing));

    let mut forged = whole.clone();
    forged.changes[0].envelope.signature[0] ^= 1;
    assert_eq!(code_of(&second.push(&hub, vec![forged], morning())[0]), Some(Code::Form));

    // Magic and checksum, which no signature covers.
    for at in [0, 4] {
        let mut spoilt = whole.clone();
        spoilt.changes[0].chunk[at] ^= 1;
        assert_eq!(code_of(&second.push(&hub, vec![spoilt], morning())[0]), Some(Code::Form));
    }

    // Another's bytes under an envelope of one's own.
    let stolen: Vec<_> =
        whole.changes.iter().map(|c| (c.envelope.document, c.envelope.change, c.chunk.clone())).collect();
    let own = second.sign(CommandId([9; 8]), Capacity::Lesson, stolen);
    assert_eq!(code_of(&second.push(&hub, vec![own], morning())[0]), Some(Code::Form));

    // Rubbish under another's hash.
    let rubbish = second.sign(
        CommandId([8; 8]),
        Capacity::Lesson,
        vec![(p1, whole.changes[0].envelope.change, vec![0; 100_000])],
    );
    assert_eq!(code_of(&second.push(&hub, vec![rubbish], morning())[0]), Some(Code::Form));

    // A certificate that the school did not issue.
    let other_school = registro_documents::SigningKey::from_seed(&zeroize::Zeroizing::new([99; 32]));
    let mut stranger = device(&hub, SECOND, 60);
    stranger.certificate = registro_documents::Certificate::issue(
        &other_school,
        SCHOOL,
        HEAD,
        *stranger.key.public(),
        0,
        i64::MAX,
    );
    let head_now = hub.head().unwrap();
    let batch = stranger.batch(7, Capacity::Head, &[absence(&on1, p1)]);
    let request = Request {
        cursor: head_now,
        end: head_now,
        push: vec![batch],
        certificates: vec![stranger.certificate.clone()],
        ..Request::default()
    };
    let reply = hub.sync(&stranger.caller, &request, morning()).unwrap();
    assert_eq!(code_of(&reply.acks[0]), Some(Code::Certificate));

    assert_eq!(hub.head().unwrap().position, before.position + 1, "only the stranger's first certificate");
    let acks = teacher.push(&hub, vec![whole], morning());
    assert!(acks.iter().all(|ack| code_of(ack).is_none()), "the whole batch is accepted after all that");
}

#[test]
fn a_refusal_is_kept_and_told_to_its_author_alone() {
    let hub = hub();
    let (mother, office, teacher) =
        (device(&hub, MOTHER, 51), device(&hub, OFFICE, 52), device(&hub, TEACHER, 53));
    let id = record(&hub, P1);
    let before = hub.head().unwrap();
    let batch = mother.batch(1, Capacity::Lesson, &[absence(&state(&hub, id), id)]);
    // Another carries it: the refusal is its author's all the same.
    let acks = teacher.push(&hub, vec![batch.clone()], morning());
    assert_eq!(
        acks[0].outcome,
        Outcome::Not { code: Code::Refused, reason: Some(Reason::NotAssigned), cause: true }
    );
    let told = |entries: Vec<Entry>| {
        entries
            .into_iter()
            .filter_map(|e| if let Entry::Refused(n) = e { Some(n) } else { None })
            .collect::<Vec<_>>()
    };
    let notices = told(mother.news(&hub, before, morning()));
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].change, batch.changes[0].envelope.change);
    assert!(notices[0].is_signed_by(SCHOOL, hub.school_key()));
    for other in [&office, &teacher] {
        assert!(told(other.news(&hub, before, morning())).is_empty());
    }
    let kept = hub.kept(&office.caller, morning()).unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0].person, kept[0].code, kept[0].reason),
        (MOTHER, Code::Refused, Some(Reason::NotAssigned))
    );
    assert_eq!(kept[0].facts[0].key, "2026-11-23/absence");
    assert!(hub.kept(&teacher.caller, morning()).is_err(), "only the office sees what is kept");
}

#[test]
fn what_rests_on_a_refused_change_is_to_be_run_again() {
    let hub = hub();
    let mother = device(&hub, MOTHER, 51);
    let id = record(&hub, P1);
    let mut on = state(&hub, id);
    let refused = mother.batch(1, Capacity::Lesson, &[absence(&on, id)]);
    put(&mut on, &refused.changes[0].chunk);
    let justification = Draft {
        id,
        on: &on,
        puts: vec![(
            "justifications",
            "absence/2026-11-20/0011223344556677".to_owned(),
            fact().with("to", day("2026-11-20")).with("reason", "health"),
        )],
    };
    let dependent = mother.batch(2, Capacity::Guardian, &[justification]);
    let acks = mother.push(&hub, vec![refused, dependent], morning());
    assert_eq!(acks.iter().filter_map(code_of).collect::<Vec<_>>(), vec![Code::Refused, Code::Graph]);
}

#[test]
fn an_unknown_dependency_is_missing_until_it_arrives() {
    let hub = hub();
    let teacher = device(&hub, TEACHER, 51);
    let id = record(&hub, P1);
    let mut on = state(&hub, id);
    let first = teacher.batch(1, Capacity::Lesson, &[absence(&on, id)]);
    put(&mut on, &first.changes[0].chunk);
    let second = teacher.batch(2, Capacity::Lesson, &[absence_on(&on, id, "2026-11-21")]);
    let before = hub.head().unwrap();
    assert_eq!(code_of(&teacher.push(&hub, vec![second.clone()], morning())[0]), Some(Code::Missing));
    assert_eq!(hub.head().unwrap(), before, "missing leaves no trace");
    let acks = teacher.push(&hub, vec![first, second], morning());
    assert!(acks.iter().all(|ack| code_of(ack).is_none()));
}

#[test]
fn another_change_of_an_accepted_command_is_a_duplicate() {
    let hub = hub();
    let teacher = device(&hub, TEACHER, 51);
    let id = record(&hub, P1);
    let on = state(&hub, id);
    let first = teacher.batch(1, Capacity::Lesson, &[absence(&on, id)]);
    let again = Device { epoch: [88; 8], ..device(&hub, TEACHER, 51) }.batch(
        1,
        Capacity::Lesson,
        &[absence(&on, id)],
    );
    assert_ne!(first.changes[0].envelope.change, again.changes[0].envelope.change);
    let acks = teacher.push(&hub, vec![first, again], morning());
    let Outcome::Accepted(record) = acks[0].outcome else { panic!("{:?}", acks[0]) };
    assert_eq!(acks[1].outcome, Outcome::TakenOver(record), "its author is told which one counts");
    // The same id of another person is another command.
    let second = device(&hub, SECOND, 52);
    let other = second.batch(1, Capacity::Lesson, &[absence_on(&on, id, "2026-11-21")]);
    assert_eq!(code_of(&second.push(&hub, vec![other], morning())[0]), None);
}

#[test]
fn a_reused_sequence_number_is_a_duplicate() {
    let hub = hub();
    let teacher = device(&hub, TEACHER, 51);
    let id = record(&hub, P1);
    let on = state(&hub, id);
    let first = teacher.batch(1, Capacity::Lesson, &[absence(&on, id)]);
    let copy = teacher.batch(2, Capacity::Lesson, &[absence_on(&on, id, "2026-11-21")]);
    let acks = teacher.push(&hub, vec![first, copy], morning());
    assert_eq!(acks.iter().map(code_of).collect::<Vec<_>>(), vec![None, Some(Code::Duplicate)]);
}

#[test]
fn after_the_council_has_begun_attendance_of_its_term_goes_to_the_office() {
    let hub = hub();
    let (teacher, office) = (device(&hub, TEACHER, 51), device(&hub, OFFICE, 52));
    hub.begin_council(&class("3A"), "P", morning()).unwrap();
    let id = record(&hub, P1);
    let batch = teacher.batch(1, Capacity::Lesson, &[absence(&state(&hub, id), id)]);
    let acks = teacher.push(&hub, vec![batch], morning());
    assert_eq!(
        acks[0].outcome,
        Outcome::Not { code: Code::Office, reason: Some(Reason::CouncilBegun), cause: true }
    );
    assert_eq!(hub.kept(&office.caller, morning()).unwrap()[0].code, Code::Office);
}

#[test]
fn what_a_revoked_device_sends_is_refused_and_what_it_had_sent_stays() {
    let hub = hub();
    let teacher = device(&hub, TEACHER, 51);
    let id = record(&hub, P1);
    let first = teacher.batch(1, Capacity::Lesson, &[absence(&state(&hub, id), id)]);
    assert_eq!(code_of(&teacher.push(&hub, vec![first.clone()], morning())[0]), None);
    hub.revoke(&teacher.certificate.id(), morning()).unwrap();
    let second = teacher.batch(2, Capacity::Lesson, &[absence_on(&state(&hub, id), id, "2026-11-21")]);
    let acks = teacher.push(&hub, vec![first, second], morning());
    assert_eq!(code_of(&acks[0]), None, "accepted before the revocation");
    assert!(matches!(
        acks[1].outcome,
        Outcome::Not { code: Code::Refused, reason: Some(Reason::Revoked), .. }
    ));
    let other = device(&hub, MOTHER, 52);
    assert!(other.news(&hub, Cursor::default(), morning()).iter().any(|e| matches!(e, Entry::Revoked(_))));
}

#[test]
fn an_expired_certificate_waits_for_a_new_signature() {
    let hub = hub();
    let teacher = device(&hub, TEACHER, 51);
    let id = record(&hub, P1);
    let batch = teacher.batch(1, Capacity::Lesson, &[absence(&state(&hub, id), id)]);
    let next_year = at("2027-11-02T09:00");
    assert_eq!(code_of(&teacher.push(&hub, vec![batch], next_year)[0]), Some(Code::Certificate));
    let last_minute = at("2027-10-31T23:59");
    assert!(teacher.certificate.is_valid_at(last_minute / 1_000));
}

#[test]
fn ending_an_assignment_takes_effect_at_once_and_is_told_in_the_roster() {
    let hub = hub();
    let (third, office, teacher) =
        (device(&hub, THIRD, 51), device(&hub, OFFICE, 52), device(&hub, TEACHER, 53));
    let before = hub.head().unwrap();
    let id = record(&hub, P1);
    let on = state(&hub, id);
    let ten = at("2026-11-23T10:00");
    assert!(hub.end_assignments(&teacher.caller, THIRD, &class("3A"), day("2026-11-23"), ten).is_err());
    assert_eq!(hub.end_assignments(&office.caller, THIRD, &class("3A"), day("2026-11-23"), ten).unwrap(), 1);
    let draft = Draft {
        id,
        on: &on,
        puts: vec![(
            "attendance",
            "2026-11-23/exit".to_owned(),
            fact().with("slot", 3u8).with("time", registro_model::ClockTime::new(10, 30).unwrap()),
        )],
    };
    let acks = third.push(&hub, vec![third.batch(1, Capacity::Lesson, &[draft])], at("2026-11-23T11:00"));
    assert!(matches!(
        acks[0].outcome,
        Outcome::Not { code: Code::Refused, reason: Some(Reason::NotAssigned), .. }
    ));
    let roster = hub.find(Kind::ClassRoster, &Subject::Class(class("3A"))).unwrap().unwrap();
    let told = teacher.news(&hub, before, ten);
    assert!(
        told.iter().any(|e| matches!(e, Entry::Change { change, .. } if change.envelope.document == roster))
    );
    let ended = state(&hub, roster);
    let row = ended
        .keys("assignments")
        .into_iter()
        .flat_map(|key| ended.versions("assignments", &key))
        .find(|version| version.fact.person("teacher") == Some(THIRD))
        .unwrap();
    assert_eq!(row.fact.date("to"), Some(day("2026-11-22")));
}

#[test]
fn the_chain_follows_from_the_rows() {
    let hub = hub();
    let teacher = device(&hub, TEACHER, 51);
    let id = record(&hub, P1);
    teacher.push(&hub, vec![teacher.batch(1, Capacity::Lesson, &[absence(&state(&hub, id), id)])], morning());
    teacher.push(&hub, vec![teacher.batch(2, Capacity::Head, &[absence(&state(&hub, id), id)])], morning());
    let rows = hub.log_rows(0, 10_000).unwrap();
    let mut before = Cursor::default();
    for row in &rows {
        let body: &[u8] = if row.kind == RowKind::Change { &[] } else { &row.data };
        let linked = chain::Linked {
            kind: row.kind,
            document: row.document,
            hash: row.hash,
            received: row.received,
            weight: row.weight,
            body,
        };
        assert_eq!(row.position, before.position + 1);
        assert_eq!(row.chain, chain::link(&before.chain, row.position, &linked));
        before = Cursor { position: row.position, chain: row.chain };
    }
    assert_eq!(before, hub.head().unwrap());
    let kinds: std::collections::BTreeSet<_> = rows.iter().map(|row| row.kind).collect();
    assert!(kinds.len() >= 3, "changes, certificates and refusals are all there");
}

#[test]
fn a_roll_whose_author_saw_another_log_is_marked_for_everybody() {
    let hub = hub();
    let teacher = device(&hub, TEACHER, 51);
    let id = month(&hub, "3A");
    let end = hub.head().unwrap();
    let roll = |slot: u8, position: u64, chain: [u8; 32]| {
        let seen = [
            ("position".to_owned(), Scalar::Int(position as i64)),
            ("chain".to_owned(), Scalar::Bytes(chain.to_vec())),
            ("commands".to_owned(), Scalar::Bytes(Vec::new())),
        ];
        let document = state(&hub, id);
        let puts = vec![("rolls", format!("2026-11-23#{slot}/{TEACHER}"), fact().with_map("seen", seen))];
        let batch = teacher.batch(slot, Capacity::Lesson, &[Draft { id, on: &document, puts }]);
        let ack = teacher.push(&hub, vec![batch], morning()).remove(0);
        let Outcome::Accepted(record) = ack.outcome else { panic!("{ack:?}") };
        // The log, its chain and the feed say the same.
        let row = hub.log_rows(record.position - 1, 1).unwrap().remove(0);
        assert_eq!((row.record(), row.weight), (Some(record), Some(record.weight())));
        record.seen_is_lost
    };
    assert!(!roll(1, end.position, end.chain));
    assert!(!roll(2, 0, [0; 32]), "written blind");
    assert!(roll(3, end.position, [9; 32]), "of a hub that was restored since");
    assert!(roll(4, end.position + 100, end.chain), "beyond the end");
    assert!(roll(5, u64::MAX >> 1, [9; 32]));
}

#[test]
fn a_substitute_writes_blind_on_the_genesis() {
    let hub = hub();
    let substitute = device(&hub, SUBSTITUTE, 51);
    let id = record(&hub, P1);
    let genesis = Document::founded(Kind::PupilRecord);
    let batch = substitute.batch(1, Capacity::Substitute, &[absence(&genesis, id)]);
    let acks = substitute.push(&hub, vec![batch], at("2026-11-23T12:00"));
    let Outcome::Accepted(record) = acks[0].outcome else { panic!("{:?}", acks[0]) };
    assert_eq!(record.standing, registro_model::Standing::Substitute);
}

fn put(document: &mut Document, chunk: &[u8]) {
    match gate::judge(document, chunk, &Expectation::default()).unwrap() {
        gate::Verdict::Sound(judged) => gate::admit(document, judged).unwrap(),
        gate::Verdict::Known(_) => {}
    }
}
