//! Damage anywhere: what was written and not confirmed survives it, whichever file and page it hits.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::path::Path;

use common::{COMMANDS, DOCUMENTS, Sample, check, check_present, document, fill, heal, put_healing, settled};
use registro_store::{DocumentPart, Hurt, Store, StoreError};
use rusqlite::Connection;

const PAGE: usize = 4096;

/// Ways in which a page goes bad.
#[derive(Debug, Clone, Copy)]
enum Blow {
    Zeroes,
    Noise,
    Header,
    Byte(usize),
}

fn strike(path: &Path, from: usize, length: usize, blow: Blow) {
    let mut bytes = std::fs::read(path).unwrap();
    let end = bytes.len().min(from + length);
    let page = &mut bytes[from..end];
    match blow {
        Blow::Zeroes => page.fill(0),
        Blow::Noise => {
            page.iter_mut().enumerate().for_each(|(i, b)| *b = (i.wrapping_mul(2_654_435_761) >> 7) as u8);
        }
        Blow::Header => page.iter_mut().take(12).for_each(|b| *b ^= 0x55),
        Blow::Byte(at) => {
            let at = at % page.len();
            page[at] ^= 0x10;
        }
    }
    std::fs::write(path, bytes).unwrap();
}

fn opens_heals_and_has_everything(sample: &Sample, context: &str) -> usize {
    opens_and_heals(sample, context, check)
}

fn opens_and_heals(sample: &Sample, context: &str, check: fn(&Store, &str) -> usize) -> usize {
    let opened = sample.try_open().unwrap_or_else(|error| panic!("{context}: {error}"));
    heal(&opened.store);
    let others = check(&opened.store, context);
    // It goes on working, and what was mended is mended for good.
    put_healing(&opened.store, 999);
    drop(opened);
    let opened = sample.open();
    assert_eq!(opened.salvage, None, "{context}: opened again");
    check(&opened.store, context);
    others
}

#[test]
fn damage_in_any_page_of_the_database_loses_no_unconfirmed_command() {
    let sample = Sample::used();
    let pages = std::fs::metadata(sample.path("db.sqlite")).unwrap().len() as usize / PAGE;
    assert!(pages > 40, "{pages} pages");
    let mut kept = 0;
    let mut runs = 0;
    for page in 0..pages {
        let bytes = [Blow::Byte(7 * page), Blow::Byte(PAGE - 1 - 97 * page % PAGE), Blow::Byte(1_811 * page)];
        for blow in [Blow::Zeroes, Blow::Noise, Blow::Header].into_iter().chain(bytes) {
            let hurt = sample.copied();
            strike(&hurt.path("db.sqlite"), page * PAGE, PAGE, blow);
            kept += opens_heals_and_has_everything(&hurt, &format!("page {} of {pages}, {blow:?}", page + 1));
            runs += 1;
        }
    }
    // Confirmed ones stand in the database only: each blow takes those of its page.
    assert!(kept >= runs * (settled() - 1), "{kept} of {}", runs * settled());
}

#[test]
fn the_pages_alone_give_back_what_does_not_stand_on_the_damaged_one() {
    let sample = Sample::used();
    let pages = std::fs::metadata(sample.path("db.sqlite")).unwrap().len() as usize / PAGE;
    let mut missing = 0;
    for page in 0..pages {
        let hurt = sample.copied();
        strike(&hurt.path("db.sqlite"), page * PAGE, PAGE, Blow::Zeroes);
        std::fs::remove_file(hurt.path("outbox.copy")).unwrap();
        let opened = hurt.open();
        heal(&opened.store);
        let commands = opened.store.read(|r| r.commands()).unwrap();
        for stored in &commands {
            assert!(stored.body == common::body(u64::from_be_bytes(stored.id.0)));
        }
        missing += COMMANDS as usize - commands.len();
    }
    // Every command stands on one page or a few: each of its pages takes it once.
    assert!(missing <= 3 * COMMANDS as usize, "{missing} missing in {pages} runs");
}

#[test]
fn damage_in_the_write_ahead_log_loses_no_unconfirmed_command() {
    let sample = Sample::new();
    let opened = sample.open();
    fill(&opened.store);
    // As a crash leaves it: nothing is written back.
    let cut_off = sample.copied();
    drop(opened);
    let log = cut_off.path("db.sqlite-wal");
    let frames = (std::fs::metadata(&log).unwrap().len() as usize - 32) / (PAGE + 24);
    assert!(frames > 100, "{frames} frames");
    opens_heals_and_has_everything(&cut_off.copied(), "undamaged");
    for frame in (0..frames).step_by(7).chain([frames - 1]) {
        for blow in [Blow::Zeroes, Blow::Byte(31 * frame)] {
            let hurt = cut_off.copied();
            strike(&hurt.path("db.sqlite-wal"), 32 + frame * (PAGE + 24), PAGE + 24, blow);
            opens_and_heals(&hurt, &format!("frame {frame} of {frames}, {blow:?}"), check_present);
        }
    }
    for length in [0, 31, 32, 5_000, frames / 2 * (PAGE + 24)] {
        let hurt = cut_off.copied();
        std::fs::File::options()
            .write(true)
            .open(hurt.path("db.sqlite-wal"))
            .unwrap()
            .set_len(length as u64)
            .unwrap();
        opens_and_heals(&hurt, &format!("cut off after {length} bytes"), check_present);
    }
}

