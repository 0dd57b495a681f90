//! Situations that the random simulation came upon, or would take long to come upon, each fixed as a test.

// A test that cannot go on fails.
#![allow(clippy::unwrap_used)]

use registro_documents::policy::Reason;
use registro_model::{Capacity, CommandId};
use registro_sync::Code;
use registro_sync::device::{Delivery, OutboxEntry};
use registro_tests::simulation::{Act, DEVICES, Fault, Setting, Turn, World};

/// Places in [`registro_tests::simulation::DEVICES`].
const TEACHER: usize = 0;
const SECOND: usize = 2;
const THIRD: usize = 3;
const SUBSTITUTE: usize = 4;
const COORDINATOR: usize = 5;
const MOTHER: usize = 7;

const PUPIL_1: u8 = 0;
const FRIDAY: u8 = 0;
const TODAY: u8 = 1;
const TOO_FAR: u8 = 3;

fn world() -> World {
    World::new(42, DEVICES.len(), Setting::default()).unwrap()
}

fn absence(pupil: u8, day: u8) -> Act {
    Act::Mark { pupil, day, what: 0, minute: 0 }
}

fn entry(pupil: u8, day: u8, minute: u8) -> Act {
    Act::Mark { pupil, day, what: 1, minute }
}

fn commands(world: &mut World, device: usize) -> Vec<OutboxEntry> {
    world.tablets[device].device().unwrap().commands().unwrap()
}

fn settled(world: &mut World) {
    world.settle().unwrap();
    world.judge().unwrap();
}

/// The hub is restored, and the office ends the third teacher's assignment again before anybody syncs.
fn restored_without_the_right(world: &mut World) {
    world.restore_hub().unwrap();
    world.end_rights().unwrap();
}

/// The entries of a device's last command and of what remains of it.
fn last_and_remainder(world: &mut World, device: usize, id: CommandId) -> (OutboxEntry, Option<OutboxEntry>) {
    let all = commands(world, device);
    let last = all.iter().find(|entry| entry.command.id == id).unwrap().clone();
    (last, all.into_iter().find(|entry| entry.instead_of == Some(id)))
}

#[test]
fn work_in_a_record_that_is_lost_from_sight_survives_a_restored_hub() {
    let mut world = world();
    world.back_up().unwrap();
    world.act(SECOND, &absence(PUPIL_1, FRIDAY)).unwrap();
    world.sync(SECOND, Fault::None).unwrap();
    world.sync(THIRD, Fault::None).unwrap();
    world.act(THIRD, &entry(PUPIL_1, FRIDAY, 10)).unwrap();
    world.sync(THIRD, Fault::None).unwrap();
    assert!(matches!(commands(&mut world, THIRD)[0].delivery, Delivery::Confirmed { .. }));
    world.end_rights().unwrap();
    world.sync(THIRD, Fault::None).unwrap();
    restored_without_the_right(&mut world);
    settled(&mut world);
    assert!(matches!(commands(&mut world, THIRD)[0].delivery, Delivery::Confirmed { .. }));
}

#[test]
fn work_with_the_office_in_a_record_that_is_lost_from_sight_survives_a_restored_hub() {
    let mut world = world();
    world.turn(Turn::Council).unwrap();
    world.back_up().unwrap();
    world.act(THIRD, &absence(PUPIL_1, FRIDAY)).unwrap();
    world.sync(THIRD, Fault::None).unwrap();
    assert!(matches!(commands(&mut world, THIRD)[0].delivery, Delivery::WithOffice(_)));
    world.end_rights().unwrap();
    world.sync(THIRD, Fault::None).unwrap();
    restored_without_the_right(&mut world);
    settled(&mut world);
}

