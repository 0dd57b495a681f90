//! Devices and a hub under random faults come to the same register. A failing run prints its seed:
//! `REGISTRO_SEED=n cargo test -p registro-tests --test convergence` plays it again; `REGISTRO_CASES=n` plays more.

// A test that cannot go on fails.
#![allow(clippy::unwrap_used)]

use std::sync::{Mutex, OnceLock, PoisonError};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use registro_tests::simulation::{Act, DEVICES, Fault, Judged, Setting, Turn, World};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    /// Somebody writes on a device, which may be offline.
    Act(usize, Act),
    /// A device syncs, with what goes wrong.
    Sync(usize, Fault),
    /// Replies that were on their way arrive late.
    LateReplies(usize),
    /// A device ends and is started again.
    Crash(usize),
    /// A device's store is copied.
    CopyStore(usize),
    /// A device's store is put back as it was copied.
    RestoreStore(usize),
    /// The hub makes a backup.
    BackUp,
    /// The hub is restored from it.
    RestoreHub,
    /// The hub ends and is started again.
    RestartHub,
    /// The directory takes a turn.
    Turn(Turn),
    /// Somebody logs in on a new device.
    NewDevice(usize),
    /// A device's certificate runs out in a minute.
    ShortCertificate(usize),
    /// Somebody logs in again.
    LogIn(usize),
    /// Minutes pass.
    Wait(u32),
}

const MINUTES_OF_A_DAY: u32 = 24 * 60;

fn act() -> impl Strategy<Value = Act> {
    let pupil = 0..3u8;
    // Mostly the same few keys, so that people meet.
    let day = prop_oneof![6 => Just(1u8), 2 => Just(0u8), 1 => Just(2u8), 1 => Just(3u8)];
    prop_oneof![
        8 => (pupil.clone(), day.clone(), 0..5u8, 0..4u8)
            .prop_map(|(pupil, day, what, minute)| Act::Mark { pupil, day, what, minute: minute * 10 }),
        4 => (day.clone(), 0..3u8, 0..8u8).prop_map(|(day, slot, absent)| Act::Roll { day, slot, absent }),
        2 => (day.clone(), 0..3u8, 0..3u8).prop_map(|(day, slot, topic)| Act::Lesson { day, slot, topic }),
        2 => (pupil.clone(), day.clone()).prop_map(|(pupil, day)| Act::Justify { pupil, day }),
        2 => (pupil.clone(), 0..3u8, any::<bool>())
            .prop_map(|(pupil, which, approved)| Act::Decide { pupil, which, approved }),
        2 => (pupil.clone(), 0..6u8).prop_map(|(pupil, which)| Act::Resolve { pupil, which }),
        1 => (pupil.clone(), 0..6u8).prop_map(|(pupil, which)| Act::Settle { pupil, which }),
        1 => (pupil, day, 0..4u8)
            .prop_map(|(pupil, day, capacity)| Act::Overreach { pupil, day, capacity }),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::None),
        1 => Just(Fault::LostRequest),
        2 => Just(Fault::LostReply),
        1 => Just(Fault::Doubled),
        2 => Just(Fault::Late),
        2 => Just(Fault::Crash),
        2 => (0..4u8).prop_map(Fault::Torn),
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        3 => Just(Turn::Third),
        2 => Just(Turn::FirstPupil),
        2 => Just(Turn::Mother),
        1 => Just(Turn::Council),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let device = 0..DEVICES.len();
    prop_oneof![
        24 => (device.clone(), act()).prop_map(|(device, act)| Step::Act(device, act)),
        16 => (device.clone(), fault()).prop_map(|(device, fault)| Step::Sync(device, fault)),
        2 => device.clone().prop_map(Step::LateReplies),
        2 => device.clone().prop_map(Step::Crash),
        2 => device.clone().prop_map(Step::CopyStore),
        2 => device.clone().prop_map(Step::RestoreStore),
        2 => Just(Step::BackUp),
        2 => Just(Step::RestoreHub),
        2 => Just(Step::RestartHub),
        3 => turn().prop_map(Step::Turn),
        1 => device.clone().prop_map(Step::NewDevice),
        1 => device.clone().prop_map(Step::ShortCertificate),
        1 => device.prop_map(Step::LogIn),
        3 => (1..30u32).prop_map(Step::Wait),
        1 => (1..3u32).prop_map(|days| Step::Wait(days * MINUTES_OF_A_DAY)),
    ]
}

/// Any step may follow any other.
struct Anything;

impl ReferenceStateMachine for Anything {
    type State = u64;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<u64> {
        any::<u64>().boxed()
    }

    fn transitions(_: &u64) -> BoxedStrategy<Step> {
        step().boxed()
    }

    fn apply(state: u64, _: &Step) -> u64 {
        state
    }
}

struct Register;

impl StateMachineTest for Register {
    type SystemUnderTest = World;
    type Reference = Anything;

    fn init_test(seed: &u64) -> World {
        World::new(*seed, DEVICES.len(), Setting::of_seed(*seed)).unwrap()
    }

    fn apply(mut world: World, _: &u64, step: Step) -> World {
        let done = match &step {
            Step::Act(device, act) => world.act(*device, act),
            Step::Sync(device, fault) => world.sync(*device, *fault),
            Step::LateReplies(device) => world.late_replies(*device),
            Step::Crash(device) => world.crash(*device),
            Step::CopyStore(device) => world.copy_store(*device),
            Step::RestoreStore(device) => world.restore_store(*device),
            Step::BackUp => world.back_up(),
            Step::RestoreHub => world.restore_hub(),
            Step::RestartHub => world.restart_hub(),
            Step::Turn(turn) => world.turn(*turn),
            Step::NewDevice(device) => world.enrol_another(*device),
            Step::ShortCertificate(device) => world.shorten_certificate(*device),
            Step::LogIn(device) => world.log_in_again(*device),
            Step::Wait(minutes) => {
                world.wait(*minutes);
                Ok(())
            }
        };
        if let Err(violation) = done {
            panic!("{step:?}: {violation}");
        }
        world
    }

    fn teardown(mut world: World, _: u64) {
        world.settle().unwrap();
        let judged = world.judge().unwrap();
        let mut sum = SUM.lock().unwrap_or_else(PoisonError::into_inner);
        sum.0 += 1;
        sum.1 += judged;
        println!("{} runs so far: {:?}", sum.0, sum.1);
    }
}

/// Runs, and what they came to: a simulation in which nothing happens proves nothing.
static SUM: Mutex<(usize, Judged)> = Mutex::new((0, Judged::NOTHING));

fn number(name: &str, default: impl FnOnce() -> u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or_else(default)
}

fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| {
        let seed = number("REGISTRO_SEED", || {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            now.as_micros() as u64
        });
        println!("REGISTRO_SEED={seed}");
        seed
    })
}

proptest_state_machine::prop_state_machine! {
    #![proptest_config(Config {
        cases: number("REGISTRO_CASES", || 24) as u32,
        rng_seed: RngSeed::Fixed(seed()),
        max_shrink_iters: 400,
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn devices_and_hub_come_to_the_same_register(sequential 10..120 => Register);
}