#[test]
fn after_an_end_without_warning_the_whole_file_is_looked_at() {
    let sample = Sample::used();
    let store = sample.open().store;
    store.write(|tx| tx.put_meta("sync", b"in the log only")).unwrap();
    let cut_off = sample.copied();
    assert!(std::fs::metadata(cut_off.path("db.sqlite-wal")).unwrap().len() > 0);
    let pages = std::fs::metadata(cut_off.path("db.sqlite")).unwrap().len() as usize / PAGE;
    let mut found = 0;
    for page in (1..pages).step_by(3) {
        let hurt = cut_off.copied();
        strike(&hurt.path("db.sqlite"), page * PAGE, PAGE, Blow::Header);
        let opened = hurt.open();
        found += usize::from(opened.salvage.is_some_and(|report| report.folder.is_some()));
        check(&opened.store, &format!("page {}", page + 1));
    }
    // Not where the log replaces the page, or only a value goes on in it.
    assert!(found > pages / 5, "found at opening in {found} of {} runs", pages / 3);
}

#[test]
fn a_damaged_or_missing_second_copy_is_made_again() {
    let sample = Sample::used();
    let length = std::fs::metadata(sample.path("outbox.copy")).unwrap().len() as usize;
    let sound = std::fs::read(sample.path("outbox.copy")).unwrap();
    for at in (0..length).step_by(length / 40) {
        for blow in [Blow::Byte(0), Blow::Zeroes] {
            let hurt = sample.copied();
            strike(&hurt.path("outbox.copy"), at, 300, blow);
            let opened = hurt.open();
            assert_eq!(opened.salvage, None, "nothing was lost");
            assert_eq!(check(&opened.store, "copy"), settled());
            drop(opened);
            std::fs::remove_file(hurt.path("db.sqlite")).unwrap();
            let opened = hurt.open();
            assert!(opened.salvage.is_some());
            check(&opened.store, "from the copy made again");
        }
    }
    let without = sample.copied();
    std::fs::remove_file(without.path("outbox.copy")).unwrap();
    drop(without.open());
    assert!(std::fs::read(without.path("outbox.copy")).unwrap().len() <= sound.len());
    std::fs::remove_file(without.path("db.sqlite")).unwrap();
    check(&without.open().store, "without");
}

#[test]
fn damage_while_it_is_open_is_mended_without_opening_again() {
    let sample = Sample::used();
    let pages = std::fs::metadata(sample.path("db.sqlite")).unwrap().len() as usize / PAGE;
    let mut set_aside = 0;
    for page in (1..pages).step_by(5) {
        let hurt = sample.copied();
        let store = hurt.open().store;
        strike(&hurt.path("db.sqlite"), page * PAGE, PAGE, Blow::Noise);
        let reports = heal(&store);
        set_aside += reports.iter().filter(|report| report.folder.is_some()).count();
        check(&store, &format!("page {}", page + 1));
        put_healing(&store, 999);
    }
    assert!(set_aside > 0, "no file was set aside");
}

#[test]
fn a_damaged_file_is_kept_as_it_is() {
    let sample = Sample::used();
    strike(&sample.path("db.sqlite"), 0, PAGE, Blow::Noise);
    let damaged = std::fs::read(sample.path("db.sqlite")).unwrap();
    let report = sample.open().salvage.expect("a report");
    assert_eq!((report.salvaged, report.lost), (COMMANDS as usize, 0));
    let folder = report.folder.expect("a folder");
    assert_eq!(std::fs::read(folder.join("db.sqlite")).unwrap(), damaged);
}

/// Crashes between condemning a file and committing what was salvaged.
#[test]
fn a_salvage_that_was_cut_off_is_taken_up_again() {
    let sample = Sample::used();
    strike(&sample.path("db.sqlite"), 0, PAGE, Blow::Noise);
    let condemned = |sample: &Sample| {
        let folder = sample.path("quarantine").join("1764000000000");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("salvage.pending"), b"").unwrap();
        folder
    };
    let before_the_move = sample.copied();
    condemned(&before_the_move);
    let after_the_move = sample.copied();
    let folder = condemned(&after_the_move);
    std::fs::rename(after_the_move.path("db.sqlite"), folder.join("db.sqlite")).unwrap();
    let after_the_new_file = sample.copied();
    let folder = condemned(&after_the_new_file);
    std::fs::rename(after_the_new_file.path("db.sqlite"), folder.join("db.sqlite")).unwrap();
    let empty = Sample::new();
    drop(empty.open());
    std::fs::copy(empty.path("db.sqlite"), after_the_new_file.path("db.sqlite")).unwrap();
    // Without the second copy, so that only the salvage can bring them.
    for sample in [before_the_move, after_the_move, after_the_new_file] {
        std::fs::remove_file(sample.path("outbox.copy")).unwrap();
        let opened = sample.open();
        assert_eq!(opened.salvage.as_ref().map(|report| report.salvaged), Some(COMMANDS as usize));
        check(&opened.store, "taken up again");
        drop(opened);
        assert_eq!(sample.open().salvage, None);
    }
}

