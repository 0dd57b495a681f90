//! A pupil's record as staff and family read it: classes by date, days, justifications, decisions.

use std::collections::BTreeSet;

use registro_documents::merge::{KeyDecision, Shown};
use registro_documents::policy::Reason;
use registro_documents::view::ViewPart;
use registro_documents::{Kind, Subject};
use registro_model::directory::Directory;
use registro_model::ids::SiteCode;
use registro_model::justification::{Decision, Justification, Run, absence_runs};
use registro_model::school::{AttendanceMode, JustificationKind, School};
use registro_model::time::{Span, parse_date};
use registro_model::{ClassCode, CommandId, Date, DocumentId, PersonId};
use registro_sync::device::Device;

use crate::attendance::{PupilDay, pupil_day};
use crate::error::Error;
use crate::provenance::Provenance;
use crate::read::{self, Held, month_of};
use crate::rolls;

/// A justification as a screen shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JustificationView {
    /// What it justifies, and when.
    pub justification: Justification,
    /// Its reason: a code of the school's list.
    pub reason: String,
    /// What its author added.
    pub text: Option<String>,
    /// Who collects the pupil, where it says so.
    pub collected_by: Option<String>,
    /// Who wrote it, on which device, when.
    pub provenance: Provenance,
}

/// A decision about a justification as a screen shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionView {
    /// What was decided.
    pub decision: Decision,
    /// Who decided, on which device, when.
    pub provenance: Provenance,
}

/// A pupil's record that is on this device.
pub(crate) struct Record {
    pub pupil: PersonId,
    pub document: DocumentId,
    pub profile: ViewPart,
    classes: Vec<(ClassCode, SiteCode, Span)>,
}

impl Record {
    /// The pupil's record.
    ///
    /// # Errors
    /// `NotFound` if it is not on this device, or not yet: what is not there is unknown, not "present".
    pub fn of(device: &Device, pupil: PersonId) -> Result<Self, Error> {
        match read::held(device, Kind::PupilRecord, &Subject::Person(pupil)) {
            Held::Here(document) => Self::read(device, pupil, document),
            Held::Wanted | Held::Unreadable => Err(Error::not_found("record")),
        }
    }

    /// A record that is on this device.
    pub fn read(device: &Device, pupil: PersonId, document: DocumentId) -> Result<Self, Error> {
        let profile = device.part(document, "profile")?;
        let classes = profile
            .keys
            .iter()
            .filter_map(|(key, decision)| {
                let from = parse_date(key.strip_prefix("class/")?).ok()?;
                let fact = &decision.live()?.fact;
                let span = Span { from, to: fact.date("to") };
                Some((fact.text("class")?.parse().ok()?, fact.text("site")?.parse().ok()?, span))
            })
            .collect();
        Ok(Self { pupil, document, profile, classes })
    }

    /// The pupil's class and its site on a day.
    pub fn class_on(&self, date: Date) -> Option<(&ClassCode, &SiteCode)> {
        self.classes.iter().find(|(_, _, span)| span.contains(date)).map(|(class, site, _)| (class, site))
    }

    /// A fact of the profile with a span of days, as it holds on a day: its key `<name>/<from>` and the fact.
    pub fn profile_on(&self, name: &str, date: Date) -> Option<(&str, &Shown)> {
        self.profile.keys.iter().find_map(|(key, decision)| {
            let from = parse_date(key.strip_prefix(name)?.strip_prefix('/')?).ok()?;
            let shown = decision.live()?;
            Span { from, to: shown.fact.date("to") }.contains(date).then_some((key.as_str(), shown))
        })
    }

    /// A day, from what is on this device.
    ///
    /// # Errors
    /// `NotAllowed` if the pupil is in no class on that day: that is not "present" either.
    pub fn day(&self, device: &mut Device, school: &School, date: Date) -> Result<PupilDay, Error> {
        let (class, site) = self.class_on(date).ok_or_else(|| Error::refused(Reason::NotEnrolled))?;
        let keys = device.part(self.document, &format!("attendance/{}", month_of(date)))?.keys;
        // Day mode says everything in the record.
        let called = match school.settings.attendance_mode {
            AttendanceMode::Day => BTreeSet::new(),
            AttendanceMode::Slot => rolls::slots_that_called(device, class, date, self)?,
        };
        let directory: &Directory = device.directory()?.0;
        Ok(pupil_day(school, directory, site, date, &keys, &called))
    }

    /// The days between two of which something is entered, in order.
    pub fn days(
        &self,
        device: &mut Device,
        school: &School,
        from: Date,
        until: Date,
    ) -> Result<Vec<(Date, PupilDay)>, Error> {
        let mut days = Vec::new();
        let mut month = from.max(school.year.start);
        while month_of(month) <= month_of(until) {
            let keys = device.part(self.document, &format!("attendance/{}", month_of(month)))?.keys;
            let dates: BTreeSet<Date> = keys
                .keys()
                .filter_map(|key| parse_date(key.get(..10)?).ok())
                .filter(|date| from <= *date && *date <= until)
                .collect();
            for date in dates {
                if self.class_on(date).is_some() {
                    days.push((date, self.day(device, school, date)?));
                }
            }
            let Some(next) = month.checked_add_months(chrono::Months::new(1)) else { break };
            month = next;
        }
        Ok(days)
    }

