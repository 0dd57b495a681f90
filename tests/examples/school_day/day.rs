//! The day, hour by hour.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use registro::DeliveryState;
use registro::teacher::RollCall;
use registro_hub::SystemRandomness;
use registro_hub::clock::start_of_day;
use registro_hub::directory::TableRegistry;
use registro_hub::keys::{KeyFile, SchoolKeyVault};
use registro_hub::registry::Registry;
use registro_model::attendance::OutKind;
use registro_model::justification::RunState;
use registro_model::school::BellSlot;
use registro_model::{ClockTime, CommandId, PersonId};
use registro_tests::clock::SharedClock;
use registro_tests::federation::free_port;
use registro_tests::link::{Link, Weather};

use crate::cast::{self, Cast, People};
use crate::checks::{self, Outcome};
use crate::logins::Logins;
use crate::out;
use crate::processes::{Failure, HubProcess, start_tablet};
use crate::stage::{
    A, B, COORDINATOR, GUARDIAN, LABELS, OFFICE, Player, SECOND, SUBSTITUTE, Stage, THIRD, open,
};

/// Why the day ended early.
pub enum Ended {
    NothingFits(String),
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn minutes_after(slot: &BellSlot, numerator: u16, denominator: u16) -> Result<ClockTime, Failure> {
    let length = slot.end.minutes() - slot.start.minutes();
    let minutes = slot.start.minutes() + (length * numerator / denominator).max(1);
    ClockTime::from_minutes(minutes).ok_or_else(|| "a time of the day".into())
}

/// Plays the day.
pub async fn play(files: &Path, seed: u64, out: Option<&Path>) -> Result<Outcome, Ended> {
    let begun = Instant::now();
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("hub");
    std::fs::create_dir_all(&data)?;
    let (school, report) = registro_hub::import::read(files);
    let Some(school) = school else {
        let first = report.errors.first();
        let what = first.map_or_else(String::new, |p| format!("{} line {}: {}", p.file, p.line, p.reason));
        return Err(Ended::Failed(format!("the school does not import: {what}").into()));
    };
    registro_tests::hub::import(files, &data)?;
    let database = registro_hub::log::schema::open(&data.join("hub.sqlite"))?;
    let registered = TableRegistry::default().load(&database)?;
    let people = People::of(&school, &database)?;
    drop(database);
    let cast = cast::choose(&school, &registered, &people).map_err(Ended::NothingFits)?;

    let midnight = start_of_day(cast.date);
    let first_start = cast.slots.first().map_or(480, |slot| slot.start.minutes());
    let dawn = midnight + i64::from(first_start.saturating_sub(50)) * 60_000;
    let clock = SharedClock::at(dawn);
    let mut names: BTreeMap<PersonId, String> =
        registered.directory.staff.iter().map(|(id, member)| (*id, member.name.clone())).collect();
    names.extend(registered.directory.pupils.iter().map(|(id, pupil)| (*id, pupil.name.clone())));
    for guardians in registered.directory.guardians.values() {
        names.extend(guardians.iter().map(|g| (g.guardian, g.name.clone())));
    }
    println!(
        "{}: class {}, {} ({} pupils in the story, seed {seed})",
        registered.school.name,
        cast.class,
        cast.date,
        cast.pupils.len()
    );
    println!(
        "         first teacher {}, second {}, third {} (slot {}), coordinator {}, substitute {}, family of {} and {}",
        people.code(cast.first),
        people.code(cast.second),
        people.code(cast.third),
        cast.third_slot,
        people.code(cast.coordinator),
        people.code(cast.substitute),
        people.code(cast.pupils.first().copied().unwrap_or(cast.sibling)),
        people.code(cast.sibling),
    );
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let (url, players) = (format!("http://{address}"), players(&cast));
    let mut logins = Logins::prepare(&url, &data, &players, &school).await?;
    let hub = HubProcess::start(&data, dawn, address).await?;
    logins.hand_out(&url, &data, &players, cast.office, dawn).await?;
    println!("         everybody logs in with {}", logins.name());
    let mut stage = Stage { cast, hub: Some(hub), logins, clock, midnight, players: Vec::new(), names };

    before_eight(&mut stage, folder.path(), seed).await?;
    first_slot(&stage).await?;
    second_slot(&stage).await?;
    let backup = folder.path().join("noon.backup");
    end_of_the_assignment(&stage).await?;
    // In most schools the third teacher comes in slot 3.
    let fourth = stage.cast.slots.get(3).map_or(u8::MAX, |slot| slot.position);
    if stage.cast.third_slot <= fourth {
        third_teacher(&stage).await?;
        fourth_slot(&stage, &data, &backup).await?;
    } else {
        fourth_slot(&stage, &data, &backup).await?;
        third_teacher(&stage).await?;
    }
    reconnections(&mut stage).await?;
    let (shown, resolved) = afternoon(&stage).await?;
    let before_restore = checks::acknowledged(&stage.players)?;
    night(&mut stage, &data, &backup).await?;
    let refused = checks::refused(&stage.players)?;

    let faults = stage
        .players
        .iter()
        .map(|player| player.link.faults())
        .fold((0, 0), |sum, f| (sum.0 + f.0, sum.1 + f.1));
    println!("         the links dropped {} messages and doubled {}", faults.0, faults.1);
    stage.stop_hub().await?;
    let opened = registro_hub::serve::open(&data, stage.clock.now())?;
    let mut outcome = checks::judge(&opened, &stage.players, &before_restore)?;
    outcome.refused = refused;
    outcome.conflicts_shown = shown;
    outcome.conflicts_resolved = resolved;
    outcome.seconds = begun.elapsed().as_secs_f64();
    outcome.print();
    if let Some(out) = out {
        out::write(out, &opened, &outcome)?;
        println!("         {} documents written", outcome.documents);
    }
    Ok(outcome)
}

/// Whose the devices are, in their order.
fn players(cast: &Cast) -> [PersonId; 8] {
    [
        cast.first,
        cast.first,
        cast.second,
        cast.third,
        cast.coordinator,
        cast.office,
        cast.guardian,
        cast.substitute,
    ]
}

async fn before_eight(stage: &mut Stage, folder: &Path, seed: u64) -> Result<(), Failure> {
    let people = players(&stage.cast);
    for (index, (label, person)) in LABELS.into_iter().zip(people).enumerate() {
        let device = folder.join(format!("device-{index}"));
        let device_seed = seed.wrapping_mul(1_000).wrapping_add(index as u64);
        let link = Link::to(stage.hub()?.address, device_seed).await?;
        let registro = open(&device, &stage.hub()?.url(), &stage.clock, device_seed)?;
        let profile = stage.logins.log_in(&registro, person).await?;
        registro.set_hub(&link.url)?;
        let synced = registro.sync().await?;
        stage.tell(&format!("{label}: {} logs in, first sync in {} requests", profile.name, synced.requests));
        stage.players.push(Player { label, registro, link, device, seed: device_seed });
    }
    for (index, player) in stage.players.iter().enumerate() {
        if index != OFFICE && index != GUARDIAN {
            player.link.set(Weather::Down);
        }
    }
    stage.tell("every tablet loses its connection");
    Ok(())
}

async fn first_slot(stage: &Stage) -> Result<(), Failure> {
    let cast = &stage.cast;
    let slot = &cast.slots[0];
    stage.at(minutes_after(slot, 1, 6)?).await?;
    let absent = |numbers: &[usize]| numbers.iter().map(|n| stage.pupil(*n)).collect::<Vec<_>>();
    let a = stage.player(A).registro.teacher();
    let late = vec![(stage.pupil(4), minutes_after(slot, 1, 4)?)];
    let roll = RollCall { absent: absent(&[1, 2, 3, 6]), late, left: vec![] };
    a.call_roll(&cast.class, cast.date, slot.position, &roll)?;
    a.sign_lesson(&cast.class, cast.date, slot.position, &cast.first_subject, "Ripasso e nuovi esercizi")?;
    stage.tell(&format!("tablet A: {} calls the roll offline and signs the lesson", stage.name(cast.first)));
    stage.show_class(A)?;
    let late = vec![(stage.pupil(4), minutes_after(slot, 1, 3)?)];
    let roll = RollCall { absent: absent(&[1, 3, 6]), late, left: vec![] };
    stage.player(B).registro.teacher().call_roll(&cast.class, cast.date, slot.position, &roll)?;
    stage.tell("tablet B: the same hour again, without P2, and P4 at another minute");
    stage.show_class(B)
}

async fn second_slot(stage: &Stage) -> Result<(), Failure> {
    let cast = &stage.cast;
    let slot = &cast.slots[1];
    stage.at(minutes_after(slot, 1, 6)?).await?;
    let second = stage.player(SECOND).registro.teacher();
    second.mark_entry(&cast.class, stage.pupil(3), cast.date, slot.position, slot.start)?;
    let from = minutes_after(slot, 1, 4)?;
    let to = ClockTime::from_minutes((from.minutes() + 30).min(slot.end.minutes())).ok_or("a time")?;
    let kind = OutKind::InSchool;
    second.mark_out(&cast.class, stage.pupil(5), cast.date, slot.position, kind, Some(from), Some(to))?;
    stage.tell("second teacher: P3 came at the start of the hour, P5 is out of class for half an hour");
    stage.show_class(SECOND)?;
    let time = minutes_after(&cast.slots[0], 1, 3)?;
    let first_slot = cast.slots[0].position;
    stage.player(A).registro.teacher().mark_entry(
        &cast.class,
        stage.pupil(6),
        cast.date,
        first_slot,
        time,
    )?;
    stage.tell("tablet A: corrects a mistake, P6 was late, not absent");
    stage.show_class(A)
}

async fn end_of_the_assignment(stage: &Stage) -> Result<(), Failure> {
    let cast = &stage.cast;
    let ten = ClockTime::new(10, 0).ok_or("ten o'clock")?;
    stage.at(ten).await?;
    let office = &stage.player(OFFICE).registro;
    office.office().end_assignment(cast.third, &cast.class, cast.date).await?;
    stage.tell(&format!("office: ends the assignment of {} from today", stage.name(cast.third)));
    Ok(())
}

async fn third_teacher(stage: &Stage) -> Result<(), Failure> {
    let cast = &stage.cast;
    let slot = cast.slots.iter().find(|slot| slot.position == cast.third_slot).ok_or("the third slot")?;
    stage.at(minutes_after(slot, 1, 2)?).await?;
    let third = stage.player(THIRD).registro.teacher();
    let time = minutes_after(slot, 1, 2)?;
    let leaves = cast.pupils.len().min(8);
    third.mark_exit(&cast.class, stage.pupil(leaves), cast.date, slot.position, time, None)?;
    stage.tell(&format!("third teacher: an early exit of P{leaves}, offline; their assignment has ended"));
    stage.show_class(THIRD)?;
    stage.at(ClockTime::new(11, 0).ok_or("eleven")?).await?;
    stage.reconnect(THIRD, Weather::Clear).await?;
    for written in stage.player(THIRD).registro.written()? {
        if let DeliveryState::Refused { italian, .. } | DeliveryState::WithOffice { italian, .. } =
            written.delivery
        {
            stage.tell(&format!("third teacher reads: {italian}"));
        }
    }
    stage.show_class(THIRD)?;
    let kept = stage.player(OFFICE).registro.office().kept().await?;
    stage.tell(&format!("office sees what is kept for it: {} refused", kept.len()));
    Ok(())
}

async fn fourth_slot(stage: &Stage, data: &Path, backup: &Path) -> Result<(), Failure> {
    let cast = &stage.cast;
    let slot = &cast.slots[3];
    stage.at(minutes_after(slot, 1, 6)?).await?;
    let substitute = stage.player(SUBSTITUTE).registro.teacher();
    let left = vec![(stage.pupil(7), slot.start)];
    let roll = RollCall { absent: vec![stage.pupil(1)], late: vec![], left };
    substitute.call_roll(&cast.class, cast.date, slot.position, &roll)?;
    let name = stage.name(cast.substitute);
    stage.tell(&format!("substitute: {name} calls the roll blind, P1 is absent and P7 has left"));
    stage.show_class(SUBSTITUTE)?;
    stage.reconnect(SECOND, Weather::Stormy).await?;
    stage.tell("second teacher's tablet is back, through a link that drops, doubles and delays");
    stage.reconnect(B, Weather::Stormy).await?;
    stage.tell("tablet B is back");
    stage.show_class(B)?;
    stage.at(ClockTime::new(12, 0).ok_or("noon")?).await?;
    registro_hub::backup::backup(&data.join("hub.sqlite"), backup)?;
    stage.tell("hub: backup of noon");
    Ok(())
}

async fn reconnections(stage: &mut Stage) -> Result<(), Failure> {
    // Tablet A is killed between the hub's commit and the acknowledgement.
    let a = stage.players.remove(A);
    a.registro.suspend()?;
    let Player { label, registro, link, device, seed } = a;
    drop(registro);
    link.set(Weather::NoReply);
    let hub_url = stage.hub()?.url();
    let mut tablet = start_tablet(&device, &hub_url, &link.url, stage.clock.now())?;
    tokio::time::timeout(Duration::from_secs(60), link.reply_swallowed()).await?;
    tablet.kill().await?;
    stage.tell("tablet A: killed while the hub has committed and the answer is on its way");
    link.set(Weather::Clear);
    let registro = open(&device, &hub_url, &stage.clock, seed.wrapping_add(500))?;
    registro.set_hub(&link.url)?;
    stage.players.insert(A, Player { label, registro, link, device, seed });
    stage.reconnect(A, Weather::Stormy).await?;
    stage.tell("tablet A is started again; everything arrived once");
    stage.show_class(A)?;
    stage.reconnect(SUBSTITUTE, Weather::Stormy).await?;
    stage.tell("substitute's tablet is back");
    Ok(())
}

async fn afternoon(stage: &Stage) -> Result<(usize, usize), Failure> {
    let cast = &stage.cast;
    stage.at(ClockTime::new(15, 30).ok_or("afternoon")?).await?;
    let guardian = &stage.player(GUARDIAN).registro;
    guardian.sync().await?;
    let family = guardian.family();
    for child in family.children(cast.date)? {
        let open = family.absences(child.pupil, cast.date)?;
        let day = family.day(child.pupil, cast.date)?;
        let state = if day.absent { "absent today" } else { "nothing to report" };
        stage.tell(&format!("guardian is told once about {}: {state}", stage.called(child.pupil)));
        for absence in open.iter().filter(|absence| absence.state == RunState::Open) {
            family.justify(child.pupil, &absence.run, "family", None)?;
            stage.tell(&format!("guardian justifies {}", stage.called(child.pupil)));
        }
    }
    stage.reconnect(GUARDIAN, Weather::Stormy).await?;
    stage.show_family()?;

    let a = stage.player(A);
    a.registro.sync().await?;
    let teacher = a.registro.teacher();
    for pending in teacher.pending_justifications(&cast.class, cast.date)? {
        teacher.decide(&cast.class, &pending, None)?;
        stage.tell(&format!("first teacher approves the justification of {}", stage.called(pending.pupil)));
    }
    stage.show_class(A)?;
    let conflicts = teacher.conflicts(&cast.class, cast.date)?;
    for conflict in &conflicts {
        let says: Vec<_> = conflict.values.iter().map(|value| value.says.english.as_str()).collect();
        stage.tell(&format!(
            "first teacher sees a conflict about {}: {}",
            conflict.pupil.map_or_else(|| conflict.name.clone(), |pupil| stage.called(pupil)),
            says.join(" / ")
        ));
        let chosen: CommandId = conflict.values.first().ok_or("a value")?.v;
        teacher.resolve(&cast.class, conflict, chosen, cast.date)?;
    }
    let mut settled = std::collections::BTreeSet::new();
    for report in teacher.called_present(&cast.class, cast.date)? {
        let name = stage.called(report.pupil);
        stage.tell(&format!(
            "{name} was called present at slot {} by {}",
            report.slot,
            stage.name(report.author)
        ));
        if settled.insert(report.pupil) {
            teacher.settle_called_present(&cast.class, &report, cast.date, true)?;
            stage.tell(&format!("first teacher settles it: {name} was there"));
        }
    }
    stage.reconnect(A, Weather::Stormy).await?;
    let left = teacher.conflicts(&cast.class, cast.date)?.len();
    let reports = teacher.called_present(&cast.class, cast.date)?.len();
    stage.tell(&format!("{left} conflicts and {reports} reports are left"));
    Ok((conflicts.len(), conflicts.len().saturating_sub(left)))
}

async fn night(stage: &mut Stage, data: &Path, backup: &Path) -> Result<(), Failure> {
    for index in 0..stage.players.len() {
        stage.reconnect(index, Weather::Clear).await?;
    }
    stage.at(ClockTime::new(23, 0).ok_or("night")?).await?;
    let address = stage.hub()?.address;
    stage.stop_hub().await?;
    let mut random = SystemRandomness::new();
    let key = KeyFile::in_directory(data).school_key(&mut random)?;
    let database = data.join("hub.sqlite");
    registro_hub::backup::restore(backup, &database, &TableRegistry::default(), &key, stage.clock.now())?;
    let hub = HubProcess::start(data, stage.clock.now(), address).await?;
    for player in &stage.players {
        player.link.moved(hub.address);
    }
    stage.hub = Some(hub);
    stage.tell("hub: stopped, and restored from its backup of noon");
    // What one device brings back another one may need: twice round.
    for _ in 0..2 {
        for index in 0..stage.players.len() {
            stage.reconnect(index, Weather::Clear).await?;
        }
    }
    stage.tell("the devices brought back what the backup lacked; all see the same");
    stage.show_class(A)?;
    stage.show_class(SECOND)?;
    stage.show_class(COORDINATOR)?;
    stage.show_family()
}
