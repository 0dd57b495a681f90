//! The queue: what waits is sealed, sent once, tried again, given up.

use std::sync::Mutex;

use super::transport::SmtpOrFolder;
use super::*;
use crate::identity::credentials::tables;
use crate::random::SystemRandomness;

type Sent = Arc<Mutex<Vec<String>>>;
type Answer = Arc<Mutex<Result<(), NotSent>>>;

struct Server(Sent, Answer);

impl Mailer for Server {
    fn send(&self, to: &str, _: &str, text: &str) -> Result<(), NotSent> {
        let answer = *self.1.lock().unwrap();
        if answer.is_ok() {
            self.0.lock().unwrap().push(format!("{to}: {text}"));
        }
        answer
    }
}

fn queue() -> (Mail, Sent, Answer) {
    let store = Arc::new(IdentityStore::in_memory().unwrap());
    tables::migrate(&store).unwrap();
    let (sent, answer): (Sent, Answer) = (Sent::default(), Arc::new(Mutex::new(Ok(()))));
    let mail = Mail {
        mailer: Some(Box::new(Server(Arc::clone(&sent), Arc::clone(&answer)))),
        issuer: Issuer::new(&"https://hub.example".parse().unwrap()).unwrap(),
        store,
        keys: Arc::new(CredentialKeys::of(&[1; 32]).unwrap()),
        random: Randomness::new(Box::new(SystemRandomness::new())),
    };
    (mail, sent, answer)
}

fn put(mail: &Mail, to: Option<&str>, expires: i64) {
    let letter = Letter { to: to.map(str::to_owned), subject: "s".to_owned(), text: "canary".to_owned() };
    mail.enqueue(&mail.store.lock().unwrap(), &letter, 0, expires).unwrap();
}

#[test]
fn a_mail_is_sealed_sent_once_and_gone() {
    let (mail, sent, _) = queue();
    put(&mail, Some("anna@posta.example"), 1_000);
    put(&mail, None, 1_000);
    let stored: Vec<u8> =
        mail.store.lock().unwrap().query_row("SELECT letter FROM mail", [], |row| row.get(0)).unwrap();
    assert!(!stored.windows(6).any(|window| window == b"canary"));
    assert_eq!(mail.deliver(1).unwrap(), Delivered { sent: 1, dropped: 1, ..Delivered::default() });
    assert_eq!(mail.deliver(2).unwrap(), Delivered::default());
    assert_eq!(*sent.lock().unwrap(), ["anna@posta.example: canary"]);
}

#[test]
fn a_mail_waits_for_the_server_longer_each_time_and_is_given_up_when_it_is_too_old() {
    let (mail, sent, answer) = queue();
    *answer.lock().unwrap() = Err(NotSent::ForNow);
    put(&mail, Some("anna@posta.example"), 3_600_000);
    assert_eq!(mail.deliver(0).unwrap().postponed, 1);
    assert_eq!(mail.deliver(59_999).unwrap().postponed, 0);
    assert_eq!(mail.deliver(60_000).unwrap().postponed, 1);
    assert_eq!(mail.deliver(120_000).unwrap().postponed, 0);
    *answer.lock().unwrap() = Ok(());
    assert_eq!(mail.deliver(360_000).unwrap().sent, 1);
    assert_eq!(sent.lock().unwrap().len(), 1);
    *answer.lock().unwrap() = Err(NotSent::ForNow);
    put(&mail, Some("anna@posta.example"), 3_600_000);
    assert_eq!(mail.deliver(3_600_000).unwrap(), Delivered::default());
}

#[test]
fn a_mail_that_the_server_refuses_for_good_does_not_hold_up_the_others() {
    let (mail, _, answer) = queue();
    *answer.lock().unwrap() = Err(NotSent::ForGood);
    put(&mail, Some("anna@posta.example"), 1_000);
    assert_eq!(mail.deliver(1).unwrap().given_up, 1);
    assert_eq!(mail.deliver(2).unwrap(), Delivered::default());
}

#[test]
fn a_mail_that_another_key_sealed_does_not_hold_up_the_others() {
    let (mail, sent, _) = queue();
    let junk = "INSERT INTO mail (letter, next, expires) VALUES (x'00', 0, 1000)";
    mail.store.lock().unwrap().execute(junk, []).unwrap();
    put(&mail, Some("anna@posta.example"), 1_000);
    assert_eq!(mail.deliver(1).unwrap(), Delivered { sent: 1, given_up: 1, ..Delivered::default() });
    assert_eq!(sent.lock().unwrap().len(), 1);
}

#[test]
fn who_asks_without_end_for_names_that_do_not_exist_keeps_no_mail_from_others() {
    let (mail, sent, _) = queue();
    (0..MAX_TO_NOBODY + 10).for_each(|_| put(&mail, None, 1_000));
    put(&mail, Some("anna@posta.example"), 1_000);
    let mut goes = 0;
    while mail.deliver(1).unwrap().is_full() {
        goes += 1;
    }
    assert_eq!((goes, sent.lock().unwrap().len()), (MAX_TO_NOBODY / AT_ONCE as i64, 1));
}

#[test]
fn a_link_is_of_the_hubs_own_name() {
    let (mail, ..) = queue();
    assert_eq!(mail.link("/reset/new", "token", "a b&c"), "https://hub.example/reset/new?token=a+b%26c");
}

#[test]
fn settings_that_do_not_hold_are_told_by_name() {
    let error = |text: &str| {
        let config = toml::from_str::<MailConfig>(text).unwrap();
        SmtpOrFolder::new(&config).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(error("from = 'nobody'").contains("mail.from"));
    assert!(error("from = 'a@b.example'").contains("mail.host"));
    assert!(error("from = 'a@b.example'\nhost = 'mail.example'\ntls = 'none'").contains("mail.tls"));
    assert!(error("from = 'a@b.example'\nhost = 'mail.example'\nuser = 'u'").contains("mail.user"));
    assert_eq!(error("from = 'Scuola <a@b.example>'\nhost = 'mail.example'\ntls = 'always'"), "");
}
