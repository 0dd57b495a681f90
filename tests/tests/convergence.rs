//! Devices and a hub under random faults come to the same register. A failing run prints its seed:
//! `REGISTRO_SEED=n cargo test -p registro-tests --test convergence` plays it again; `REGISTRO_CASES=n` plays more.

// A test that cannot go on fails.
#![allow(clippy::unwrap_used)]

use std::sync::{Mutex, OnceLock, PoisonError};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use registro_tests::simulation::{Act, Fault, World};

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
    /// The third teacher's assignment ends today.
    EndRights,
    /// Minutes pass.
    Wait(u8),
}

const DEVICES: usize = 8;

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
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let device = 0..DEVICES;
    prop_oneof![
        12 => (device.clone(), act()).prop_map(|(device, act)| Step::Act(device, act)),
        8 => (device.clone(), fault()).prop_map(|(device, fault)| Step::Sync(device, fault)),
        1 => device.clone().prop_map(Step::LateReplies),
        1 => device.clone().prop_map(Step::Crash),
        1 => device.clone().prop_map(Step::CopyStore),
        1 => device.prop_map(Step::RestoreStore),
        1 => Just(Step::BackUp),
        1 => Just(Step::RestoreHub),
        1 => Just(Step::RestartHub),
        1 => Just(Step::EndRights),
        2 => (1..30u8).prop_map(Step::Wait),
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
        World::new(*seed, DEVICES).unwrap()
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
            Step::EndRights => world.end_rights(),
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
        for (sum, one) in
            sum.1.iter_mut().zip([judged.confirmed, judged.refused, judged.concurrent, judged.compared])
        {
            *sum += one;
        }
        let (runs, [confirmed, refused, concurrent, compared]) = *sum;
        println!(
            "run {runs}: {confirmed} commands confirmed, {refused} refused, {concurrent} concurrent keys, \
             {compared} documents compared so far"
        );
    }
}

/// Runs, and what they came to: a simulation in which nothing happens proves nothing.
static SUM: Mutex<(usize, [usize; 4])> = Mutex::new((0, [0; 4]));

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
