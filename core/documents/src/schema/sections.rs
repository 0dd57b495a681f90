//! The table of sections that this version writes.

use super::FieldType::{Bool, Bytes, CommandIds, Date, Int, Map, People, Text, Time, Word};
use super::{FieldSpec, FieldType, SectionSchema};
use crate::kind::Kind;

const fn must(name: &'static str, field_type: FieldType) -> FieldSpec {
    FieldSpec { name, field_type, required: true }
}

const fn may(name: &'static str, field_type: FieldType) -> FieldSpec {
    FieldSpec { name, field_type, required: false }
}

const ID: FieldType = Bytes(16);
const SLOT: FieldType = Int(1, 20);
const NAME: FieldType = Text(200);
const CODE: FieldType = Text(24);

macro_rules! schema {
    ($($key:literal => [$($field:expr),* $(,)?]),* $(,)?) => {{
        const SCHEMA: SectionSchema = SectionSchema { forms: &[$(($key, &[$($field),*])),*] };
        Some(&SCHEMA)
    }};
}

const ROLE: FieldType = Map(&[
    must("role", Word(&["head", "office", "teacher", "support"])),
    must("from", Date),
    may("to", Date),
]);

/// What may be written in a section; `None` if this version writes nothing there.
pub fn section(kind: Kind, section: &str) -> Option<&'static SectionSchema> {
    match (kind, section) {
        (Kind::School, "calendar") => schema! {
            "{date}" => [must("status", Word(&["ND", "HD", "NW"]))],
            "{date}/{code}" => [must("status", Word(&["ND", "HD", "NW"]))],
        },
        (Kind::School, "slots") => schema! {
            "{code}/{weekday}#{slot}" => [must("start", Time), must("end", Time), must("half_units", Int(1, 8))],
        },
        (Kind::School, "terms") => schema! {
            "{code}" => [
                must("position", Int(1, 12)),
                must("label", NAME),
                must("start", Date),
                must("end", Date),
                must("final", Bool),
            ],
        },
        (Kind::School, "subjects") => schema! {
            "{code}" => [
                must("name", NAME),
                must("short", NAME),
                must("kind", Word(&["normal", "religion", "support", "behaviour", "civics", "substitution"])),
                must("evaluation", Word(&["numeric", "judgement", "none"])),
                must("in_mean", Bool),
                must("order", Int(0, 9_999)),
            ],
        },
        (Kind::School, "settings") => schema! {
            "school" => [
                must("code", CODE),
                must("name", NAME),
                must("year", Text(20)),
                must("start", Date),
                must("end", Date),
                must("lessons_from", Date),
                must("lessons_to", Date),
            ],
            "site/{code}" => [must("name", NAME)],
            "class/{code}" => [must("site", CODE), must("weekly_hours", Int(0, 60))],
            "settings" => [
                must("attendance_mode", Word(&["day", "slot"])),
                must("short_late_min", Int(0, 60)),
                must("justify_guardian", Bool),
                must("justify_adult_pupil", Bool),
                must("justify_kinds", Text(100)),
                must("justify_reasons", Text(1_000)),
                must("year_weeks", Int(30, 36)),
                must("absence_warn_pct", Int(1, 100)),
                must("absence_danger_pct", Int(1, 100)),
                must("late_push_days", Int(0, 60)),
                must("weekly_closed_days", Text(20)),
            ],
        },
        (Kind::School, "people") => schema! {
            "{person}" => [
                must("name", NAME),
                may("r1", ROLE),
                may("r2", ROLE),
                may("r3", ROLE),
                may("r4", ROLE),
                may("r5", ROLE),
                may("r6", ROLE),
            ],
        },
        (Kind::ClassBook, "timetable") => schema! {
            "{weekday}#{slot}/{code}" => [must("room", Text(40)), must("teachers", People(6))],
            "{weekday}#{slot}/{code}/{code}" => [must("room", Text(40)), must("teachers", People(6))],
        },
        (Kind::ClassMonth, "rolls") => schema! {
            "{date}#{slot}/{person}" => [must("seen", Map(&[
                must("position", Int(0, i64::MAX)),
                must("chain", Bytes(32)),
                must("commands", CommandIds(64)),
            ]))],
        },
        (Kind::ClassMonth, "lessons") => schema! {
            "{date}#{slot}/{person}" => [
                must("subject", CODE),
                must("kind", Word(&["lesson", "co-teaching", "support", "substitution"])),
                may("group", CODE),
            ],
        },
        (Kind::ClassMonth, "topics") => schema! {
            "{date}#{slot}/{person}" => [must("topic", Text(4_000))],
        },
        (Kind::ClassRoster, "pupils") => schema! { "{person}" => [must("name", NAME), must("record", ID)] },
        (Kind::ClassRoster, "months") => schema! { "{month}" => [must("document", ID)] },
        (Kind::ClassRoster, "enrolments") => schema! { "{person}/{date}" => [may("to", Date)] },
        (Kind::ClassRoster, "groups") => schema! { "{code}/{person}/{date}" => [may("to", Date)] },
        (Kind::ClassRoster, "assignments") => schema! {
            "{hex}" => [
                must("teacher", ID),
                may("subject", CODE),
                must("kind", Word(&["normal", "lab", "extra", "alternative", "coordinator"])),
                may("group", CODE),
                must("from", Date),
                may("to", Date),
                may("supplies", ID),
            ],
        },
        (Kind::PupilRecord, "profile") => schema! {
            "name" => [must("name", NAME), may("born", Date)],
            "class/{date}" => [must("class", CODE), must("site", CODE), may("to", Date)],
            "group/{code}/{date}" => [may("to", Date)],
            "religion/{date}" => [must("choice", Word(&["S", "U", "I", "D", "A"])), may("to", Date)],
            "hours/{date}" => [must("annual", Int(0, 3_000)), may("to", Date)],
            "previous" => [must("hours", Int(0, 3_000))],
            "waiver/{hex}" => [must("reason", Text(1_000))],
        },
        (Kind::PupilRecord, "attendance") => schema! {
            "{date}/absence" => [must("slot", SLOT), may("settles", CommandIds(16))],
            "{date}/entry" => [must("slot", SLOT), must("time", Time)],
            "{date}/exit" => [must("slot", SLOT), must("time", Time), may("collected_by", NAME)],
            "{date}/out/{hex}" => [
                must("slot", SLOT),
                must("kind", Word(&["placement", "mobility", "in-school", "external"])),
                may("from", Time),
                may("to", Time),
            ],
            "{date}#{slot}" => [
                may("settles", CommandIds(16)),
                must("status", Word(&["present", "absent", "out"])),
                may("kind", Word(&["placement", "mobility", "in-school", "external"])),
                may("from", Time),
                may("to", Time),
                may("entry", Time),
                may("exit", Time),
                may("collected_by", NAME),
                may("why", Text(500)),
            ],
        },
        (Kind::PupilRecord, "justifications") => schema! {
            "absence/{date}/{hex}" => [must("to", Date), must("reason", Text(40)), may("text", Text(1_000))],
            "entry/{date}/{hex}" => [must("to", Date), must("reason", Text(40)), may("text", Text(1_000))],
            "exit/{date}/{hex}" => [
                must("to", Date),
                must("reason", Text(40)),
                may("text", Text(1_000)),
                may("collected_by", NAME),
            ],
            "permit/{date}/{hex}" => [
                must("to", Date),
                must("reason", Text(40)),
                may("text", Text(1_000)),
                may("time", Time),
                may("collected_by", NAME),
            ],
        },
        (Kind::PupilRecord, "decisions") => schema! {
            "{hex}" => [
                must("kind", Word(&["absence", "entry", "exit", "permit"])),
                must("reason", Text(40)),
                must("of", Bytes(8)),
                must("key", Text(60)),
                must("from", Date),
                must("to", Date),
                must("approved", Bool),
                may("why", Text(1_000)),
            ],
        },
        (Kind::PupilGuardians, "guardians") => schema! {
            "{person}/{date}" => [must("name", NAME), must("rights", Word(&["complete", "sees", "none"])), may("to", Date)],
        },
        (Kind::PupilReserve, "supported") => schema! { "{person}/{date}" => [may("to", Date)] },
        _ => None,
    }
}
