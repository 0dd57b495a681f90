//! The school's own credentials: issued, first accessed, used, changed, reset, ended.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod credential_school;
mod sync_school;

use credential_school::*;
use registro_hub::identity::credentials::change::ChangeProblem;
use registro_hub::identity::credentials::first_access::{Completed, FirstAccess, FirstAccessProblem};
use registro_hub::identity::credentials::issue::{Outcome, Whom};
use registro_hub::identity::credentials::leavers::leavers;
use registro_hub::identity::credentials::reset::ResetProblem;
use registro_hub::identity::credentials::{LogIn, PasswordProblem};
use registro_hub::identity::people::{Entitlement, MonthDay, Refusal};
use sync_school::*;

fn now() -> i64 {
    morning()
}

#[test]
fn a_class_gets_codes_on_paper_pupils_by_number_and_parents_of_one_address_apart() {
    let school = school();
    let issued = school.issue(&Whom::Class(class("3A")), School::how(false, false), now());
    let names: Vec<&str> = issued.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Alfa Primo", "Beta Secondo", "Gamma Terza"]);
    let username = |outcome: &Outcome| match outcome {
        Outcome::Printed { username, code, expires } => {
            assert_eq!((code.printed().len(), *expires), (19, now() + 7 * 24 * 60 * MINUTE));
            username.clone()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!((username(&issued[0].1), username(&issued[1].1)), ("260001".to_owned(), "260002".to_owned()));
    let parents = school.issue(&Whom::Guardians(class("3A")), School::how(false, false), now());
    let names: Vec<String> = parents.iter().map(|(_, outcome)| username(outcome)).collect();
    assert_eq!(parents.len(), 3, "who has no rights by court order gets none");
    assert_eq!(names.iter().filter(|name| *name == "famiglia@posta.example").count(), 1);
    assert_eq!(names.iter().filter(|name| name.starts_with("utente-")).count(), 2);
}

#[test]
fn a_pupil_of_the_first_cycle_and_a_leaver_get_none() {
    let mut school = school();
    let site = school.registered.directory.classes[&class("3A")].site.clone();
    school.registered.login.first_cycle.insert(site);
    let issued = school.issue(&Whom::Class(class("3A")), School::how(false, false), now());
    assert!(
        issued.iter().all(|(_, outcome)| matches!(
            outcome,
            Outcome::Refused(Entitlement::Refused(Refusal::FirstCycle))
        ))
    );
    let parents = school.issue(&Whom::Guardians(class("3A")), School::how(false, false), now());
    assert!(parents.iter().all(|(_, outcome)| matches!(outcome, Outcome::Printed { .. })));
}

#[test]
fn a_code_works_once_for_seven_days_and_the_school_never_learns_the_password() {
    let school = school();
    let (username, code) = school.printed(TEACHER, now());
    let known = school.known(TEACHER);
    let credentials = &school.credentials;
    let access = |password: &str, again: &str, email: &str, at: i64| {
        credentials
            .complete_first_access(&FirstAccess { code: &code, password, again, email }, &known, at)
            .unwrap()
    };
    assert_eq!(school.log_in(&username, "", now()), LogIn::Wrong, "no password is set yet");
    assert!(credentials.invited("AAAA-BBBB-CCCC-DDDD", now()).unwrap().is_none());
    assert!(credentials.invited(&code, now() + 7 * 24 * 60 * MINUTE).unwrap().is_none());
    for (password, problem) in [
        ("corta", PasswordProblem::TooShort { least: 15 }),
        ("passwordpassword1", PasswordProblem::Guessable),
        ("annauno scuola 2026", PasswordProblem::Guessable),
    ] {
        assert_eq!(access(password, password, TEACHERS, now()), Err(problem.into()), "{password}");
    }
    assert_eq!(access(GOOD, OTHER, TEACHERS, now()), Err(PasswordProblem::Differs.into()));
    assert_eq!(access(GOOD, GOOD, "rubbish", now()), Err(FirstAccessProblem::Email));
    assert_eq!(access(GOOD, GOOD, "altra@posta.example", now()), Err(FirstAccessProblem::OtherEmail));
    assert_eq!(access(GOOD, GOOD, "Anna.Uno@Scuola.example", now()), Ok(Completed::ConfirmEmail));
    assert_eq!(access(OTHER, OTHER, TEACHERS, now()), Err(FirstAccessProblem::Code), "used");
    let bytes = ["identity.sqlite", "identity.sqlite-wal"]
        .iter()
        .filter_map(|file| std::fs::read(school.folder.path().join(file)).ok())
        .collect::<Vec<_>>()
        .concat();
    for secret in [GOOD.as_bytes(), code.as_bytes(), code.replace('-', "").as_bytes()] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

#[test]
fn who_logs_in_before_mail_has_reached_them_is_sent_the_link_again() {
    let school = school();
    let (username, code) = school.printed(TEACHER, now());
    let typed = FirstAccess { code: &code, password: GOOD, again: GOOD, email: TEACHERS };
    school.credentials.complete_first_access(&typed, &school.known(TEACHER), now()).unwrap().unwrap();
    let first = token(&school.mails(now())[0]);
    assert_eq!(school.log_in(&username, GOOD, now()), LogIn::ConfirmEmail);
    let second = token(&school.mails(now())[0]);
    assert!(!school.credentials.confirm_email(&first, now()).unwrap(), "the newer link replaces it");
    for _ in 0..5 {
        assert_eq!(school.log_in(&username, GOOD, now()), LogIn::ConfirmEmail);
    }
    let mails = school.mails(now());
    assert_eq!(mails.len(), 1, "three mails an hour");
    assert!(!school.credentials.confirms_email(&second, now()).unwrap());
    assert!(school.credentials.confirm_email(&token(&mails[0]), now()).unwrap());
    assert_eq!(school.log_in(&username, GOOD, now()), LogIn::Done(TEACHER));
}

#[test]
fn a_code_by_mail_confirms_the_address_that_it_came_to() {
    let school = school();
    let issued = school.issue(&Whom::Person(TEACHER), School::how(true, false), now());
    assert!(matches!(&issued[0].1, Outcome::Mailed { username } if username == TEACHERS));
    let no_address = school.issue(&Whom::Person(P1), School::how(true, false), now());
    assert!(matches!(no_address[0].1, Outcome::NoAddress));
    let mail = school.mails(now()).pop().unwrap();
    assert!(mail.contains("To: anna.uno@scuola.example") && mail.contains("Gentile Uno Anna"), "{mail}");
    let code = token(&mail);
    assert!(school.credentials.invited(&code, now()).unwrap().unwrap().by_mail);
    let typed = FirstAccess { code: &code, password: GOOD, again: GOOD, email: "" };
    let done = school.credentials.complete_first_access(&typed, &school.known(TEACHER), now()).unwrap();
    assert_eq!(done, Ok(Completed::Ready));
    assert_eq!(school.log_in(TEACHERS, GOOD, now()), LogIn::Done(TEACHER));
}

#[test]
fn who_exists_cannot_be_told_from_the_answers_however_often_one_asks() {
    let school = school();
    let username = school.active(TEACHER, GOOD, now());
    let mut at = now();
    for tried in 0..120 {
        let (real, none) =
            (school.log_in(&username, OTHER, at), school.log_in("nessuno@posta.example", OTHER, at));
        assert_eq!(real, none, "{tried}");
        assert!(
            if tried < 100 { real == LogIn::Wrong } else { real == LogIn::OnlyReset },
            "{tried}: {real:?}"
        );
        assert_eq!(school.log_in(&username, GOOD, at), school.log_in("nessuno@posta.example", GOOD, at));
        at += 15 * MINUTE;
    }
    assert_eq!(school.log_in(&username, GOOD, at), LogIn::OnlyReset, "the right password as well");
}

#[test]
fn a_flood_of_failures_does_not_keep_the_owner_from_a_reset() {
    let school = school();
    let username = school.active(TEACHER, GOOD, now());
    let mut at = now();
    while school.log_in(&username, "sbagliata", at) != LogIn::OnlyReset {
        at += 15 * MINUTE;
    }
    school.credentials.ask_reset(&username, &school.known_people(), at).unwrap();
    let token = token(&school.mails(at)[0]);
    let known = school.known(TEACHER);
    school.credentials.complete_reset(&token, OTHER, OTHER, &known, at).unwrap().unwrap();
    assert_eq!(school.log_in(&username, OTHER, at), LogIn::Done(TEACHER));
}

#[test]
fn tries_side_by_side_are_not_free() {
    let school = school();
    let username = school.active(TEACHER, GOOD, now());
    let tried: Vec<LogIn> = std::thread::scope(|scope| {
        let tries: Vec<_> =
            (0..8).map(|_| scope.spawn(|| school.log_in(&username, "sbagliata", now()))).collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).collect()
    });
    assert_eq!(tried.iter().filter(|tried| **tried == LogIn::Wrong).count(), 1, "{tried:?}");
}

#[test]
fn a_reset_goes_to_the_recognised_address_works_once_for_half_an_hour_and_tells_the_owner() {
    let school = school();
    let username = school.active(TEACHER, GOOD, now());
    let credentials = &school.credentials;
    let ask = |name: &str, at: i64| credentials.ask_reset(name, &school.known_people(), at).unwrap();
    ask(&username, now());
    ask("nessuno@posta.example", now());
    let mails = school.mails(now());
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("To: anna.uno@scuola.example"));
    let first = token(&mails[0]);
    let known = school.known(TEACHER);
    let reset =
        |token: &str, new: &str, at: i64| credentials.complete_reset(token, new, new, &known, at).unwrap();
    assert_eq!(reset("rubbish", OTHER, now()), Err(ResetProblem::Link));
    assert_eq!(reset(&first, OTHER, now() + 30 * MINUTE), Err(ResetProblem::Link), "too old");
    assert_eq!(reset(&first, "corta", now()), Err(PasswordProblem::TooShort { least: 15 }.into()));
    assert_eq!(
        credentials.complete_reset(&first, OTHER, OTHER, &school.known(SECOND), now()).unwrap(),
        Err(ResetProblem::Link)
    );
    ask(&username, now());
    let second = token(&school.mails(now())[0]);
    assert_eq!(reset(&first, OTHER, now()), Err(ResetProblem::Link), "a newer link replaces it");
    assert_eq!(reset(&second, OTHER, now()), Ok(()));
    assert_eq!(reset(&second, GOOD, now()), Err(ResetProblem::Link), "used");
    assert!(school.mails(now())[0].contains("la tua password è stata cambiata"));
    assert_eq!(school.log_in(&username, GOOD, now()), LogIn::Wrong);
    assert_eq!(school.log_in(&username, OTHER, now() + MINUTE), LogIn::Done(TEACHER));
}

#[test]
fn nobody_can_flood_a_mailbox_with_resets() {
    let school = school();
    let username = school.active(TEACHER, GOOD, now());
    let ask = |at: i64| {
        (0..10).for_each(|_| school.credentials.ask_reset(&username, &school.known_people(), at).unwrap());
        school.mails(at).len()
    };
    assert_eq!(ask(now()), 3);
    assert_eq!(ask(now() + 61 * MINUTE), 3);
}

#[test]
fn a_changed_password_needs_the_old_one() {
    let school = school();
    let username = school.active(TEACHER, GOOD, now());
    let known = school.known(TEACHER);
    let change = |old: &str, new: &str, at: i64| {
        school.credentials.change_password(&known, old, new, new, at).unwrap()
    };
    assert_eq!(change(OTHER, OTHER, now()), Err(ChangeProblem::Wrong));
    assert_eq!(change(GOOD, OTHER, now()), Err(ChangeProblem::Wait { seconds: 1 }));
    assert_eq!(change(GOOD, "corta", now() + 1_000), Err(PasswordProblem::TooShort { least: 15 }.into()));
    assert_eq!(change(GOOD, OTHER, now() + 1_000), Ok(()));
    assert_eq!(school.log_in(&username, OTHER, now() + MINUTE), LogIn::Done(TEACHER));
    assert!(school.mails(now() + MINUTE)[0].contains("your password was changed"));
}

#[test]
fn after_the_last_day_the_method_is_off_for_everybody() {
    let school = school();
    let username = school.active(TEACHER, GOOD, now());
    assert_eq!(school.log_in(&username, GOOD, at("2027-02-01T23:59")), LogIn::Done(TEACHER));
    assert_eq!(school.log_in(&username, GOOD, at("2027-02-02T00:00")), LogIn::Off);
    school.credentials.set_until(None).unwrap();
    assert_eq!(school.log_in(&username, GOOD, now()), LogIn::Off);
}

#[test]
fn leavers_lose_their_credentials_on_31_august_and_who_comes_back_has_them() {
    let mut school = school();
    let pupil = school.active(P1, GOOD, now());
    school.active(TEACHER, GOOD, now());
    let year_end = MonthDay::LAST_OF_YEAR;
    let left = day("2027-01-15");
    school.registered.directory.pupils.get_mut(&P1).unwrap().classes[0].1.to = Some(left);
    let on = |school: &School, date: &str| leavers(&school.registered, year_end, day(date));
    assert!(on(&school, "2027-08-31").is_empty());
    let gone = on(&school, "2027-09-01");
    assert!(
        gone.iter().any(|leaver| leaver.person == P1 && leaver.hands_in_until == Some(day("2027-09-14")))
    );
    assert!(
        gone.iter().any(|leaver| leaver.person == FATHER)
            && !gone.iter().any(|leaver| leaver.person == MOTHER)
    );
    let revoked = school.credentials.revoke(&gone, now()).unwrap();
    assert_eq!((revoked.disabled, revoked.removed), (1, 0));
    assert_eq!(school.credentials.revoke(&gone, now()).unwrap(), Default::default(), "again changes nothing");
    assert!(
        school.credentials.held(P1).unwrap().is_none() && school.credentials.held(TEACHER).unwrap().is_some()
    );
    school.registered.directory.pupils.get_mut(&P1).unwrap().classes[0].1.to = Some(day("2027-08-31"));
    assert_eq!(school.credentials.revoke(&on(&school, "2027-09-01"), now()).unwrap().enabled, 1);
    assert_eq!(school.credentials.held(P1).unwrap().unwrap().username, pupil);
    school.registered.directory.pupils.get_mut(&P1).unwrap().classes[0].1.to = Some(left);
    assert_eq!(school.credentials.revoke(&on(&school, "2027-09-15"), now()).unwrap().removed, 1);
    assert!(!school.credentials.has_any(P1).unwrap());
}

#[test]
fn without_a_mail_server_the_address_is_taken_as_the_office_has_it() {
    let school = school_with(false);
    let username = school.active(TEACHER, GOOD, now());
    assert_eq!(school.log_in(&username, GOOD, now()), LogIn::Done(TEACHER));
    let people = Whom::Person(TEACHER).people(&school.registered, day("2026-11-23")).unwrap();
    assert!(school.credentials.issue(&school.registered, &people, School::how(true, true), now()).is_err());
}
