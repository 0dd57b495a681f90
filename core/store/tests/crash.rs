//! Ends without warning, and disks that are full: what was acknowledged is there afterwards.
//!
//! The store runs in a process of its own: this test program, started again with `REGISTRO_STORE_CHILD`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![cfg(unix)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use registro_model::{CommandId, DocumentId};
use registro_store::{DocumentPart, FileVault, Opened, Store, StoreError, StoreOptions};

const CHILD: &str = "REGISTRO_STORE_CHILD";
const TASK: &str = "REGISTRO_STORE_TASK";

fn open(folder: &Path) -> Result<Opened, StoreError> {
    Store::open(StoreOptions::new(folder, "test"), &FileVault::new(folder.join("vault")))
}

fn document() -> DocumentId {
    DocumentId::try_from([4; 16].as_slice()).unwrap()
}

fn body(n: u64) -> Vec<u8> {
    (0..200 + n % 7 * 1_500).map(|i| (i * 7 + n) as u8).collect()
}

/// One act: a command, a change, a view, as an app writes them.
fn act(store: &Store, n: u64) -> Result<(), StoreError> {
    store.write(move |tx| {
        tx.create_document(document())?;
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&n.to_be_bytes());
        tx.put_change(document(), &hash, 1, &body(n))?;
        tx.put_view(document(), "all", &n.to_be_bytes())?;
        tx.put_document_part(document(), DocumentPart::Header, &n.to_be_bytes())?;
        tx.put_command(CommandId(n.to_be_bytes()), 0, &body(n))
    })
}

fn say(line: &str) {
    // Not `println`, which the test harness keeps for itself.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n@{line}\n").as_bytes()).and_then(|()| out.flush()).unwrap();
}

/// Not a test of its own: what the child does.
#[test]
fn child() {
    let (Ok(folder), Ok(task)) = (std::env::var(CHILD), std::env::var(TASK)) else { return };
    let opened = match open(Path::new(&folder)) {
        Ok(opened) => opened,
        Err(error) => return say(&format!("not opened: {}", error.kind())),
    };
    let store = opened.store;
    if task == "suspend" {
        say(if store.suspend().is_err() { "suspend failed" } else { "suspended" });
        store.resume().expect("it resumes");
        store.suspend().ok();
        store.resume().expect("it resumes again");
        say(&format!("resumed with {}", store.read(|r| r.commands()).unwrap().len()));
        return;
    }
    let first = store.read(|r| r.commands()).unwrap().len() as u64;
    for n in first.. {
        match act(&store, n) {
            Ok(()) => say(&n.to_string()),
            Err(error) => {
                say(&format!("failed: {}", error.kind()));
                break;
            }
        }
    }
    // The full disk is no reason to be stuck.
    let _ = store.suspend();
    match store.resume() {
        Ok(_) => say(&format!("resumed with {}", store.read(|r| r.commands()).unwrap().len())),
        Err(error) => say(&format!("not resumed: {}", error.kind())),
    }
}

fn command(folder: &Path, task: &str, limit: Option<u32>) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = match limit {
        None => Command::new(program),
        Some(blocks) => {
            // A file that would grow beyond the limit gives an error, as on a full disk; for root, too.
            let mut command = Command::new("sh");
            command
                .arg("-c")
                .arg(format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$0\" \"$@\""))
                .arg(program);
            command
        }
    };
    command.args(["--exact", "child", "--nocapture"]).env(CHILD, folder).env(TASK, task);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn said(line: &str) -> Option<&str> {
    line.strip_prefix('@')
}

/// Everything acknowledged is there, whole, and nothing else but what was under way.
fn check(folder: &Path, acknowledged: &BTreeSet<u64>, context: &str) {
    let opened = open(folder).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(opened.salvage, None, "{context}: nothing is damaged");
    let (commands, changes, view) = opened
        .store
        .read(|r| Ok((r.commands()?, r.changes(document())?, r.view(document(), "all")?)))
        .unwrap();
    let found: Vec<u64> = commands.iter().map(|stored| u64::from_be_bytes(stored.id.0)).collect();
    let missing: Vec<_> = acknowledged.iter().filter(|n| !found.contains(n)).collect();
    assert!(missing.is_empty(), "{context}: {missing:?} of {} are missing", acknowledged.len());
    assert!(found.len() <= acknowledged.len() + 1, "{context}: more than what was under way");
    for stored in &commands {
        assert!(stored.body == body(u64::from_be_bytes(stored.id.0)), "{context}");
    }
    assert_eq!(changes.len(), found.len(), "{context}: an act is whole");
    assert_eq!(view.map(|v| v == found.last().unwrap().to_be_bytes()), (!found.is_empty()).then_some(true));
}

