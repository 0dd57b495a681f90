//! The document `School`: calendar, bell, terms, subjects, settings, staff.

use std::collections::BTreeMap;

use registro_documents::{Kind, Scalar, Subject};
use registro_model::DocumentId;
use registro_model::school::{
    AttendanceMode, DayStatus, Evaluation, JustificationKind, School, Settings, SubjectKind,
};

use super::facts::{HubFact, Wanted, fact};
use crate::documents::Catalogue;
use crate::registry::Registered;

/// Most role spans of a member of staff that a fact holds; the latest are kept.
const MAX_ROLES: usize = 6;

pub(super) fn add(
    registered: &Registered,
    catalogue: &Catalogue,
    all: &mut BTreeMap<DocumentId, Vec<HubFact>>,
) {
    let Some(id) = catalogue.find(Kind::School, &Subject::School) else { return };
    let school = &registered.school;
    let mut wanted = Wanted::default();
    add_calendar(school, &mut wanted);
    add_settings(school, &mut wanted);
    for (code, class) in &registered.directory.classes {
        let class =
            fact().with("site", class.site.as_str()).with("weekly_hours", i64::from(class.weekly_hours));
        wanted.put("settings", format!("class/{code}"), class);
    }
    for (person, member) in &registered.directory.staff {
        let mut roles = member.roles.clone();
        roles.sort_by_key(|(role, span)| (span.from, *role));
        let skipped = roles.len().saturating_sub(MAX_ROLES);
        let mut of_person = fact().with("name", member.name.as_str());
        for (n, (role, span)) in roles.iter().skip(skipped).enumerate() {
            let mut entries = vec![
                ("role".to_owned(), Scalar::from(role.as_str())),
                ("from".to_owned(), Scalar::from(span.from)),
            ];
            entries.extend(span.to.map(|to| ("to".to_owned(), Scalar::from(to))));
            of_person = of_person.with_map(&format!("r{}", n + 1), entries);
        }
        wanted.put("people", person.to_string(), of_person);
    }
    all.insert(id, wanted.into_facts());
}

fn add_calendar(school: &School, wanted: &mut Wanted) {
    for day in &school.closed_days {
        let status = match day.status {
            DayStatus::Lesson => continue,
            DayStatus::NoLesson => "ND",
            DayStatus::Holiday => "HD",
            DayStatus::NonWorking => "NW",
        };
        let key = match &day.site {
            Some(site) => format!("{}/{site}", day.date),
            None => day.date.to_string(),
        };
        // A national day wins over every other status of the same day.
        let stays = wanted.get("calendar", &key).is_some_and(|held| held.text("status") == Some("NW"));
        if !stays {
            wanted.put("calendar", key, fact().with("status", status));
        }
    }
    for slot in &school.slots {
        let of_slot = fact()
            .with("start", slot.start)
            .with("end", slot.end)
            .with("half_units", i64::from(slot.half_units));
        wanted.put("slots", format!("{}/{}#{}", slot.site, slot.weekday, slot.position), of_slot);
    }
    for term in &school.terms {
        let of_term = fact()
            .with("position", i64::from(term.position))
            .with("label", term.label.as_str())
            .with("start", term.start)
            .with("end", term.end)
            .with("final", term.is_final);
        wanted.put("terms", term.code.as_str(), of_term);
    }
    for subject in &school.subjects {
        let kind = match subject.kind {
            SubjectKind::Normal => "normal",
            SubjectKind::Religion => "religion",
            SubjectKind::LearningSupport => "support",
            SubjectKind::Behaviour => "behaviour",
            SubjectKind::Civics => "civics",
            SubjectKind::Substitution => "substitution",
        };
        let evaluation = match subject.evaluation {
            Evaluation::Numeric => "numeric",
            Evaluation::Judgement => "judgement",
            Evaluation::None => "none",
        };
        let of_subject = fact()
            .with("name", subject.name.as_str())
            .with("short", subject.short_name.as_str())
            .with("kind", kind)
            .with("evaluation", evaluation)
            .with("in_mean", subject.in_mean)
            .with("order", i64::from(subject.order));
        wanted.put("subjects", subject.code.as_str(), of_subject);
    }
}

fn add_settings(school: &School, wanted: &mut Wanted) {
    let year = &school.year;
    let of_school = fact()
        .with("code", school.code.as_str())
        .with("name", school.name.as_str())
        .with("year", year.label.as_str())
        .with("start", year.start)
        .with("end", year.end)
        .with("lessons_from", year.lessons_from)
        .with("lessons_to", year.lessons_to);
    wanted.put("settings", "school", of_school);
    for site in &school.sites {
        wanted.put("settings", format!("site/{}", site.code), fact().with("name", site.name.as_str()));
    }
    let settings: &Settings = &school.settings;
    let kinds: Vec<_> = settings.justify_kinds.iter().copied().map(JustificationKind::as_str).collect();
    let days: Vec<_> = settings.weekly_closed_days.iter().map(u8::to_string).collect();
    let of_settings = fact()
        .with(
            "attendance_mode",
            match settings.attendance_mode {
                AttendanceMode::Day => "day",
                AttendanceMode::Slot => "slot",
            },
        )
        .with("short_late_min", i64::from(settings.short_late_min))
        .with("justify_guardian", settings.justify_guardian)
        .with("justify_adult_pupil", settings.justify_adult_pupil)
        .with("justify_kinds", kinds.join(","))
        .with("justify_reasons", settings.justify_reasons.join(","))
        .with("year_weeks", i64::from(settings.year_weeks))
        .with("absence_warn_pct", i64::from(settings.absence_warn_pct))
        .with("absence_danger_pct", i64::from(settings.absence_danger_pct))
        .with("late_push_days", i64::from(settings.late_push_days))
        .with("weekly_closed_days", days.join(","));
    wanted.put("settings", "settings", of_settings);
}
