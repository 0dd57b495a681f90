//! The second factor of the school's own credentials.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod credential_school;
mod sync_school;

use credential_school::*;
use registro_hub::identity::credentials::LogIn;
use registro_hub::identity::credentials::second_factor::{MayEnrol, RemovalProblem, SecondFactor};
use registro_hub::identity::interaction::InteractionId;
use ring::hmac;
use sync_school::*;

/// What an authenticator app shows (RFC 6238), written anew so that the test does not ask the code under test.
fn app(key: &[u8], now: i64) -> String {
    let counter = u64::try_from(now / 30_000).unwrap();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), &counter.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes([tag[at] & 127, tag[at + 1], tag[at + 2], tag[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

fn enrolled() -> (School, String, Vec<u8>, Vec<String>) {
    let school = school();
    let username = school.active(TEACHER, GOOD, morning());
    let key = school.credentials.key_to_enrol(TEACHER).unwrap().unwrap().to_vec();
    assert_eq!(
        school.credentials.key_to_enrol(TEACHER).unwrap().unwrap().to_vec(),
        key,
        "the page may be read again"
    );
    let known = school.known(TEACHER);
    let enrol =
        |typed: &str| school.credentials.enrol(&known, MayEnrol::SecondLevel, typed, morning()).unwrap();
    assert!(enrol("000000").is_none());
    assert_eq!(school.log_in(&username, GOOD, morning()), LogIn::Done(TEACHER), "not in use yet");
    let codes = enrol(&app(&key, morning())).unwrap();
    let codes = codes.iter().map(|code| code.printed().to_string()).collect();
    (school, username, key, codes)
}

#[test]
fn the_password_alone_no_longer_logs_in_and_a_code_works_once() {
    let (school, username, key, _) = enrolled();
    let at = morning() + MINUTE;
    assert_eq!(school.log_in(&username, GOOD, at), LogIn::SecondFactor(TEACHER));
    let attempt = |typed: &str, at: i64| school.credentials.try_second_factor(TEACHER, typed, at).unwrap();
    assert_eq!(attempt(&app(&key, morning()), morning()), SecondFactor::Wrong, "used when it was enrolled");
    assert_eq!(attempt(&app(&key, at), morning()), SecondFactor::Wait { seconds: 1 });
    assert_eq!(attempt(&app(&key, at), at), SecondFactor::Right);
    assert_eq!(attempt(&app(&key, at), at), SecondFactor::Wrong);
    assert!(school.mails(at).iter().any(|mail| mail.contains("two-step verification was turned on")));
}

#[test]
fn codes_are_guessed_a_hundred_times_at_most() {
    let (school, _, key, _) = enrolled();
    let mut at = morning() + MINUTE;
    for _ in 0..100 {
        assert_eq!(school.credentials.try_second_factor(TEACHER, "abcdef", at).unwrap(), SecondFactor::Wrong);
        at += 15 * MINUTE;
    }
    let right = app(&key, at);
    assert_eq!(school.credentials.try_second_factor(TEACHER, &right, at).unwrap(), SecondFactor::OnlyOffice);
    // The office issues anew: that clears failures and factor.
    school.active(TEACHER, OTHER, at);
    assert_eq!(school.log_in(TEACHERS, OTHER, at), LogIn::Done(TEACHER));
}

#[test]
fn each_recovery_code_works_once() {
    let (school, _, _, codes) = enrolled();
    let at = morning() + MINUTE;
    let attempt = |typed: &str, at: i64| school.credentials.try_second_factor(TEACHER, typed, at).unwrap();
    assert_eq!(codes.len(), 8);
    assert_eq!(attempt(&codes[0].to_lowercase(), at), SecondFactor::Recovered { left: 7 });
    assert_eq!(attempt(&codes[0], at), SecondFactor::Wrong);
    assert_eq!(attempt(&codes[7], at + 1_000), SecondFactor::Recovered { left: 6 });
}

#[test]
fn a_short_password_will_do_beside_it_and_then_it_stays() {
    let (school, username, ..) = enrolled();
    let known = school.known(TEACHER);
    let short = "zk4vrtpq";
    school.credentials.change_password(&known, GOOD, short, short, morning()).unwrap().unwrap();
    let remove = |typed: &str, at: i64| school.credentials.remove_second_factor(&known, typed, at).unwrap();
    assert_eq!(remove(short, morning()), Err(RemovalProblem::PasswordTooShort));
    assert_eq!(remove(GOOD, morning()), Err(RemovalProblem::Wrong));
    let at = morning() + MINUTE;
    school.credentials.change_password(&known, short, OTHER, OTHER, at).unwrap().unwrap();
    assert_eq!(remove(OTHER, at), Ok(()));
    assert_eq!(school.log_in(&username, OTHER, at), LogIn::Done(TEACHER));
}

#[test]
fn a_login_waits_five_minutes_for_the_second_factor() {
    let school = school();
    let login = InteractionId([3; 16]);
    school.credentials.begin_step(login, TEACHER, morning()).unwrap();
    assert_eq!(school.credentials.step(login, morning() + 5 * MINUTE - 1).unwrap(), Some(TEACHER));
    assert_eq!(school.credentials.step(login, morning() + 5 * MINUTE).unwrap(), None);
    assert_eq!(school.credentials.step(InteractionId([4; 16]), morning()).unwrap(), None);
    school.credentials.end_step(login).unwrap();
    assert_eq!(school.credentials.step(login, morning()).unwrap(), None);
}

#[test]
fn who_knows_the_password_alone_turns_it_on_through_the_recognised_mailbox_only() {
    let school = school();
    school.active(TEACHER, GOOD, morning());
    let (known, other) = (school.known(TEACHER), school.known(SECOND));
    let credentials = &school.credentials;
    let key = credentials.key_to_enrol(TEACHER).unwrap().unwrap().to_vec();
    let enrol = |token: &str, at: i64| {
        credentials.enrol(&known, MayEnrol::Link(token), &app(&key, at), at).unwrap().is_some()
    };
    assert!(!enrol("", morning()) && !enrol("rubbish", morning()));
    assert!(credentials.ask_enrol(&known, morning()).unwrap());
    let mail = school.mails(morning()).pop().unwrap();
    assert!(mail.contains("To: anna.uno@scuola.example"));
    let token = token(&mail);
    assert!(!credentials.may_enrol(SECOND, MayEnrol::Link(&token), morning()).unwrap());
    let code = app(&key, morning());
    assert!(credentials.enrol(&other, MayEnrol::Link(&token), &code, morning()).unwrap().is_none());
    assert!(!enrol(&token, morning() + 30 * MINUTE), "too old");
    assert!(enrol(&token, morning()));
    assert!(!credentials.may_enrol(TEACHER, MayEnrol::Link(&token), morning()).unwrap(), "used");
}
