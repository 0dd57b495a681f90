//! What holds for every question.

use proptest::prelude::*;
use registro_model::{Capacity, ClassCode, CommandId};

use super::cast::*;
use crate::fact::Fact;
use crate::identity::Subject;
use crate::kind::{Kind, SPARES};
use crate::policy::office::destination;
use crate::policy::{Answer, event_date, standing};

fn subject() -> impl Strategy<Value = Subject> {
    let class =
        || prop_oneof![Just("2B"), Just("5A"), Just("9Z")].prop_map(|code| ClassCode::new(code).unwrap());
    let month = prop_oneof![Just("2026-11"), Just("2026-10"), Just("2027-02"), Just(""), Just("è")];
    prop_oneof![
        1 => Just(Subject::School),
        1 => class().prop_map(Subject::Class),
        4 => (class(), month).prop_map(|(class, month)| Subject::Month(class, month.into())),
        1 => class().prop_map(|class| Subject::Term(class, "P".into())),
        6 => proptest::sample::select(&EVERYBODY[..]).prop_map(Subject::Person),
    ]
}

const DAYS: [&str; 9] = [
    "2026-11-23",
    "2026-10-10",
    "2026-11-22",
    "2026-12-08",
    "2027-02-01",
    "2027-02-28",
    "2026-09-05",
    "2030-01-01",
    "2026-11-24",
];

fn key() -> impl Strategy<Value = String> {
    let day = || proptest::sample::select(&DAYS[..]);
    let person = || proptest::sample::select(&EVERYBODY[..]);
    let kind = proptest::sample::select(&["absence", "entry", "exit", "permit", "", "è"][..]);
    prop_oneof![
        day().prop_map(|day| format!("{day}/absence")),
        day().prop_map(|day| format!("{day}#2")),
        (day(), person()).prop_map(|(day, person)| format!("{day}#1/{person}")),
        (kind, day()).prop_map(|(kind, day)| format!("{kind}/{day}/0011223344556677")),
        "\\PC{0,20}",
        "[0-9#/-]{0,14}",
    ]
}

fn fact() -> impl Strategy<Value = Fact> {
    let day = || proptest::option::of(proptest::sample::select(&DAYS[..]));
    let capacity = proptest::sample::select(&Capacity::ALL[..]);
    (capacity, day(), day(), proptest::option::of(any::<i64>()), proptest::option::of("\\PC{0,8}")).prop_map(
        |(capacity, from, to, slot, text)| {
            Fact::new(CommandId([1; 8]), capacity)
                .with_some("from", from)
                .with_some("to", to)
                .with_some("slot", slot)
                .with_some("kind", text)
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    let sections: Vec<&'static str> =
        Kind::ALL.iter().flat_map(|kind| kind.sections()).chain(&SPARES).copied().collect();
    const BUSY: [&str; 6] = ["attendance", "justifications", "decisions", "lessons", "rolls", "topics"];
    let place = prop_oneof![
        1 => (proptest::sample::select(&Kind::ALL[..]), proptest::sample::select(sections), subject()),
        4 => (
            prop_oneof![Just(Kind::PupilRecord), Just(Kind::ClassMonth)],
            proptest::sample::select(&BUSY[..]),
            subject(),
        ),
    ];
    let who = || proptest::sample::select(&EVERYBODY[..]);
    let capacity = proptest::sample::select(&Capacity::ALL[..]);
    let replaced = proptest::collection::vec((fact(), proptest::option::of(who())), 0..3);
    let latest = proptest::option::of(proptest::sample::select(&DAYS[..]));
    (place, key(), who(), capacity, fact(), any::<bool>(), replaced, latest).prop_map(
        |((kind, section, subject), key, author, capacity, mut fact, honest, replaced, latest)| {
            if honest {
                fact.capacity = capacity;
            }
            Case {
                fact,
                replaced,
                latest: latest.map(date),
                ..Case::new(document(kind, subject), section, &key, author, capacity)
            }
        },
    )
}

/// The same question to somebody who knows less: whole classes, pupils, staff and guardians are missing.
fn forget(mut case: Case, mask: u64) -> Case {
    let mut bit = 0u32;
    let mut keep = || {
        bit += 1;
        mask.rotate_right(bit) & 1 == 0
    };
    let directory = &mut case.directory;
    directory.complete = false;
    directory.classes.retain(|_, _| keep());
    directory.pupils.retain(|_, _| keep());
    directory.guardians.retain(|_, _| keep());
    directory.staff.retain(|_, _| keep());
    for pupil in directory.pupils.values_mut() {
        if !keep() {
            pupil.born = None;
        }
    }
    case
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// No question is a panic, and the same question has the same answer.
    #[test]
    fn judging_never_panics_and_depends_on_its_arguments_only(case in case()) {
        prop_assert_eq!(case.judged(), case.judged());
        prop_assert_eq!(case.ask(standing), case.clone().ask(standing));
        for day in DAYS {
            prop_assert_eq!(case.ask(|q| destination(q, date(day))), case.ask(|q| destination(q, date(day))));
        }
        case.ask(event_date);
        if case.fact.capacity != case.capacity {
            prop_assert!(matches!(case.judged(), Answer::Refused(_)));
        }
    }

    /// Whoever knows less allows nothing that the hub refuses and refuses nothing that it allows.
    #[test]
    fn a_partial_directory_is_in_doubt_and_never_wrong(case in case(), mask in any::<u64>()) {
        let (whole, partial) = (case.judged(), forget(case, mask).judged());
        match partial {
            Answer::Allowed => prop_assert_eq!(whole, Answer::Allowed),
            Answer::Refused(_) => prop_assert!(matches!(whole, Answer::Refused(_) | Answer::CannotTell)),
            Answer::CannotTell => {}
        }
    }

    /// The hub, which knows the directory and every author, is never in doubt.
    #[test]
    fn the_complete_directory_always_tells(mut case in case()) {
        for (_, author) in &mut case.replaced {
            *author = author.or(Some(STRANGER));
        }
        prop_assert_ne!(case.judged(), Answer::CannotTell);
    }
}