/// Opens the database as somebody with the file in their hands.
fn by_hand(sample: &Sample, sql: &str) {
    let connection = Connection::open(sample.path("db.sqlite")).unwrap();
    assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
}

#[test]
fn rows_that_were_swapped_or_relabelled_are_refused_and_put_right() {
    let sample = Sample::used();
    for sql in [
        "UPDATE outbox SET data = (SELECT data FROM outbox o WHERE o.ordinal = 2) WHERE ordinal = 5",
        "UPDATE outbox SET state = 1 WHERE state = 0",
        "UPDATE outbox SET state = 'x' WHERE ordinal = 2",
        "UPDATE outbox SET data = 7 WHERE ordinal = 2",
        "DELETE FROM outbox WHERE state <> 1",
        "UPDATE meta SET data = x'0102' WHERE kept = 1",
        "DELETE FROM meta",
    ] {
        let hurt = sample.copied();
        by_hand(&hurt, sql);
        opens_heals_and_has_everything(&hurt, sql);
    }
}

#[test]
fn a_row_that_opens_nowhere_takes_no_other_along() {
    let sample = Sample::used();
    by_hand(&sample, "UPDATE outbox SET data = zeroblob(300) WHERE ordinal = 2");
    std::fs::remove_file(sample.path("outbox.copy")).unwrap();
    let opened = sample.open();
    assert_eq!(opened.salvage.as_ref().map(|report| report.lost), Some(1));
    let commands = opened.store.read(|r| r.commands()).unwrap();
    assert_eq!(commands.len() as u64, COMMANDS - 1);
    drop(opened);
    let kept: i64 = Connection::open(sample.path("db.sqlite"))
        .unwrap()
        .query_row("SELECT count(*) FROM set_aside WHERE length(data) = 300", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1, "the row is kept as it was");
}

#[test]
fn damage_in_a_document_is_that_documents_only() {
    let view = "UPDATE views SET data = x'00' WHERE doc = (SELECT doc FROM views LIMIT 1)";
    let part = "UPDATE parts SET data = x'00' WHERE doc = (SELECT doc FROM parts LIMIT 1)";
    let swapped = "UPDATE parts SET data = (SELECT data FROM parts p WHERE p.doc <> parts.doc AND p.part = \
                   parts.part LIMIT 1) WHERE doc = (SELECT doc FROM parts LIMIT 1)";
    let change = "UPDATE changes SET state = 0 WHERE ordinal = 3";
    let key = "UPDATE documents SET key = x'00' WHERE doc = (SELECT doc FROM documents LIMIT 1)";
    let name = "UPDATE documents SET id = x'00' WHERE doc = (SELECT doc FROM documents LIMIT 1)";
    let sample = Sample::used();
    for (sql, hurt) in [
        (view, Some(Hurt::Views)),
        (part, Some(Hurt::Content)),
        (swapped, Some(Hurt::Content)),
        (change, Some(Hurt::Content)),
        (key, Some(Hurt::Content)),
        (name, None),
    ] {
        let damaged = sample.copied();
        by_hand(&damaged, sql);
        let store = damaged.open().store;
        let reports = heal(&store);
        assert_eq!(reports.len(), 1, "{sql}");
        assert_eq!(reports[0].documents.values().copied().collect::<Vec<_>>(), Vec::from_iter(hurt), "{sql}");
        assert_eq!(reports[0].nameless, usize::from(hurt.is_none()), "{sql}");
        let documents = store.read(|r| r.documents()).unwrap();
        let whole = documents.len() + usize::from(hurt != Some(Hurt::Views));
        assert_eq!(whole, usize::from(DOCUMENTS), "{sql}");
        assert_eq!(check(&store, sql), settled());
    }
}

#[test]
fn every_flipped_byte_of_a_sealed_value_is_refused() {
    let sample = Sample::used();
    let store = sample.open().store;
    let path = sample.path("db.sqlite");
    let connection = Connection::open(&path).unwrap();
    let select = "SELECT data FROM parts WHERE part = 0 AND doc = (SELECT doc FROM parts LIMIT 1)";
    let sealed: Vec<u8> = connection.query_row(select, [], |row| row.get(0)).unwrap();
    let put = "UPDATE parts SET data = ?1 WHERE part = 0 AND doc = (SELECT doc FROM parts LIMIT 1)";
    let refused = |index: usize| {
        let read = store.read(|r| {
            r.documents()?.into_iter().try_for_each(|id| r.document_part(id, DocumentPart::Header).map(drop))
        });
        assert!(matches!(read, Err(StoreError::Sealed)), "byte {index}");
    };
    for index in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[index] ^= 1;
        connection.execute(put, [flipped]).unwrap();
        refused(index);
    }
    connection.execute(put, [sealed]).unwrap();
    let header = store.read(|r| r.document_part(document(0), DocumentPart::Header)).unwrap();
    assert_eq!(header, Some(vec![0; 100]));
}
