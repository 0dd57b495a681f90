//! What is measured, and how.

use std::path::Path;
use std::sync::Arc;

use registro::teacher::RollCall;
use registro::{OpenOptions, Registro};
use registro_documents::gate::{self, Expectation};
use registro_documents::write::{Put, write};
use registro_documents::{Document, Fact, Kind};
use registro_hub::clock::start_of_day;
use registro_hub::{RunningHub, StandingClock};
use registro_model::{Capacity, ClassCode, CommandId, Date, PersonId};
use registro_store::MemoryVault;
use registro_tests::clock::{SeededEnvironment, SharedClock};
use registro_tests::hub;
use registro_tests::link::Link;

use crate::figures::{Figures, median, milliseconds, timed};
use crate::year::{Failure, Writers, classes_of, empty_days, record, write_year};

/// The teacher with nine classes.
const TEACHER: &str = "D032";

struct Bench {
    folder: tempfile::TempDir,
    clock: SharedClock,
    hub_clock: Arc<StandingClock>,
    today: Date,
    teacher: PersonId,
    classes: Vec<(ClassCode, Vec<PersonId>)>,
}

impl Bench {
    fn device(&self, name: &str, url: &str, vault: &MemoryVault, seed: u64) -> Result<Registro, Failure> {
        let mut options = OpenOptions::for_development(self.folder.path().join(name), url);
        options.environment = Some(Box::new(SeededEnvironment::new(self.clock.clone(), seed)));
        Ok(Registro::open(options, vault)?)
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("hub")
    }
}

/// Measures everything.
pub async fn all() -> Result<Figures, Failure> {
    // On a disk: what is durable there is what counts.
    let folder = tempfile::tempdir_in(std::env::current_exe()?.parent().ok_or("a folder")?)?;
    let data = folder.path().join("hub");
    std::fs::create_dir_all(&data)?;
    hub::import(hub::sample_school(), &data)?;
    let dawn: Date = "2026-09-10".parse()?;
    let opened = registro_hub::serve::open(&data, start_of_day(dawn))?;
    let registered = opened.registered()?;
    let today: Date = "2027-05-10".parse()?;
    let teacher = opened.person_by_code(TEACHER)?.ok_or("the teacher")?;
    let classes = classes_of(&registered, teacher, today);
    let pupils: usize = classes.iter().map(|(_, pupils)| pupils.len()).sum();
    println!("writing a year of {} classes with {pupils} pupils", classes.len());
    let mut writers = Writers::new(&opened);
    let (days, took) = timed(|| write_year(&mut writers, &registered, &classes));
    let (days, changes) = (days?, writers.changes);
    println!(
        "{changes} changes on {days} lesson days, {:.0} s; gate, policy, signatures included",
        took / 1_000.0
    );

    let mut figures = Figures::default();
    documents(&mut figures, &opened, &classes)?;
    gate_figures(&mut figures, &opened, &classes)?;
    drop(writers);
    drop(opened);

    let now = start_of_day(today) + 8 * 3_600_000;
    let bench = Bench {
        folder,
        clock: SharedClock::at(now),
        hub_clock: Arc::new(StandingClock::at(now)),
        today,
        teacher,
        classes,
    };
    let hub = hub::start(&bench.data(), Arc::clone(&bench.hub_clock)).await?;
    let (vault, device) = first_sync(&mut figures, &bench, &hub, pupils).await?;
    catch_up(&mut figures, &bench, &hub, &device).await?;
    drop(device);
    screens(&mut figures, &bench, &hub, &vault)?;
    hub.stop().await;
    library(&mut figures);
    Ok(figures)
}