#[test]
fn a_command_that_cannot_be_run_holds_up_nothing_else() {
    let mut world = world();
    world.turn(Turn::Council).unwrap();
    world.back_up().unwrap();
    world.act(THIRD, &absence(PUPIL_1, FRIDAY)).unwrap();
    world.sync(THIRD, Fault::None).unwrap();
    world.end_rights().unwrap();
    world.sync(THIRD, Fault::None).unwrap();
    // The store forgets what the purged documents were, as one written by an older version might.
    let store = world.tablets[THIRD].device().unwrap().store().clone();
    let none = minicbor::to_vec(Vec::<u8>::new()).unwrap();
    store.write(move |tx| tx.put_meta("blind", &none)).unwrap();
    drop(store);
    world.crash(THIRD).unwrap();
    restored_without_the_right(&mut world);
    for _ in 0..3 {
        world.sync(THIRD, Fault::None).unwrap();
    }
    let device = world.tablets[THIRD].device().unwrap();
    assert_eq!(device.aside().len(), 1);
    assert_eq!(device.commands().unwrap().len(), 1, "it is kept");
    // Other work goes on, also after the app is started again.
    world.crash(THIRD).unwrap();
    world.act(THIRD, &absence(1, FRIDAY)).unwrap();
    world.sync(THIRD, Fault::None).unwrap();
    let all = commands(&mut world, THIRD);
    assert!(matches!(all[1].delivery, Delivery::WithOffice(_)), "{:?}", all[1].delivery);
    assert_eq!(world.tablets[THIRD].device().unwrap().aside().len(), 1);
}

#[test]
fn a_duplicate_is_dropped_for_the_accepted_one_where_nothing_can_be_read() {
    let mut world = world();
    world.act(SUBSTITUTE, &absence(PUPIL_1, TOO_FAR)).unwrap();
    // Rests on what is going to be refused, by its actor.
    world.act(SUBSTITUTE, &absence(PUPIL_1, TODAY)).unwrap();
    world.copy_store(SUBSTITUTE).unwrap();
    for _ in 0..3 {
        world.sync(SUBSTITUTE, Fault::None).unwrap();
    }
    world.restore_store(SUBSTITUTE).unwrap();
    settled(&mut world);
    let all = commands(&mut world, SUBSTITUTE);
    assert!(matches!(all[1].delivery, Delivery::Confirmed { .. }));
    assert!(all[1].changes.is_empty() && all[1].taken_over.is_some());
}

#[test]
fn what_rested_on_a_duplicate_rests_on_the_accepted_one() {
    let mut world = world();
    world.act(SECOND, &absence(PUPIL_1, TOO_FAR)).unwrap();
    world.act(SECOND, &absence(PUPIL_1, TODAY)).unwrap();
    world.copy_store(SECOND).unwrap();
    world.sync(SECOND, Fault::None).unwrap();
    world.restore_store(SECOND).unwrap();
    world.act(SECOND, &entry(PUPIL_1, TODAY, 20)).unwrap();
    settled(&mut world);
    // The entry annulled the absence that its author saw: no conflict is left.
    assert_eq!(world.judge().unwrap().concurrent, 0);
}

#[test]
fn a_refused_item_does_not_hold_back_the_rest_of_its_command() {
    let mut world = world();
    // Outside the own timetabled lesson, what a teacher writes about their own child goes to the office.
    world.act(SECOND, &Act::Roll { day: TODAY, slot: 0, absent: 0b011 }).unwrap();
    let given = commands(&mut world, SECOND)[0].command.clone();
    assert_eq!(given.documents().len(), 3);
    // What was written on top of it, before anybody knew, finds its place too.
    world.act(SECOND, &entry(PUPIL_1, TODAY, 20)).unwrap();
    settled(&mut world);
    let (whole, remainder) = last_and_remainder(&mut world, SECOND, given.id);
    let Delivery::WithOffice(refusal) = &whole.delivery else { panic!("{:?}", whole.delivery) };
    assert_eq!((refusal.code, refusal.reason), (Code::Office, Some(Reason::OwnChild)));
    assert_eq!(refusal.causes.len(), 1);
    let remainder = remainder.unwrap();
    assert!(matches!(remainder.delivery, Delivery::Confirmed { .. }));
    assert_eq!(remainder.command.claimed, given.claimed);
    let places = |command: &registro_documents::Command| -> Vec<_> {
        command.writes.iter().map(|w| (w.document, w.section.clone(), w.key.clone())).collect()
    };
    let expected: Vec<_> =
        places(&given).into_iter().filter(|(document, ..)| !refusal.causes.contains(document)).collect();
    assert_eq!(places(&remainder.command), expected);
    assert!(remainder.command.writes.iter().all(|write| write.fact.v == remainder.command.id));
    assert_eq!(world.judge().unwrap().concurrent, 0, "the entry replaces what it saw, under its new name");
}

