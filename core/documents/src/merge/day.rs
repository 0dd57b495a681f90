//! Across the keys of one pupil and day (day mode): what excludes what.

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
    let mut decision = DayDecision::default();
    let full_day = |name: &str, shown: &Shown| {
        name.starts_with("out/")
            && !shown.fact.fields.contains_key("from")
            && !shown.fact.fields.contains_key("to")
    };

    // First the full-day outs against all else, then what is left against the absence.
    let all: Vec<&str> = live.keys().copied().collect();
    let full_days: Vec<&str> =
        live.iter().filter(|(name, shown)| full_day(name, shown)).map(|(name, _)| *name).collect();
    for out in full_days {
        for rival in all.iter().filter(|name| matches!(**name, "absence" | "entry" | "exit")) {
            settle(date, out, rival, &mut live, &mut decision);
        }
    }
    for winner in all.iter().filter(|name| **name != "absence") {
        settle(date, winner, "absence", &mut live, &mut decision);
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

fn settle<'a>(
    date: &str,
    winner: &'a str,
    rival: &str,
    live: &mut BTreeMap<&'a str, &'a Shown>,
    decision: &mut DayDecision<'a>,
) {
    let (Some(beats), Some((rival, beaten))) = (live.get(winner), live.get_key_value(rival)) else { return };
    let rival = *rival;
    if beats.provenance.standing >= beaten.provenance.standing {
        live.remove(rival);
        decision.hidden.push(rival);
    } else {
        decision.contradictions.push(DayContradiction::HigherStanding {
            shown: format!("{date}/{rival}"),
            hidden: format!("{date}/{winner}"),
        });
        live.remove(winner);
        decision.hidden.push(winner);
    }
}
