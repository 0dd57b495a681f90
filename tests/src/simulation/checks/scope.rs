//! A device holds exactly what its person may read, and of what ended for them nothing that came later.

use std::collections::BTreeMap;

use registro_documents::ChangeHash;
use registro_hub::Hub;
use registro_hub::caller::{Caller, Level};
use registro_sync::messages::{Listed, Request};

use super::Rebuilt;
use crate::simulation::{Tablet, Violation, broken};

/// Compares the device's documents with the hub's list, both ways, in memory and on disk. Returns the list.
pub(super) fn held_as_the_hub_says(
    name: &str,
    tablet: &mut Tablet,
    hub: &Hub,
    now: i64,
) -> Result<Vec<Listed>, Violation> {
    let end = hub.head().map_err(|e| broken("the hub")(&e))?;
    let caller = Caller::new(tablet.person, Level::L2);
    // A scope that nobody has: the hub answers with the whole list.
    let request = Request { cursor: end, end, scope: [1; 32], ..Request::default() };
    let reply = hub.sync(&caller, &request, now).map_err(|e| broken("the hub")(&e))?;
    let listed = reply.documents.ok_or("the hub does not say what may be read")?;
    let expected: BTreeMap<_, _> =
        listed.iter().map(|entry| (entry.identity.id, entry.until.clone())).collect();
    let device = tablet.device()?;
    if let Some(wanted) = device.documents().find(|header| header.wanted) {
        return Err(format!("{name}: still wants {}", wanted.identity.subject));
    }
    let held: BTreeMap<_, _> =
        device.documents().map(|header| (header.identity.id, header.until.clone())).collect();
    if held != expected {
        let missing = expected.iter().filter(|(id, until)| held.get(id) != Some(until)).count();
        let excess = held.keys().filter(|id| !expected.contains_key(id)).count();
        return Err(format!(
            "{name}: {missing} documents are missing or end otherwise, {excess} are too many"
        ));
    }
    let mut stored = device.store().read(|r| r.documents()).map_err(|e| broken(name)(&e))?;
    stored.sort_unstable();
    if !stored.iter().eq(expected.keys()) {
        return Err(format!("{name}: the store holds other documents than may be read"));
    }
    Ok(listed)
}

/// Of a class that was left everything is there up to the last day. What the device had heard of before anybody knew
/// that the day was the last one stays; nothing else is there.
pub(super) fn held_as_of_its_last_day(
    name: &str,
    tablet: &mut Tablet,
    listed: &Listed,
    rebuilt: &Rebuilt,
) -> Result<(), Violation> {
    let id = listed.identity.id;
    let held = tablet.device()?.held(id).map_err(|e| broken(name)(&e))?;
    let of_document = rebuilt.positions.iter().filter(|((document, _), _)| *document == id);
    let mut all = 0;
    for ((_, hash), position) in of_document {
        let there = held.document().contains(&ChangeHash(*hash));
        if *position <= listed.last_position && !there {
            return Err(format!("{name}: a change from before its last day is missing"));
        }
        all += usize::from(there);
    }
    // The genesis is in no log.
    if held.document().changes_in_order().count() != all + 1 {
        return Err(format!("{name}: holds what the hub does not"));
    }
    Ok(())
}