#[test]
fn a_remainder_is_drawn_once() {
    let mut world = world();
    world.back_up().unwrap();
    world.act(SECOND, &Act::Roll { day: TODAY, slot: 0, absent: 0b011 }).unwrap();
    settled(&mut world);
    assert_eq!(commands(&mut world, SECOND).len(), 2);
    // The restored hub has heard of neither: both are offered again, and the one is with the office again.
    world.restore_hub().unwrap();
    settled(&mut world);
    let all = commands(&mut world, SECOND);
    assert_eq!(all.len(), 2);
    assert!(matches!(all[0].delivery, Delivery::WithOffice(_)));
    assert!(matches!(all[1].delivery, Delivery::Confirmed { .. }));
}

/// The roll of a device as others read it: what it had seen.
fn seen_by_roll(world: &mut World, reader: usize) -> Vec<u64> {
    use registro_documents::{Kind, merge::Roll};
    let device = world.tablets[reader].device().unwrap();
    let month = device.find(|identity| {
        identity.kind == Kind::ClassMonth
            && identity.subject.to_string().contains("2026-11")
            && identity.subject.to_string().contains("3A")
    });
    let part = device.part(month.unwrap(), "rolls/2026-11").unwrap();
    let rolls = part.keys.iter().flat_map(|(key, decision)| decision.live_values().map(move |v| (key, v)));
    rolls.filter_map(|(key, shown)| Roll::read(key, shown)).map(|roll| roll.seen).collect()
}

#[test]
fn what_a_roll_had_seen_of_a_lost_log_counts_as_nothing_for_everybody() {
    let mut world = world();
    let roll = |slot| Act::Roll { day: TODAY, slot, absent: 0b001 };
    world.act(TEACHER, &roll(0)).unwrap();
    world.sync(TEACHER, Fault::None).unwrap();
    world.back_up().unwrap();
    // Seen in what the restored hub will not have.
    world.act(THIRD, &absence(PUPIL_1, TODAY)).unwrap();
    world.sync(THIRD, Fault::None).unwrap();
    world.sync(TEACHER, Fault::None).unwrap();
    world.act(TEACHER, &roll(1)).unwrap();
    world.sync(TEACHER, Fault::None).unwrap();
    world.restore_hub().unwrap();
    settled(&mut world);
    world.act(TEACHER, &roll(2)).unwrap();
    settled(&mut world);
    // The author, a colleague who had seen it all, one who slept through it.
    let [author, awake, asleep] = [TEACHER, THIRD, SECOND].map(|reader| seen_by_roll(&mut world, reader));
    assert_eq!((&author, &author), (&awake, &asleep));
    assert_eq!(author.len(), 3);
    assert!(author[0] > 0 && author[1] == 0 && author[2] > author[0], "{author:?}");
    // And one that is new.
    let new = world.enrol(registro_tests::miniature::COORDINATOR, registro_model::Capacity::Council).unwrap();
    assert_eq!(seen_by_roll(&mut world, new), author);
}

#[test]
fn what_is_refused_as_a_whole_leaves_no_remainder() {
    let mut world = world();
    world.act(TEACHER, &Act::Roll { day: TOO_FAR, slot: 0, absent: 0b111 }).unwrap();
    settled(&mut world);
    let all = commands(&mut world, TEACHER);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].refusal().unwrap().causes.len(), 4, "every cause is named at once");
}