/// A small generator, so that a run can be repeated.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

#[test]
fn killed_at_random_everything_acknowledged_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_123);
    println!("SEED={seed}");
    let mut acknowledged = BTreeSet::new();
    for round in 0..14 {
        let mut child = command(folder.path(), "act", None).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Some in the middle of opening, most while writing.
        let (wanted, patience) = (next(&mut seed) % 40, Duration::from_micros(next(&mut seed) % 3_000));
        let mut heard = 0;
        while heard < wanted {
            let Some(Ok(line)) = lines.next() else { break };
            if let Some(n) = said(&line).and_then(|said| said.parse().ok()) {
                acknowledged.insert(n);
                heard += 1;
            }
        }
        let until = Instant::now() + patience;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(lines.map_while(Result::ok).filter_map(|line| said(&line)?.parse::<u64>().ok()));
        check(folder.path(), &acknowledged, &format!("round {round}"));
        // What was under way may have been done.
        let store = open(folder.path()).unwrap().store;
        let commands = store.read(|r| r.commands()).unwrap();
        acknowledged = commands.iter().map(|stored| u64::from_be_bytes(stored.id.0)).collect();
    }
    assert!(acknowledged.len() > 50, "{} acts", acknowledged.len());
}

#[test]
fn on_a_full_disk_nothing_acknowledged_is_lost_and_the_store_goes_on() {
    let mut failed = 0;
    for blocks in [1, 8, 40, 100, 160, 230, 310, 420, 560, 700] {
        let folder = tempfile::tempdir().unwrap();
        let output = command(folder.path(), "act", Some(blocks)).output().unwrap();
        let output_text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<&str> = output_text.lines().filter_map(said).collect();
        assert!(output.status.success(), "{blocks} blocks: {lines:?}");
        let acknowledged: BTreeSet<u64> = lines.iter().filter_map(|line| line.parse().ok()).collect();
        let fails = [
            "failed: full",
            "failed: database",
            "failed: io",
            "not opened: full",
            "not opened: database",
            "not opened: io",
            "not opened: vault",
        ];
        assert!(lines.iter().any(|line| fails.contains(line)), "{blocks} blocks: {lines:?}");
        failed += usize::from(!acknowledged.is_empty());
        if lines.iter().any(|line| line.starts_with("failed")) {
            let resumed = lines.last().unwrap();
            let count: usize = resumed.strip_prefix("resumed with ").expect(resumed).parse().unwrap();
            assert!(
                (acknowledged.len()..acknowledged.len() + 2).contains(&count),
                "{blocks} blocks: {lines:?}"
            );
            check(folder.path(), &acknowledged, &format!("{blocks} blocks"));
        }
        // There is room again.
        let store = open(folder.path()).unwrap_or_else(|error| panic!("{blocks} blocks: {error}")).store;
        act(&store, 10_000).unwrap();
    }
    assert!(failed >= 4, "only {failed} came as far as writing");
}

#[test]
fn a_suspend_that_cannot_write_the_log_back_suspends_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(folder.path(), "act", None).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut written = 0;
    for line in lines.map_while(Result::ok) {
        written += usize::from(said(&line).is_some());
        if written == 40 {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(std::fs::metadata(folder.path().join("db.sqlite-wal")).unwrap().len() > 400_000);
    let output = command(folder.path(), "suspend", Some(200)).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = text.lines().filter_map(said).collect();
    assert!(output.status.success(), "{lines:?}");
    assert_eq!(lines.first(), Some(&"suspend failed"), "{lines:?}");
    let resumed = lines.get(1).and_then(|line| line.strip_prefix("resumed with ")).expect("resumed");
    assert!(resumed.parse::<usize>().unwrap() >= 40, "{lines:?}");
}