fn documents(
    figures: &mut Figures,
    hub: &registro_hub::Hub,
    classes: &[(ClassCode, Vec<PersonId>)],
) -> Result<(), Failure> {
    let mut worst: Option<(f64, String, usize)> = None;
    let wanted: Vec<_> = classes.iter().flat_map(|(_, pupils)| pupils).copied().collect();
    for identity in hub.documents()? {
        let ours = match &identity.subject {
            registro_documents::Subject::Person(pupil) => {
                identity.kind == Kind::PupilRecord && wanted.contains(pupil)
            }
            registro_documents::Subject::Month(class, _) => classes.iter().any(|(c, _)| c == class),
            registro_documents::Subject::School => identity.kind == Kind::School,
            _ => false,
        };
        if !ours {
            continue;
        }
        let saved = hub.document(identity.id)?.document.save();
        let runs = (0..5).map(|_| timed(|| Document::load(&saved).is_ok()).1).collect();
        let time = median(runs);
        if worst.as_ref().is_none_or(|(slowest, ..)| time > *slowest) {
            worst = Some((time, format!("{} of {} bytes", identity.kind, saved.len()), saved.len()));
        }
    }
    let (time, what, _) = worst.ok_or("a document")?;
    figures.hold(&format!("cold load of the slowest document of the year ({what})"), time, 5.0, "ms");
    Ok(())
}

fn gate_figures(
    figures: &mut Figures,
    hub: &registro_hub::Hub,
    classes: &[(ClassCode, Vec<PersonId>)],
) -> Result<(), Failure> {
    let pupil = *classes.first().and_then(|(_, pupils)| pupils.first()).ok_or("a pupil")?;
    let document = hub.document(record(hub, pupil)?)?.document;
    let (mut judged, mut raw) = (Vec::new(), Vec::new());
    for number in 0..200u8 {
        let fact = Fact::new(CommandId([number; 8]), Capacity::Lesson).with("slot", 1u8);
        let key = format!("2027-06-{:02}/absence", number % 28 + 1);
        let put = Put { section: "attendance".to_owned(), key, fact };
        let written = write(&document, [number; 16], None, 0, &[put])?;
        let (verdict, time) = timed(|| gate::judge(&document, &written.chunk, &Expectation::default()));
        verdict.map_err(|refusal| refusal.reason)?;
        judged.push(time);
        let mut plain = automerge::Automerge::load(&document.save())?;
        let change = automerge::Change::from_bytes(written.chunk.clone())?;
        raw.push(timed(|| plain.apply_changes([change]).is_ok()).1);
    }
    let changes = document.change_count();
    figures.hold(
        &format!("gate, one change on a pupil's record of {changes} changes"),
        median(judged),
        0.1,
        "ms",
    );
    figures.beside("  beside it: automerge's apply_changes of the same change", median(raw), "ms");
    Ok(())
}

async fn first_sync(
    figures: &mut Figures,
    bench: &Bench,
    hub: &RunningHub,
    pupils: usize,
) -> Result<(MemoryVault, Registro), Failure> {
    let (mut times, mut bytes, mut last) = (Vec::new(), 0, None);
    for run in 0..3 {
        let link = Link::to(hub.address, run).await?;
        let vault = MemoryVault::default();
        let device = bench.device(&format!("first-{run}"), &link.url, &vault, run)?;
        device.log_in_for_development(&bench.teacher.to_string()).await?;
        let before = link.carried();
        let begun = std::time::Instant::now();
        let report = device.sync().await?;
        times.push(milliseconds(begun.elapsed()) / 1_000.0);
        bytes = link.carried() - before;
        println!("first sync: {} requests, {bytes} bytes", report.requests);
        last = Some((vault, device, link));
    }
    let (vault, device, _) = last.ok_or("a device")?;
    let what = format!("first sync of a teacher, {pupils} pupils' records and 9 classes of a year");
    figures.hold(&what, median(times), 2.0, "s");
    figures.hold("  its bytes on the wire", bytes as f64 / 1e6, 3.5, "MB");
    device.set_hub(&hub.url())?;
    Ok((vault, device))
}

