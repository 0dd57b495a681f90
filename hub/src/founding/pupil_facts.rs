//! Documents of a pupil: profile (`PupilRecord`), guardians (`PupilGuardians`), support (`PupilReserve`).

use std::collections::BTreeMap;

use registro_documents::{Kind, Subject};
use registro_model::DocumentId;
use registro_model::directory::GuardianRights;

use super::facts::{HubFact, Wanted, fact, until};
use crate::documents::Catalogue;
use crate::registry::{PupilDetails, Registered};

pub(super) fn add(
    registered: &Registered,
    catalogue: &Catalogue,
    all: &mut BTreeMap<DocumentId, Vec<HubFact>>,
) {
    let directory = &registered.directory;
    let none = PupilDetails::default();
    for (pupil, entry) in &directory.pupils {
        let subject = Subject::Person(*pupil);
        let details = registered.pupils.get(pupil).unwrap_or(&none);
        if let Some(record) = catalogue.find(Kind::PupilRecord, &subject) {
            let mut wanted = Wanted::default();
            wanted.put(
                "profile",
                "name",
                fact().with("name", entry.name.as_str()).with_some("born", entry.born),
            );
            for (class, span) in &entry.classes {
                let site = directory.classes.get(class).map_or("-", |class| class.site.as_str());
                let of_class = fact().with("class", class.as_str()).with("site", site);
                wanted.put("profile", format!("class/{}", span.from), until(of_class, *span));
            }
            for (group, span) in &entry.groups {
                wanted.put("profile", format!("group/{group}/{}", span.from), until(fact(), *span));
            }
            for (choice, span) in &details.religion {
                let choice = fact().with("choice", choice.as_str());
                wanted.put("profile", format!("religion/{}", span.from), until(choice, *span));
            }
            for (hours, span) in &details.annual_hours {
                let hours = fact().with("annual", i64::from(*hours));
                wanted.put("profile", format!("hours/{}", span.from), until(hours, *span));
            }
            if let Some(hours) = details.previous_hours {
                wanted.put("profile", "previous", fact().with("hours", i64::from(hours)));
            }
            all.insert(record, wanted.into_facts());
        }
        if let Some(guardians) = catalogue.find(Kind::PupilGuardians, &subject) {
            let mut wanted = Wanted::default();
            for guardian in directory.guardians.get(pupil).into_iter().flatten() {
                let rights = match guardian.rights {
                    GuardianRights::Complete => "complete",
                    GuardianRights::SeesOnly => "sees",
                    GuardianRights::None => "none",
                };
                let of_guardian = fact().with("name", guardian.name.as_str()).with("rights", rights);
                let key = format!("{}/{}", guardian.guardian, guardian.span.from);
                wanted.put("guardians", key, until(of_guardian, guardian.span));
            }
            all.insert(guardians, wanted.into_facts());
        }
        if let Some(reserve) = catalogue.find(Kind::PupilReserve, &subject) {
            let mut wanted = Wanted::default();
            for (teacher, span) in &details.supported_by {
                wanted.put("supported", format!("{teacher}/{}", span.from), until(fact(), *span));
            }
            all.insert(reserve, wanted.into_facts());
        }
    }
}