#[test]
fn an_admitted_batch_is_in_the_register_for_its_author() {
    let mut world = world();
    world.act(SECOND, &Act::Roll { day: TODAY, slot: 0, absent: 0b011 }).unwrap();
    settled(&mut world);
    assert!(matches!(commands(&mut world, SECOND)[0].delivery, Delivery::WithOffice(_)));
    assert_eq!(world.admit_kept().unwrap(), 1);
    settled(&mut world);
    let all = commands(&mut world, SECOND);
    assert!(all.iter().all(|entry| matches!(entry.delivery, Delivery::Confirmed { .. })), "{all:?}");
}

#[test]
fn what_was_signed_under_a_certificate_that_has_run_out_is_signed_again() {
    let mut world = world();
    world.shorten_certificate(TEACHER).unwrap();
    world.act(TEACHER, &absence(PUPIL_1, FRIDAY)).unwrap();
    world.sync(TEACHER, Fault::None).unwrap();
    world.act(TEACHER, &absence(PUPIL_1, TODAY)).unwrap();
    world.act(TEACHER, &entry(PUPIL_1, TODAY, 20)).unwrap();
    world.wait(2);
    world.sync(TEACHER, Fault::None).unwrap();
    let all = commands(&mut world, TEACHER);
    assert_eq!(all.iter().map(|entry| entry.is_accepted()).collect::<Vec<_>>(), [true, false, false]);
    assert!(world.tablets[TEACHER].device().unwrap().needs_certificate());
    let before: Vec<_> =
        all.iter().flat_map(|entry| entry.batch().changes).map(|c| c.envelope.change).collect();
    world.log_in_again(TEACHER).unwrap();
    assert!(!world.tablets[TEACHER].device().unwrap().needs_certificate());
    world.crash(TEACHER).unwrap();
    world.act(TEACHER, &absence(1, TODAY)).unwrap();
    settled(&mut world);
    let all = commands(&mut world, TEACHER);
    assert!(all.iter().all(|entry| matches!(entry.delivery, Delivery::Confirmed { .. })), "{all:?}");
    let after = all.iter().flat_map(|entry| entry.batch().changes).map(|c| c.envelope.change);
    assert_eq!(after.take(before.len()).collect::<Vec<_>>(), before, "the bytes stay as they were");
    // A certificate that is not for this key, or not the school's, changes nothing.
    let device = world.tablets[TEACHER].device().unwrap();
    let mut forged = device.account().unwrap().certificate.clone();
    forged.not_after += 1;
    device.renew(forged).unwrap_err();
    let of_another = world.tablets[SECOND].device().unwrap().account().unwrap().certificate.clone();
    world.tablets[TEACHER].device().unwrap().renew(of_another).unwrap_err();
}

#[test]
fn a_restored_hub_takes_what_an_old_certificate_had_signed() {
    let mut world = world();
    world.back_up().unwrap();
    world.shorten_certificate(TEACHER).unwrap();
    world.act(TEACHER, &absence(PUPIL_1, TODAY)).unwrap();
    settled(&mut world);
    world.wait(2);
    world.log_in_again(TEACHER).unwrap();
    world.restore_hub().unwrap();
    settled(&mut world);
    assert!(matches!(commands(&mut world, TEACHER)[0].delivery, Delivery::Confirmed { .. }));
}