async fn catch_up(
    figures: &mut Figures,
    bench: &Bench,
    hub: &RunningHub,
    device: &Registro,
) -> Result<(), Failure> {
    let link = Link::to(hub.address, 77).await?;
    device.set_hub(&link.url)?;
    // Once more, so that everything is here; then nothing is new.
    device.sync().await?;
    let before = link.carried();
    let report = device.sync().await?;
    figures.hold(
        "nothing new: body bytes of the one request and its reply",
        (link.carried() - before) as f64,
        300.0,
        "B",
    );
    if report.requests != 1 {
        return Err("nothing new takes one request".into());
    }

    let (mut times, mut requests) = (Vec::new(), 0);
    for round in 0..3u64 {
        let mut writers = Writers::new(&hub.hub);
        let date = bench.today;
        let now = start_of_day(date) + (9 + round as i64) * 3_600_000;
        bench.hub_clock.set(now);
        let pupils: Vec<_> = bench.classes.iter().flat_map(|(_, pupils)| pupils).collect();
        for number in 0..1_000usize {
            let pupil = pupils.get(number % pupils.len()).ok_or("a pupil")?;
            let document = record(&hub.hub, **pupil)?;
            writers.document(document)?;
            let hex = format!("{:016x}", number as u64 + round * 10_000);
            let fact =
                Fact::new(CommandId([0; 8]), Capacity::Lesson).with("slot", 2u8).with("kind", "in-school");
            let facts = vec![("attendance", format!("{date}/out/{hex}"), fact)];
            writers.give_as(round + 1, bench.teacher, document, facts, now)?;
        }
        writers.push(bench.teacher, now)?;
        let begun = std::time::Instant::now();
        let report = device.sync().await?;
        times.push(milliseconds(begun.elapsed()) / 1_000.0);
        requests = report.requests;
    }
    figures.hold("catch-up after a school day: 1,000 changes over the records", median(times), 1.0, "s");
    figures.hold("  its requests", f64::from(requests), 3.0, "");
    Ok(())
}

fn screens(
    figures: &mut Figures,
    bench: &Bench,
    hub: &RunningHub,
    vault: &MemoryVault,
) -> Result<(), Failure> {
    let (class, pupils) = bench.classes.iter().max_by_key(|(_, pupils)| pupils.len()).ok_or("a class")?;
    let open = |seed| bench.device("first-2", &hub.url(), vault, seed);
    let mut opened = Vec::new();
    for seed in 0..9 {
        let (view, time) =
            timed(|| -> Result<_, Failure> { Ok(open(seed)?.teacher().class_view(class, bench.today)?) });
        if view?.pupils.len() < pupils.len() {
            return Err("the class is not whole".into());
        }
        opened.push(time);
    }
    let what = format!("open the store and show a class of {}", pupils.len());
    figures.hold(&what, median(opened), 5.0, "ms");
    let device = open(99)?;
    let shown = (0..9)
        .map(|_| timed(|| device.teacher().class_view(class, bench.today)))
        .map(|(view, time)| view.map(|_| time))
        .collect::<Result<Vec<_>, _>>()?;
    figures.beside("  show it again in the open store", median(shown), "ms");
    drop(device);

    let absent: Vec<_> = pupils.iter().take(3).copied().collect();
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for (round, date) in empty_days().into_iter().enumerate() {
        for slot in 1..=4u8 {
            let device = open(200 + u64::from(slot) + 10 * round as u64)?;
            let teacher = device.teacher();
            // The directory is read once, as the day's screen does.
            teacher.class_view(class, date)?;
            teacher.capacity(class, date)?;
            let roll = RollCall { absent: absent.clone(), late: vec![], left: vec![] };
            let (done, time) = timed(|| teacher.call_roll(class, date, slot, &roll));
            done?;
            cold.push(time);
            let (done, time) = timed(|| teacher.call_roll(class, date, slot, &roll));
            done?;
            warm.push(time);
        }
    }
    let what = format!("roll call of {} with 3 exceptions, durable, cold documents", pupils.len());
    figures.hold(&what, median(cold), 25.0, "ms");
    figures.hold("  warm documents", median(warm), 8.0, "ms");
    Ok(())
}

fn library(figures: &mut Figures) {
    let target =
        std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.parent()?.parent()?.to_owned()));
    let stripped = target.map(|target| target.join("mobile/libregistro_ffi.stripped"));
    if let Some(bytes) = stripped.as_deref().map(Path::metadata).and_then(Result::ok) {
        figures.hold("libregistro_ffi.so, stripped release", bytes.len() as f64 / 1e6, 8.0, "MB");
    }
}
