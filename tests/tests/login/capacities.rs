//! One person, two capacities: a teacher who is a parent in the same class sees and signs as each, never mixed.

use registro::DeliveryState;
use registro_model::justification::RunState;
use registro_model::{Capacity, ClassCode, Date};

use crate::school::School;

/// A Thursday on which the teacher of English, who is the mother of a pupil of the class, has its first hour.
fn thursday() -> Date {
    "2026-11-26".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teacher_who_is_a_parent_in_the_class_sees_and_signs_as_each() {
    let school = School::open().await;
    school.later(3 * 24 * 60).await;
    let mother = school.credentials(school.person("D020")).await;
    let coordinator = school.credentials(school.person("D001")).await;
    let (_tablet, registro) = school.logged_in(1, &mother).await;
    let class: ClassCode = "1A".parse().unwrap();
    let (teacher, family) = (registro.teacher(), registro.family());

    // What she sees as each.
    let children = family.children(thursday()).unwrap();
    let [child] = children.as_slice() else { panic!("one of the class is hers: {children:?}") };
    let pupils = teacher.class_view(&class, thursday()).unwrap().pupils;
    let other = pupils.iter().map(|row| row.pupil).find(|pupil| *pupil != child.pupil).unwrap();
    assert!(pupils.iter().any(|row| row.pupil == child.pupil));

    // A colleague marks both pupils absent; hers is justified by her as guardian, the other's is not hers to justify.
    let (_other, colleague) = school.logged_in(2, &coordinator).await;
    for pupil in [child.pupil, other] {
        colleague.teacher().mark_absent(&class, pupil, thursday(), 1).unwrap();
    }
    colleague.sync().await.unwrap();
    registro.sync().await.unwrap();
    let absences = family.absences(child.pupil, thursday()).unwrap();
    let [absence] = absences.as_slice() else { panic!("{absences:?}") };
    let justified = family.justify(child.pupil, &absence.run, "salute", None).unwrap();
    let lesson =
        teacher.sign_lesson(&class, thursday(), 1, &"ING".parse().unwrap(), "Present perfect").unwrap();
    let not_hers = family
        .absences(other, thursday())
        .and_then(|absences| family.justify(other, &absences[0].run, "salute", None));
    assert!(not_hers.is_err(), "as a guardian she is a stranger to the rest of the class");
    registro.sync().await.unwrap();

    // Each act is signed in its own capacity, and the hub took both.
    let written = registro.written().unwrap();
    for (command, capacity) in [(justified, Capacity::Guardian), (lesson, Capacity::Lesson)] {
        let entry = written.iter().find(|entry| entry.command == command).unwrap();
        assert_eq!(entry.capacity, capacity);
        assert!(matches!(entry.delivery, DeliveryState::Confirmed { .. }), "{:?}", entry.delivery);
    }

    // What a colleague sees says in what capacity it was written.
    colleague.sync().await.unwrap();
    let pending = colleague.teacher().pending_justifications(&class, thursday()).unwrap();
    let pending = pending.iter().find(|pending| pending.pupil == child.pupil).unwrap();
    assert_eq!(pending.justification.from, thursday());

    // As a teacher she could decide it; of her own child the office looks at it first.
    let hers = teacher.pending_justifications(&class, thursday()).unwrap();
    let hers = hers.iter().find(|pending| pending.pupil == child.pupil).unwrap();
    let decided = teacher.decide(&class, hers, None).unwrap();
    registro.sync().await.unwrap();
    let written = registro.written().unwrap();
    let entry = written.iter().find(|entry| entry.command == decided).unwrap();
    assert!(matches!(entry.delivery, DeliveryState::WithOffice { .. }), "{:?}", entry.delivery);
    let state = family.absences(child.pupil, thursday()).unwrap()[0].state.clone();
    assert!(matches!(state, RunState::Requested { .. }), "{state:?}");

    // A colleague decides.
    colleague.teacher().decide(&class, pending, None).unwrap();
    colleague.sync().await.unwrap();
    registro.sync().await.unwrap();
    assert_eq!(family.absences(child.pupil, thursday()).unwrap()[0].state, RunState::Approved);
}
