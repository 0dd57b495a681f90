//! Laws on random histories: who holds the same changes and records decides alike.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;
use registro_documents::merge::{KeyDecision, Origin, decide_day};
use registro_documents::view::{ViewPart, refresh, view};
use registro_documents::write::Put;
use registro_documents::{AcceptanceRecord, Document, Fact, Kind};
use registro_model::{Capacity, ClockTime, CommandId, Standing};

use super::history::{History, deliver, put};

const REPLICAS: usize = 4;
const DAY: &str = "2026-11-23";

#[derive(Debug, Clone)]
enum Step {
    Write { replica: usize, key: usize, minutes: u16, annul: bool, standing: u8, also: Option<usize> },
    Exchange { from: usize, to: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let write = (
        0..REPLICAS,
        0usize..6,
        500u16..503,
        prop::bool::weighted(0.2),
        0u8..8,
        prop::option::weighted(0.2, 0usize..6),
    )
        .prop_map(|(replica, key, minutes, annul, standing, also)| Step::Write {
            replica,
            key,
            minutes,
            annul,
            standing,
            also,
        });
    let exchange = (0..REPLICAS, 0..REPLICAS).prop_map(|(from, to)| Step::Exchange { from, to });
    prop_oneof![3 => write, 2 => exchange]
}

fn fact_under(key: usize, v: [u8; 8], minutes: u16, annul: bool) -> Put {
    let time = ClockTime::from_minutes(minutes).unwrap();
    let fact = Fact::new(CommandId(v), Capacity::Lesson);
    let (key, fact) = match key {
        0 => ("absence", fact.with("slot", 1u8)),
        1 => ("entry", fact.with("slot", 1u8).with("time", time)),
        2 => ("exit", fact.with("slot", 1u8).with("time", time)),
        3 => ("out/0000000000000001", fact.with("slot", 1u8).with("kind", "external")),
        4 => ("out/0000000000000002", fact.with("slot", 1u8).with("kind", "external").with("from", time)),
        _ => ("#2", fact.with("status", "present").with("entry", time)),
    };
    let fact = if annul { fact.annulled_by(CommandId(v), Capacity::Lesson, "errore") } else { fact };
    let key = if key.starts_with('#') { format!("{DAY}{key}") } else { format!("{DAY}/{key}") };
    put(&key, fact)
}

fn play(steps: &[Step]) -> History {
    let mut history = History::new(REPLICAS);
    for (n, step) in steps.iter().enumerate() {
        match step {
            Step::Exchange { from, to } => history.exchange(*from, *to),
            Step::Write { replica, key, minutes, annul, standing, also } => {
                let v = (n as u64 + 1).to_be_bytes();
                let mut puts = vec![fact_under(*key, v, *minutes, *annul)];
                puts.extend(also.filter(|also| also != key).map(|also| fact_under(also, v, *minutes, false)));
                history.write(*replica, &puts, Standing::from_number(*standing).unwrap());
            }
        }
    }
    history
}

type View = BTreeMap<String, ViewPart>;

/// All changes, delivered in an order of one's own; what arrives too early comes again.
fn delivered(history: &History, order: &[Index], mut after_each: impl FnMut(&Document, usize)) -> Document {
    let mut document = Document::founded(Kind::PupilRecord);
    let mut waiting: Vec<usize> = (0..history.made.len()).collect();
    let mut turn = 0;
    while !waiting.is_empty() {
        let at = order[turn % order.len()].index(waiting.len());
        turn += 1;
        if deliver(&mut document, &history.made[waiting[at]].chunk) {
            after_each(&document, waiting.remove(at));
        } else {
            // The first one waiting rests on nothing that waits.
            assert!(deliver(&mut document, &history.made[waiting[0]].chunk));
            after_each(&document, waiting.remove(0));
        }
    }
    document
}

/// What shows of every key, and whether it is a conflict; without what only provenance says.
fn outcome(view: &View) -> BTreeMap<String, (Fact, bool)> {
    let keys = view.values().flat_map(|part| &part.keys);
    keys.map(|(key, decision)| (key.clone(), (decision.shown.fact.clone(), decision.conflict))).collect()
}

fn day_outcome(view: &View) -> String {
    let empty = BTreeMap::<String, KeyDecision>::new();
    let keys = view.get("attendance/2026-11").map_or(&empty, |part| &part.keys);
    let day = decide_day(DAY, keys);
    let v = |shown: Option<&registro_documents::merge::Shown>| shown.map(|shown| shown.fact.v);
    format!(
        "{:?} {:?} {:?} {:?} {:?}",
        v(day.absence),
        v(day.entry),
        v(day.exit),
        day.hidden,
        day.contradictions
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Any order of delivery of the same accepted changes and records gives the same decided view, also after the
    /// document was saved and loaded; and a view kept up to date key by key is the view made whole.
    #[test]
    fn any_order_of_delivery_gives_the_same_view(
        steps in prop::collection::vec(step(), 1..28),
        orders in prop::collection::vec(prop::collection::vec(any::<Index>(), 30), 3),
    ) {
        let history = play(&steps);
        let mut in_order = Document::founded(Kind::PupilRecord);
        for made in &history.made {
            assert!(deliver(&mut in_order, &made.chunk));
        }
        let expected = view(&in_order, &history);
        for order in &orders {
            let mut kept = View::new();
            let document = delivered(&history, order, |document, n| {
                let changed: BTreeSet<_> =
                    history.made[n].keys.iter().map(|key| ("attendance".to_owned(), key.clone())).collect();
                refresh(document, &history, &changed, &mut kept);
            });
            let found = view(&document, &history);
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(&kept, &expected);
            prop_assert_eq!(day_outcome(&found), day_outcome(&expected));
            let loaded = Document::load(&document.save()).unwrap();
            prop_assert_eq!(&view(&loaded, &history), &expected);
        }
    }

    /// What a device shows before its own changes are accepted is what shows afterwards, if the hub gives them the
    /// standing that the device expected and has accepted nothing else in between.
    #[test]
    fn provisional_results_are_final_when_the_hub_weighs_alike(
        steps in prop::collection::vec(step(), 1..28), device in 0..REPLICAS, known in any::<Index>(),
    ) {
        let mut history = play(&steps);
        // The hub has accepted the others' changes and the device's first ones; then come the device's last ones.
        let own: Vec<usize> = (0..history.made.len()).filter(|n| history.made[*n].author == device).collect();
        let pending: BTreeSet<usize> = match own.len() {
            0 => BTreeSet::new(),
            count => own[known.index(count)..].iter().copied().collect(),
        };
        // Others' changes that rest on a pending one cannot be accepted before it.
        let mut document = Document::founded(Kind::PupilRecord);
        let mut accepted = Vec::new();
        for (n, made) in history.made.iter().enumerate() {
            if !pending.contains(&n) && deliver(&mut document, &made.chunk) {
                accepted.push(n);
            }
        }
        let mut mine = Vec::new();
        for n in &pending {
            if deliver(&mut document, &history.made[*n].chunk) {
                mine.push(*n);
            }
        }
        let record = |position: usize, standing| {
            Origin::Accepted(AcceptanceRecord { position: position as u64 + 1, received: 0, standing, seen_is_lost: false })
        };
        history.origins.clear();
        for (position, n) in accepted.iter().enumerate() {
            history.origins.insert(history.made[*n].hash, record(position, history.made[*n].standing));
        }
        for n in &mine {
            history.origins.insert(history.made[*n].hash, Origin::Own(history.made[*n].standing));
        }
        let provisional = view(&document, &history);
        for (position, n) in mine.iter().enumerate() {
            let position = accepted.len() + position;
            history.origins.insert(history.made[*n].hash, record(position, history.made[*n].standing));
        }
        let settled = view(&document, &history);
        prop_assert_eq!(outcome(&provisional), outcome(&settled));
        prop_assert_eq!(day_outcome(&provisional), day_outcome(&settled));
    }

    /// Two devices that hold the same changes, one of them waiting for its own, never hide an accepted fact behind
    /// somebody's unconfirmed one.
    #[test]
    fn an_unconfirmed_fact_never_shows_over_an_accepted_one(
        steps in prop::collection::vec(step(), 1..28), doubtful in prop::collection::vec(any::<Index>(), 1..6),
    ) {
        let mut history = play(&steps);
        if history.made.is_empty() {
            return Ok(());
        }
        for doubt in &doubtful {
            let made = &history.made[doubt.index(history.made.len())];
            history.origins.insert(made.hash, Origin::Unconfirmed(Standing::Office));
        }
        let mut document = Document::founded(Kind::PupilRecord);
        for made in &history.made {
            assert!(deliver(&mut document, &made.chunk));
        }
        for decision in view(&document, &history).values().flat_map(|part| part.keys.values()) {
            if !decision.shown.provenance.counts {
                prop_assert!(decision.others.iter().all(|other| !other.provenance.counts));
            }
        }
    }
}
