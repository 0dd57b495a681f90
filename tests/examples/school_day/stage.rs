//! The devices, the hub and the clock of the day, and what each person sees.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use registro::{DeliveryState, LoginSetup, OpenOptions, Registro};
use registro_model::justification::RunState;
use registro_model::{ClockTime, PersonId};
use registro_store::FileVault;
use registro_tests::clock::{SeededEnvironment, SharedClock};
use registro_tests::link::{Link, Weather};
use registro_tests::platform::{FileKeys, FileSecrets, LoginClock};

use crate::cast::Cast;
use crate::logins::Logins;
use crate::processes::{Failure, HubProcess};

/// A device of the story.
pub struct Player {
    pub label: &'static str,
    pub registro: Registro,
    pub link: Link,
    pub device: PathBuf,
    pub seed: u64,
}

/// Order of the devices.
pub const LABELS: [&str; 8] = [
    "tablet A",
    "tablet B",
    "second teacher",
    "third teacher",
    "coordinator",
    "office",
    "guardian",
    "substitute",
];
pub const A: usize = 0;
pub const B: usize = 1;
pub const SECOND: usize = 2;
pub const THIRD: usize = 3;
pub const COORDINATOR: usize = 4;
pub const OFFICE: usize = 5;
pub const GUARDIAN: usize = 6;
pub const SUBSTITUTE: usize = 7;

/// The devices and the hub, and how late it is.
pub struct Stage {
    pub cast: Cast,
    pub hub: Option<HubProcess>,
    pub logins: Logins,
    pub clock: SharedClock,
    pub midnight: i64,
    pub players: Vec<Player>,
    pub names: BTreeMap<PersonId, String>,
}

/// Opens a device: its store, and what its platform keeps.
pub fn open(device: &Path, hub: &str, clock: &SharedClock, seed: u64) -> Result<Registro, Failure> {
    let mut options = OpenOptions::for_development(device.join("store"), hub);
    options.environment = Some(Box::new(SeededEnvironment::new(clock.clone(), seed)));
    let keys = Arc::new(FileKeys::new(&device.join("platform-keys"))?);
    let secrets = Arc::new(FileSecrets::new(&device.join("platform-secrets"))?);
    let mut login = LoginSetup::new(keys, secrets);
    login.environment = Some(Arc::new(LoginClock(clock.clone())));
    options.login = Some(login);
    Ok(Registro::open(options, &FileVault::new(device.join("vault")))?)
}

impl Stage {
    pub fn hub(&self) -> Result<&HubProcess, Failure> {
        self.hub.as_ref().ok_or_else(|| "the hub does not run".into())
    }

    pub async fn stop_hub(&mut self) -> Result<(), Failure> {
        match self.hub.take() {
            Some(hub) => hub.stop().await,
            None => Ok(()),
        }
    }

    /// Sets all clocks to a time of the day.
    pub async fn at(&self, time: ClockTime) -> Result<(), Failure> {
        let now = self.midnight + i64::from(time.minutes()) * 60_000;
        if now > self.clock.now() {
            self.clock.set(now);
            self.hub()?.set_clock(now).await?;
        }
        Ok(())
    }

    pub fn tell(&self, what: &str) {
        let minutes = (self.clock.now() - self.midnight).div_euclid(60_000);
        println!("{:02}:{:02}  {what}", minutes / 60, minutes % 60);
    }

    pub fn name(&self, person: PersonId) -> String {
        self.names.get(&person).cloned().unwrap_or_else(|| "somebody".to_owned())
    }

    pub fn pupil(&self, number: usize) -> PersonId {
        self.cast.pupils.get(number - 1).copied().unwrap_or(self.cast.guardian)
    }

    pub fn player(&self, index: usize) -> &Player {
        &self.players[index]
    }

    /// A pupil as the story names them, if it does: `P1 Rossi Anna`.
    pub fn called(&self, pupil: PersonId) -> String {
        let name = self.name(pupil);
        match self.cast.pupils.iter().take(8).position(|other| *other == pupil) {
            Some(index) => format!("P{} {name}", index + 1),
            None => name,
        }
    }

    /// Prints what the family sees of its children.
    pub fn show_family(&self) -> Result<(), Failure> {
        let family = self.player(GUARDIAN).registro.family();
        println!("         guardian sees");
        for child in family.children(self.cast.date)? {
            let states: Vec<_> = family
                .absences(child.pupil, self.cast.date)?
                .iter()
                .map(|absence| {
                    let state = match &absence.state {
                        RunState::Open => "to be justified".to_owned(),
                        RunState::Requested { .. } => "justified, not decided yet".to_owned(),
                        RunState::Approved => "justified and approved".to_owned(),
                        RunState::Rejected { why } => format!("rejected: {why}"),
                    };
                    format!("{} {state}", absence.run.kind.as_str())
                })
                .collect();
            let hours = family.hours(child.pupil, self.cast.date)?;
            let states = if states.is_empty() { "present".to_owned() } else { states.join(", ") };
            println!(
                "           {}: {states}; hours of absence: {} of at most {}",
                self.called(child.pupil),
                hours.absence,
                hours.most_absence
            );
        }
        Ok(())
    }

    /// Prints what a teacher sees of the class.
    pub fn show_class(&self, index: usize) -> Result<(), Failure> {
        let player = self.player(index);
        let view = player.registro.teacher().class_view(&self.cast.class, self.cast.date)?;
        let mut lines = Vec::new();
        for row in &view.pupils {
            let Some(day) = &row.day else { continue };
            let mut words = Vec::new();
            if day.absent {
                words.push("absent".to_owned());
            }
            if !day.absent_slots.is_empty() && !day.absent {
                words.push(format!("absent in slots {:?}", day.absent_slots));
            }
            if day.late {
                words.push(day.entry.map_or("late".to_owned(), |time| format!("in at {time}")));
            }
            if day.left_early {
                words.push(day.exit.map_or("left".to_owned(), |time| format!("out at {time}")));
            }
            words.extend(day.outs.iter().map(|out| format!("out of class ({})", out.kind)));
            if !day.conflicts.is_empty() {
                words.push("CONFLICT".to_owned());
            }
            if day.pending {
                words.push("(not sent yet)".to_owned());
            }
            if !words.is_empty() {
                lines.push(format!("{}: {}", self.called(row.pupil), words.join(", ")));
            }
        }
        let rolls: Vec<_> = view.rolls.iter().map(|roll| roll.slot).collect();
        let readable = view.pupils.iter().filter(|row| row.day.is_some()).count();
        let records = if readable == view.pupils.len() { "" } else { " by name only" };
        println!(
            "         {} sees {} pupils{records}, rolls in slots {rolls:?}, {} lessons signed",
            player.label,
            view.pupils.len(),
            view.lessons.len()
        );
        for line in lines {
            println!("           {line}");
        }
        Ok(())
    }

    /// Syncs through whatever weather there is, until everything went through.
    pub async fn reconnect(&self, index: usize, weather: Weather) -> Result<(), Failure> {
        let player = self.player(index);
        player.link.set(weather);
        for _ in 0..200 {
            let synced = player.registro.sync().await;
            let waiting = player.registro.written()?.iter().any(|w| w.delivery == DeliveryState::Pending);
            match synced {
                Ok(_) if !waiting => break,
                Ok(_) => {}
                Err(error) if error.kind == registro::ErrorKind::Offline => {}
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        player.link.set(Weather::Clear);
        player.registro.sync().await?;
        Ok(())
    }
}