#[test]
fn more_heads_than_a_change_may_rest_on_come_together_in_two_writes() {
    use registro_documents::{Kind, Subject, write::MAX_HEADS};
    let mut world = world();
    let record = world
        .hub()
        .unwrap()
        .find(Kind::PupilRecord, &Subject::Person(registro_tests::miniature::P1))
        .unwrap()
        .unwrap();
    let heads = |world: &World| world.hub().unwrap().document(record).unwrap().document.heads().len();
    // Whoever reads nothing writes beside what is there.
    for n in 0..MAX_HEADS as u8 + 8 {
        let device = world.enrol(registro_tests::miniature::SUBSTITUTE, Capacity::Substitute).unwrap();
        world.act(device, &Act::Mark { pupil: PUPIL_1, day: n % 2, what: n % 4, minute: n }).unwrap();
        world.sync(device, Fault::None).unwrap();
    }
    assert!(heads(&world) > MAX_HEADS);
    for minute in [10, 20] {
        world.sync(TEACHER, Fault::None).unwrap();
        world.act(TEACHER, &entry(PUPIL_1, TODAY, minute)).unwrap();
        world.sync(TEACHER, Fault::None).unwrap();
    }
    assert_eq!(heads(&world), 1);
    settled(&mut world);
    let confirmed = |entry: &OutboxEntry| matches!(entry.delivery, Delivery::Confirmed { .. });
    assert!(commands(&mut world, TEACHER).iter().all(confirmed));
}

#[test]
fn a_class_that_was_left_and_is_joined_again_is_fetched_again() {
    use registro_documents::Kind;
    let mut world = world();
    let lessons = |world: &mut World, reader: usize| {
        let device = world.tablets[reader].device().unwrap();
        let is_month = |subject: &str| subject.contains("3A") && subject.contains("2026-11");
        let month = device.find(|i| i.kind == Kind::ClassMonth && is_month(&i.subject.to_string())).unwrap();
        device.part(month, "lessons/2026-11").unwrap().keys.len()
    };
    world.turn(Turn::FirstPupil).unwrap();
    world.sync(MOTHER, Fault::None).unwrap();
    world.act(TEACHER, &Act::Lesson { day: TODAY, slot: 0, topic: 0 }).unwrap();
    world.sync(TEACHER, Fault::None).unwrap();
    world.sync(MOTHER, Fault::None).unwrap();
    assert_eq!(lessons(&mut world, MOTHER), 0, "nothing of a class that was left yesterday");
    world.turn(Turn::FirstPupil).unwrap();
    settled(&mut world);
    assert_eq!(lessons(&mut world, MOTHER), 1);
}

#[test]
fn what_is_run_again_replaces_nothing_that_its_author_never_saw() {
    use registro_documents::{Kind, Subject};
    let mut world = world();
    world.act(SECOND, &entry(PUPIL_1, TODAY, 10)).unwrap();
    world.sync(SECOND, Fault::None).unwrap();
    world.sync(COORDINATOR, Fault::None).unwrap();
    world.act(SECOND, &absence(PUPIL_1, FRIDAY)).unwrap();
    world.sync(SECOND, Fault::None).unwrap();
    world.back_up().unwrap();
    // Replaces the first entry; the teacher sees this one alone, and replaces it.
    world.act(COORDINATOR, &entry(PUPIL_1, TODAY, 20)).unwrap();
    world.sync(COORDINATOR, Fault::None).unwrap();
    world.sync(TEACHER, Fault::None).unwrap();
    world.act(TEACHER, &entry(PUPIL_1, TODAY, 30)).unwrap();
    world.sync(TEACHER, Fault::None).unwrap();
    // What stood between the first and the last is gone, and nobody brings it back yet.
    world.restore_hub().unwrap();
    world.sync(TEACHER, Fault::None).unwrap();
    let hub = world.hub().unwrap();
    let pupil = Subject::Person(registro_tests::miniature::P1);
    let record = hub.document(hub.find(Kind::PupilRecord, &pupil).unwrap().unwrap()).unwrap();
    assert_eq!(
        record.document.versions("attendance", "2026-11-23/entry").len(),
        2,
        "both are there to be seen"
    );
    settled(&mut world);
}

#[test]
fn a_late_reply_does_not_set_the_clock_back() {
    let mut world = world();
    world.sync(SECOND, Fault::Late).unwrap();
    world.wait(24 * 60);
    world.late_replies(SECOND).unwrap();
    assert_eq!(world.tablets[SECOND].device().unwrap().state().clock_offset, 0);
}
