//! Where a shown fact comes from: who, in what quality, on which device, when, and whether the hub has it.

use registro_documents::merge::Shown;
use registro_model::directory::Directory;
use registro_model::school::School;
use registro_model::{Capacity, CommandId, PersonId};

use crate::delivery::DeliveryState;

/// Where a shown fact comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The command that wrote it: what `written` lists under this id on its author's device.
    pub version: CommandId,
    /// Who wrote it; unknown until their certificate is here.
    pub author: Option<PersonId>,
    /// Their name, where it is known here.
    pub author_name: Option<String>,
    /// The device that wrote it: the first 16 hexadecimal digits of its certificate's id.
    pub device: Option<String>,
    /// In what capacity it was written.
    pub capacity: Capacity,
    /// Position of the hour that it is about, where it is about one.
    pub slot: Option<u8>,
    /// When the author's device said it was, Unix seconds. Evidence of nothing.
    pub claimed: i64,
    /// Whether the hub has it, and since when.
    pub delivery: DeliveryState,
}

impl Provenance {
    /// Of a fact that stands under a key.
    pub(crate) fn of(key: &str, shown: &Shown, directory: &Directory, school: &School) -> Self {
        let provenance = &shown.provenance;
        let in_key = || key.split_once('#')?.1.split('/').next()?.parse().ok();
        let device =
            provenance.device.map(|id| id.iter().take(8).map(|byte| format!("{byte:02x}")).collect());
        let author_name = match shown.fact.capacity {
            Capacity::School => Some(school.name.clone()),
            _ => provenance.person.and_then(|person| name_of(directory, person)),
        };
        Self {
            version: shown.fact.v,
            author: provenance.person,
            author_name,
            device,
            capacity: shown.fact.capacity,
            slot: shown.fact.slot().or_else(in_key),
            claimed: provenance.claimed,
            delivery: match provenance.accepted {
                Some(record) => DeliveryState::Confirmed { at: record.received },
                None => DeliveryState::Pending,
            },
        }
    }
}

/// A person's name, where it is known here.
pub(crate) fn name_of(directory: &Directory, person: PersonId) -> Option<String> {
    let staff = directory.staff.get(&person).map(|member| &member.name);
    let pupil = || directory.pupils.get(&person).map(|pupil| &pupil.name);
    let guardian = || {
        let mut all = directory.guardians.values().flatten();
        all.find(|guardianship| guardianship.guardian == person).map(|guardianship| &guardianship.name)
    };
    staff.or_else(pupil).or_else(guardian).filter(|name| !name.is_empty()).cloned()
}
