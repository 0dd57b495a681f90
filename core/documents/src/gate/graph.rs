//! Step 3: what a change rests on, its sequence number and its counters.

use automerge::ExpandedChange;

use super::bounds::Bounds;
use super::{Code, Expectation, Refusal};
use crate::document::Document;
use crate::genesis;

/// Checks the change's place in the graph; returns its actor. Unknown dependencies are looked at before the
/// sequence number: nobody can get another's bytes refused by sending them early.
pub(super) fn check(
    document: &Document,
    bounds: &Bounds,
    change: &ExpandedChange,
    expect: &Expectation,
) -> Result<[u8; 16], Refusal> {
    let form = |reason: &str| Refusal::new(Code::Form, reason);
    let actor: [u8; 16] =
        change.actor_id.to_bytes().try_into().map_err(|_| form("an actor has not 16 bytes"))?;
    if actor == genesis::ACTOR {
        return Err(form("nobody writes under the genesis's actor"));
    }
    if expect.actor.is_some_and(|expected| expected != actor) {
        return Err(form("the actor is not its author's"));
    }
    if change.deps.is_empty() {
        return Err(form("it rests on nothing"));
    }
    let mut max_op = 0;
    for (index, dep) in change.deps.iter().enumerate() {
        let info = document
            .change_info(dep)
            .ok_or_else(|| Refusal::new(Code::Missing, "it rests on a change that is not here"))?;
        if change.deps.iter().skip(index + 1).any(|other| other == dep) {
            return Err(form("it names a dependency twice"));
        }
        max_op = max_op.max(info.max_op);
    }
    match document.last_of(&actor) {
        None if change.seq == 1 => {}
        Some(last) if change.seq == last.seq + 1 => {
            if !document.is_ancestor(&last.hash, &change.deps) {
                return Err(Refusal::new(Code::Graph, "it does not rest on its author's last change"));
            }
        }
        Some(last) if change.seq <= last.seq => {
            return Err(Refusal::new(Code::Duplicate, "its author has another change of this number"));
        }
        _ if change.seq == 0 => return Err(form("its sequence number is 0")),
        _ => return Err(Refusal::new(Code::Missing, "an earlier change of its author is not here")),
    }
    if change.start_op.get() != max_op + 1 {
        return Err(form("its operation counter does not follow what it rests on"));
    }
    if bounds.other_actors.iter().any(|other| !document.has_actor(other)) {
        return Err(form("it names an actor that is not in the document"));
    }
    Ok(actor)
}
