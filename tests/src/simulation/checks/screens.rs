//! What apps show. A parent's phone and a teacher's tablet read different documents; of the same child they show the
//! same days and absences with their justifications.

use std::collections::BTreeMap;

use registro::{OpenOptions, Registro};
use registro_documents::Kind;
use registro_hub::clock::day_in_italy;
use registro_model::PersonId;
use registro_model::school::AttendanceMode;

use crate::miniature::{MOVED, P1, P2, day};
use crate::simulation::{Tablet, Violation, broken};

/// Days on which something may have been written.
const DAYS: [&str; 4] = ["2026-11-20", "2026-11-23", "2026-11-24", "2026-11-30"];

/// What a screen says, by child and by what it is about, with the device that said so first.
pub(super) type Screens = BTreeMap<(PersonId, String), (usize, String)>;

/// Opens the app on a device's store and compares what it shows of each child with what others showed.
pub(super) fn agree(
    index: usize,
    tablet: &mut Tablet,
    now: i64,
    screens: &mut Screens,
) -> Result<usize, Violation> {
    let today = day_in_italy(now);
    let last = DAYS.iter().map(|text| day(text)).max().unwrap_or(today).max(today);
    // Per hour, who was not written down was there if the roll was called; and of a class that was left, a roll that
    // arrives after the last day is not sent any more (PROTOCOL §9). Such a day may show otherwise at home.
    let left = tablet.device()?.documents().any(|h| h.identity.kind == Kind::ClassMonth && h.until.is_some());
    let in_doubt = left && tablet.mode == AttendanceMode::Slot;
    tablet.as_app(|registro| {
        let mut compared = 0;
        for pupil in [P1, P2, MOVED].into_iter().filter(|pupil| *pupil != P1 || !in_doubt) {
            let family = registro.family();
            for date in DAYS.map(day) {
                // Who may not read the record has nothing to compare.
                let Ok(shown) = family.day(pupil, date) else { continue };
                compared += said(screens, index, pupil, format!("day {date}"), format!("{shown:?}"))?;
            }
            let Ok(absences) = family.absences(pupil, last) else { continue };
            compared += said(screens, index, pupil, "absences".to_owned(), format!("{absences:?}"))?;
        }
        Ok(compared)
    })
}

fn said(
    screens: &mut Screens,
    index: usize,
    pupil: PersonId,
    what: String,
    shown: String,
) -> Result<usize, Violation> {
    let (first, expected) = screens.entry((pupil, what.clone())).or_insert_with(|| (index, shown.clone()));
    if *expected != shown {
        return Err(format!(
            "{what} of {pupil}\ndevice {first} shows {expected}\ndevice {index} shows {shown}"
        ));
    }
    Ok(1)
}

impl Tablet {
    /// Opens the app itself on this device's store, without a connection, and goes on as a device afterwards.
    fn as_app<T>(&mut self, work: impl FnOnce(&Registro) -> Result<T, Violation>) -> Result<T, Violation> {
        self.close()?;
        let (folder, vault) = self.store();
        // Nobody listens there.
        let options = OpenOptions::for_development(folder, "http://127.0.0.1:9");
        let app = Registro::open(options, vault).map_err(|e| broken("the app does not open")(&e))?;
        let done = work(&app);
        app.suspend().map_err(|e| broken("the app does not close")(&e))?;
        drop(app);
        self.crash()?;
        done
    }
}
