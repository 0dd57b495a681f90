//! A person's PIN, as an app meets it.

use registro::{Error, ErrorKind, NextStep, OpenOptions, Pin, Registro};
use registro_store::MemoryVault;

fn pin(digits: &str) -> Pin {
    Pin::new(digits).unwrap()
}

fn open(folder: &tempfile::TempDir, vault: &MemoryVault, pin: Option<Pin>) -> Result<Registro, Error> {
    let options = OpenOptions::for_development(folder.path().join("store"), "http://127.0.0.1:9");
    Registro::open(OpenOptions { pin, ..options }, vault)
}

#[test]
fn a_store_with_a_pin_says_what_it_waits_for() {
    let (folder, vault) = (tempfile::tempdir().unwrap(), MemoryVault::default());
    let registro = open(&folder, &vault, None).unwrap();
    registro.set_pin(&vault, None, Some(&pin("135792"))).unwrap();
    drop(registro);
    let refused = |pin| match open(&folder, &vault, pin) {
        Ok(_) => panic!("it opens"),
        Err(error) => {
            assert_eq!((error.kind, error.next_step()), (ErrorKind::NeedsUser, NextStep::Unlock));
            (error.italian, error.english)
        }
    };
    assert_eq!(refused(None), ("Inserisci il tuo PIN.".to_owned(), "Enter your PIN.".to_owned()));
    let (italian, english) = refused(Some(pin("975318")));
    assert_eq!(
        (italian.as_str(), english.as_str()),
        ("PIN errato: tentativi rimasti 9.", "Wrong PIN: tries left 9.")
    );
    let registro = open(&folder, &vault, Some(pin("135792"))).unwrap();
    registro.set_pin(&vault, Some(&pin("135792")), None).unwrap();
    drop(registro);
    open(&folder, &vault, None).unwrap();
}
