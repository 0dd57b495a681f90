//! A tablet whose store goes bad, or is suspended at a bad moment: what the teacher wrote still reaches the school.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use registro::teacher::RollCall;
use registro::{DeliveryState, ErrorKind, Event, OpenOptions, Registro};
use registro_hub::{RunningHub, StandingClock};
use registro_store::MemoryVault;
use registro_tests::clock::{SeededEnvironment, SharedClock};
use registro_tests::hub;

/// Monday 23 November 2026, 7:30 in Italy.
const MORNING: i64 = 1_795_415_400_000;
const PAGE: usize = 4096;

fn options(folder: &Path, url: &str, seed: u64) -> OpenOptions {
    let mut options = OpenOptions::for_development(folder, url);
    options.durable = false;
    options.environment = Some(Box::new(SeededEnvironment::new(SharedClock::at(MORNING), seed)));
    options
}

async fn school(folder: &Path) -> RunningHub {
    std::fs::create_dir_all(folder).unwrap();
    hub::import(hub::sample_school(), folder).unwrap();
    hub::start(folder, Arc::new(StandingClock::at(MORNING))).await.unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_offline_survives_damage_in_any_part_and_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let hub = school(&folder.path().join("hub")).await;
    let url = hub.url();
    let date = "2026-11-23".parse().unwrap();
    let vault = MemoryVault::default();
    let store = folder.path().join("tablet");
    let tablet = Registro::open(options(&store, &url, 1), &vault).unwrap();
    tablet.log_in_for_development("D020").await.unwrap();
    tablet.sync().await.unwrap();
    let lesson = tablet.teacher().my_day(date).unwrap()[0].clone();
    let absent = tablet.teacher().class_view(&lesson.class, date).unwrap().pupils[0].pupil;
    let roll = RollCall { absent: vec![absent], late: vec![], left: vec![] };
    tablet.teacher().call_roll(&lesson.class, date, lesson.slot, &roll).unwrap();
    tablet.suspend().unwrap();
    drop(tablet);

    let database = std::fs::read(store.join("db.sqlite")).unwrap();
    let pages = database.len() / PAGE;
    let (mut mended, mut whole) = (0, 0);
    for (seed, page) in [0].into_iter().chain((1..pages).step_by(pages / 9)).enumerate() {
        let context = format!("page {} of {pages}", page + 1);
        let hurt = folder.path().join(format!("hurt-{page}"));
        copy(&store, &hurt);
        let mut bytes = database.clone();
        bytes[page * PAGE..(page + 1) * PAGE].iter_mut().enumerate().for_each(|(i, b)| *b = (i * 31) as u8);
        std::fs::write(hurt.join("db.sqlite"), bytes).unwrap();

        let tablet = Registro::open(options(&hurt, &url, 100 + seed as u64), &vault).unwrap();
        let other = tablet.log_in_for_development("D025").await;
        assert_eq!(
            other.map_err(|e| e.kind),
            Err(ErrorKind::NotAllowed),
            "{context}: it is somebody's store"
        );
        tablet.log_in_for_development("D020").await.unwrap();
        tablet.sync().await.unwrap_or_else(|error| panic!("{context}: {error:?}"));
        // A read that finds damage fails and says so; what was taken out of the way comes with the next sync.
        let mut tries = 0;
        let view = loop {
            match tablet.teacher().class_view(&lesson.class, date) {
                Ok(view) => break view,
                Err(error) if error.kind == ErrorKind::Storage && tries < 4 => tries += 1,
                Err(error) => panic!("{context}: {error:?}"),
            }
            tablet.sync().await.unwrap_or_else(|error| panic!("{context}: {error:?}"));
        };
        assert!(view.pupils.len() > 20, "{context}");
        assert!(view.pupils[0].day.as_ref().is_some_and(|day| day.absent && !day.pending), "{context}");
        let written = tablet.written().unwrap();
        assert_eq!(written.len(), 1, "{context}");
        assert!(matches!(written[0].delivery, DeliveryState::Confirmed { .. }), "{context}");
        let events = tablet.next_events().await;
        for event in &events {
            if let Event::Mended(report) = event {
                assert_eq!(report.entries_lost, 0, "{context}");
                mended += 1;
                whole += usize::from(report.everything);
            }
        }
    }
    assert!(mended > 4 && whole > 0, "{mended} mended, {whole} as a whole");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suspending_in_the_middle_of_a_sync_is_quick_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hub = school(&folder.path().join("hub")).await;
    let url = hub.url();
    let vault = MemoryVault::default();
    let calm = Registro::open(options(&folder.path().join("calm"), &url, 1), &vault).unwrap();
    calm.log_in_for_development("D020").await.unwrap();
    let start = Instant::now();
    calm.sync().await.unwrap();
    let usual = start.elapsed();

    let mut suspended = 0;
    for moment in 1..5_u32 {
        let disturbed = folder.path().join(format!("disturbed-{moment}"));
        let tablet = Registro::open(options(&disturbed, &url, moment.into()), &vault).unwrap();
        tablet.log_in_for_development("D020").await.unwrap();
        let syncing = tokio::spawn({
            let tablet = tablet.clone();
            async move { tablet.sync().await }
        });
        tokio::time::sleep(usual * moment / 6).await;
        let start = Instant::now();
        tokio::task::spawn_blocking({
            let tablet = tablet.clone();
            move || tablet.suspend()
        })
        .await
        .unwrap()
        .unwrap();
        assert!(start.elapsed() < Duration::from_secs(3), "suspending took {:?}", start.elapsed());
        assert!(!disturbed.join("db.sqlite-wal").exists(), "the file is closed");
        match syncing.await.unwrap() {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::Suspended);
                suspended += 1;
            }
        }
        tablet.resume().unwrap();
        tablet.sync().await.unwrap();
        assert_eq!(tablet.fingerprints().unwrap(), calm.fingerprints().unwrap(), "moment {moment}");
    }
    assert!(suspended > 0, "no sync was under way");
    hub.stop().await;
}
