//! Across the keys of one pupil and day (day mode): what excludes what.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{KeyDecision, Shown};

/// Two live facts of a day that exclude each other while neither has the standing to hide the other, or an exit
/// before the entry. Both stay; it is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayContradiction {
    /// A fact of higher standing shows although the rule would let the other one beat it.
    HigherStanding {
        /// Key of the fact that shows.
        shown: String,
        /// Key of the fact that would have beaten it.
        hidden: String,
    },
    /// The exit is before the entry.
    ExitBeforeEntry,
}

/// What shows of a pupil's day. Keys as in the document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayDecision<'a> {
    /// The absence, if it shows.
    pub absence: Option<&'a Shown>,
    /// The entry, if it shows.
    pub entry: Option<&'a Shown>,
    /// The exit, if it shows.
    pub exit: Option<&'a Shown>,
    /// The times out of class that show, by key.
    pub outs: Vec<(&'a str, &'a Shown)>,
    /// Keys of live facts that do not show.
    pub hidden: Vec<&'a str>,
    /// What is reported.
    pub contradictions: Vec<DayContradiction>,
}

/// Decides a pupil's day from the decided keys of section `attendance`, keyed by document key; keys of other days
/// are ignored.
///
/// A full-day out beats entry, exit and absence; entry, exit or out beats absence; but a fact beats another only
/// if its standing is not lower: otherwise the higher standing shows and it is reported.
pub fn decide_day<'a>(date: &str, keys: &'a BTreeMap<String, KeyDecision>) -> DayDecision<'a> {
    let prefix = format!("{date}/");
    let mut live: BTreeMap<&'a str, &'a Shown> = BTreeMap::new();
    for (key, decision) in keys.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix)) {
        if let (Some(name), Some(shown)) = (key.strip_prefix(&prefix), decision.live()) {
            live.insert(name, shown);
        }
    }
    // Strongest first, so that what does not show hides nothing: by standing, then by the rule.
    let mut order: Vec<(&'a str, &'a Shown, Rank)> =
        live.iter().map(|(name, shown)| (*name, *shown, Rank::of(name, shown))).collect();
    order.sort_by_key(|(name, shown, rank)| (Reverse(shown.provenance.standing), Reverse(*rank), *name));
    let mut decision = DayDecision::default();
    let mut showing: Vec<(&'a str, Rank)> = Vec::new();
    for (name, _, rank) in order {
        let rivals: Vec<_> = showing.iter().filter(|(_, shown)| shown.excludes(rank)).collect();
        if rivals.is_empty() {
            showing.push((name, rank));
            continue;
        }
        let unruly = rivals.iter().filter(|(_, shown)| *shown < rank);
        decision.contradictions.extend(unruly.map(|(shown, _)| DayContradiction::HigherStanding {
            shown: format!("{date}/{shown}"),
            hidden: format!("{date}/{name}"),
        }));
        live.remove(name);
        decision.hidden.push(name);
    }

    decision.absence = live.get("absence").copied();
    decision.entry = live.get("entry").copied();
    decision.exit = live.get("exit").copied();
    decision.outs =
        live.iter().filter(|(name, _)| name.starts_with("out/")).map(|(name, s)| (*name, *s)).collect();
    let (entry, exit) =
        (decision.entry.and_then(|s| s.fact.time("time")), decision.exit.and_then(|s| s.fact.time("time")));
    if let (Some(entry), Some(exit)) = (entry, exit)
        && exit < entry
    {
        decision.contradictions.push(DayContradiction::ExitBeforeEntry);
    }
    decision
}

/// How far the rule puts a fact before the others of its day; greater beats, among peers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Absence,
    Presence,
    PartialOut,
    FullDayOut,
}

impl Rank {
    fn of(name: &str, shown: &Shown) -> Self {
        let fields = &shown.fact.fields;
        match name {
            "absence" => Self::Absence,
            "entry" | "exit" => Self::Presence,
            _ if fields.contains_key("from") || fields.contains_key("to") => Self::PartialOut,
            _ => Self::FullDayOut,
        }
    }

    /// Whether two facts of a day cannot both be so.
    fn excludes(self, other: Self) -> bool {
        match (self, other) {
            (Self::Absence, Self::Absence) => false,
            (Self::Absence, _) | (_, Self::Absence) => true,
            (Self::FullDayOut, Self::Presence) | (Self::Presence, Self::FullDayOut) => true,
            _ => false,
        }
    }
}