    /// What is to be justified in those days, oldest first: runs of absence (A6), single lates and exits.
    pub fn runs(&self, school: &School, days: &[(Date, PupilDay)]) -> Vec<Run> {
        let mut absent = BTreeSet::new();
        let mut runs = Vec::new();
        let mut site = None;
        for (date, day) in days {
            site = self.class_on(*date).map(|(_, site)| site).or(site);
            if day.absent {
                absent.insert(*date);
            }
            // A short late needs no justification (A3).
            if day.late && !day.short_late {
                runs.push(Run { kind: JustificationKind::Entry, days: vec![*date] });
            }
            if day.left_early {
                runs.push(Run { kind: JustificationKind::Exit, days: vec![*date] });
            }
        }
        runs.extend(site.map(|site| absence_runs(school, site, &absent)).unwrap_or_default());
        runs.sort_by_key(|run| (run.from(), run.kind));
        runs
    }

    /// Position in the hub's log at which the pupil's enrolment of a day was first known: a later version of the
    /// fact says no more than how it ended.
    pub fn enrolled_at(&self, device: &mut Device, date: Date) -> Result<Option<(Shown, u64)>, Error> {
        let Some((key, shown)) = self.profile_on("class", date) else { return Ok(None) };
        let (key, shown) = (key.to_owned(), shown.clone());
        let held = device.held(self.document)?;
        let first = held
            .document()
            .changes_in_order()
            .filter(|hash| {
                held.document().keys_written_by(hash).iter().any(|(s, k)| s == "profile" && *k == key)
            })
            .filter_map(|hash| held.record(&hash.0).map(|record| record.position))
            .min();
        Ok(first.map(|position| (shown, position)))
    }
}

/// Live justifications of a record.
pub(crate) fn justifications_of(
    device: &Device,
    record: DocumentId,
) -> Result<Vec<(Justification, Shown)>, Error> {
    Ok(device
        .part(record, "justifications")?
        .keys
        .iter()
        .filter_map(|(key, decision)| {
            let shown = decision.live()?;
            let mut pieces = key.split('/');
            let kind = kind_named(pieces.next()?)?;
            let from = parse_date(pieces.next()?).ok()?;
            let to = shown.fact.date("to")?;
            Some((Justification { key: key.clone(), v: shown.fact.v, kind, from, to }, shown.clone()))
        })
        .collect())
}

/// Live decisions of a record, with their keys.
pub(crate) fn decisions_of(
    device: &Device,
    record: DocumentId,
) -> Result<Vec<(Decision, String, Shown)>, Error> {
    Ok(device
        .part(record, "decisions")?
        .keys
        .iter()
        .filter_map(|(key, decision)| Some((key, decision.live()?)))
        .filter_map(|(key, shown)| {
            let fact = &shown.fact;
            let decision = Decision {
                key: fact.text("key")?.to_owned(),
                of: CommandId::try_from(fact.bytes("of")?).ok()?,
                kind: kind_named(fact.text("kind")?)?,
                from: fact.date("from")?,
                to: fact.date("to")?,
                approved: fact.bool("approved")?,
                why: fact.text("why").map(str::to_owned),
            };
            Some((decision, key.clone(), shown.clone()))
        })
        .collect())
}

impl JustificationView {
    pub(crate) fn new(
        justification: Justification,
        shown: &Shown,
        directory: &Directory,
        school: &School,
    ) -> Self {
        let text = |name: &str| shown.fact.text(name).map(str::to_owned);
        Self {
            reason: text("reason").unwrap_or_default(),
            text: text("text"),
            collected_by: text("collected_by"),
            provenance: Provenance::of(&justification.key, shown, directory, school),
            justification,
        }
    }
}

impl DecisionView {
    pub(crate) fn new(
        decision: Decision,
        key: &str,
        shown: &Shown,
        directory: &Directory,
        school: &School,
    ) -> Self {
        Self { decision, provenance: Provenance::of(key, shown, directory, school) }
    }
}

fn kind_named(name: &str) -> Option<JustificationKind> {
    use JustificationKind::{Absence, Entry, Exit, Permit};
    [Absence, Entry, Exit, Permit].into_iter().find(|kind| kind.as_str() == name)
}

/// The live decisions of a list that has more than them.
pub(crate) fn only_decisions(decisions: &[(Decision, String, Shown)]) -> Vec<Decision> {
    decisions.iter().map(|(decision, _, _)| decision.clone()).collect()
}

/// The live facts of a profile under a prefix.
pub(crate) fn profile_facts<'a>(
    record: &'a Record,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a str, &'a Shown)> {
    record
        .profile
        .keys
        .iter()
        .filter_map(move |(key, decision)| Some((key.strip_prefix(prefix)?, KeyDecision::live(decision)?)))
}
