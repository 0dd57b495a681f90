//! Whom a fiscal number names, where mail reaches them, and who is of the first cycle: from the school's files.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

use std::path::{Path, PathBuf};
use std::sync::Arc;

use registro_hub::directory::{self, TableRegistry};
use registro_hub::identity::Identity;
use registro_hub::identity::config::IdentityConfig;
use registro_hub::identity::issuer::Issuer;
use registro_hub::identity::people::{Entitlement, Refusal};
use registro_hub::keys::{KeyFile, SchoolKeyVault};
use registro_hub::{Hub, Random, StandingClock, SystemRandomness, clock};
use registro_model::Date;

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/istituto")
}

/// The sample school, its `scuola.toml` changed.
fn identity(data: &Path, change: impl Fn(String) -> String) -> Identity {
    let files = data.join("files");
    std::fs::create_dir(&files).unwrap();
    for entry in std::fs::read_dir(sample()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), files.join(entry.file_name())).unwrap();
    }
    let toml = std::fs::read_to_string(files.join("scuola.toml")).unwrap();
    std::fs::write(files.join("scuola.toml"), change(toml)).unwrap();
    let (school, report) = registro_hub::import::read(&files);
    let school = school.unwrap_or_else(|| panic!("{:?}", report.errors));
    let mut random = SystemRandomness::new();
    let mut database = registro_hub::log::schema::open(&data.join("hub.sqlite")).unwrap();
    let tx = database.transaction().unwrap();
    directory::apply(&tx, &school, &mut |out| random.fill(out)).unwrap();
    tx.commit().unwrap();
    let now = clock::parse_instant("2026-11-23T07:30:00+01:00").unwrap();
    let key = KeyFile::in_directory(data).school_key(&mut random).unwrap();
    let registry = Box::<TableRegistry>::default();
    let hub = Hub::open(database, registry, key, Box::new(SystemRandomness::new()), now).unwrap();
    let clock = Arc::new(StandingClock::at(now));
    let issuer = Issuer::new(&"https://hub.example".parse().unwrap()).unwrap();
    Identity::open(Arc::new(hub), clock, IdentityConfig::default(), issuer, data, Box::new(random)).unwrap()
}

fn today() -> Date {
    "2026-11-23".parse().unwrap()
}

#[test]
fn a_fiscal_number_names_its_person_and_no_other_code_does() {
    let data = tempfile::tempdir().unwrap();
    let identity = identity(data.path(), |toml| toml);
    let teacher = identity.hub.person_by_code("D001").unwrap();
    assert!(teacher.is_some());
    for number in ["TINIT-NRDSLV76L54M429Q", "NRDSLV76L54M429Q", "tinit-nrdslv76l54m429q"] {
        assert_eq!(identity.person_by_fiscal_number(number).unwrap(), teacher, "{number}");
    }
    let mother = identity.person_by_fiscal_number("TINIT-BTANNA78L54M396J").unwrap().unwrap();
    assert_eq!(identity.name(mother).unwrap().as_deref(), Some("Abate Anna"));
    for number in ["D001", "TINIT-D001", "260001", "", "TINIT-", "NRDSLV76L54M429R", "VATIT-NRDSLV76L54M429Q"]
    {
        assert_eq!(identity.person_by_fiscal_number(number).unwrap(), None, "{number}");
    }
}

#[test]
fn mail_reaches_staff_guardians_and_pupils_and_a_teacher_who_is_a_mother_at_the_schools_address() {
    let data = tempfile::tempdir().unwrap();
    let identity = identity(data.path(), |toml| toml);
    let email = |code: &str| identity.email_of(identity.hub.person_by_code(code).unwrap().unwrap()).unwrap();
    assert_eq!(email("D001").as_deref(), Some("silvia.nardi@iis-santamauro.example"));
    assert_eq!(email("260001").as_deref(), Some("filippo.biondi@studenti.iis-santamauro.example"));
    assert_eq!(email("BTANNA78L54M396J").as_deref(), Some("anna.abate@posta.example"));
    assert!(email("D020").unwrap().ends_with("@iis-santamauro.example"));
}

#[test]
fn in_a_school_of_the_first_cycle_the_pupils_hold_no_account() {
    let data = tempfile::tempdir().unwrap();
    let kind = |toml: String| toml.replace("secondaria_secondo_grado", "comprensivo");
    let identity = identity(data.path(), kind);
    let of = |code: &str| {
        let person = identity.hub.person_by_code(code).unwrap().unwrap();
        identity.entitlement(person, today()).unwrap()
    };
    assert_eq!(of("260001"), Entitlement::Refused(Refusal::FirstCycle));
    assert!(of("BTANNA78L54M396J").is_entitled() && of("D001").is_entitled() && of("P001").is_entitled());
}

#[test]
fn in_a_school_of_both_cycles_every_site_says_by_its_code() {
    let data = tempfile::tempdir().unwrap();
    let kind = |toml: String| {
        toml.replace("secondaria_secondo_grado", "omnicomprensivo").replace("QZTD001017", "QZMM001017")
    };
    let identity = identity(data.path(), kind);
    let (sites, kept) = identity
        .hub
        .look(|registered| {
            let directory = &registered.directory;
            let of_site = |code: &str| {
                let class = |c: &registro_model::ClassCode| directory.classes[c].site.as_str() == code;
                let pupil = directory.pupils.iter().find(|(_, p)| class(&p.classes.last().unwrap().0));
                *pupil.unwrap().0
            };
            ((of_site("C"), of_site("S")), registered.login.first_cycle.len())
        })
        .unwrap();
    assert_eq!(kept, 1);
    assert!(identity.entitlement(sites.0, today()).unwrap().is_entitled());
    assert_eq!(identity.entitlement(sites.1, today()).unwrap(), Entitlement::Refused(Refusal::FirstCycle));
}
