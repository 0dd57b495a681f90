//! Files of other schools: the forms that are read alike, and every kind of mistake where it is and only there.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

use std::path::{Path, PathBuf};

use registro_hub::directory::{self, TableRegistry};
use registro_hub::import::{self, ImportedSchool, Report};
use registro_hub::registry::Registry;
use registro_hub::{Random, SystemRandomness};
use rusqlite::Connection;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/istituto");

/// A copy of the sample school to spoil.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(SAMPLE).unwrap() {
            let entry = entry.unwrap();
            std::fs::write(folder.path().join(entry.file_name()), std::fs::read(entry.path()).unwrap())
                .unwrap();
        }
        Self(folder)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(file), bytes).unwrap();
    }

    /// Cells of a file; the sample quotes none that holds a separator.
    fn cells(&self, file: &str) -> Vec<Vec<String>> {
        self.text(file).lines().map(|line| line.split(';').map(str::to_owned).collect()).collect()
    }

    fn set(&self, file: &str, line: usize, column: &str, value: &str) {
        let mut cells = self.cells(file);
        let index = cells[0].iter().position(|name| name == column).unwrap();
        cells[line - 1][index] = value.to_owned();
        let lines: Vec<String> = cells.iter().map(|row| row.join(";")).collect();
        self.write(file, lines.join("\n") + "\n");
    }

    fn get(&self, file: &str, line: usize, column: &str) -> String {
        let cells = self.cells(file);
        cells[line - 1][cells[0].iter().position(|name| name == column).unwrap()].clone()
    }

    fn read(&self) -> (Option<ImportedSchool>, Report) {
        import::read(self.0.path())
    }
}

fn tables() -> Vec<&'static str> {
    vec![
        "alunni.csv",
        "calendario.csv",
        "campanelle.csv",
        "cattedre.csv",
        "classi.csv",
        "docenti.csv",
        "gruppi.csv",
        "materie.csv",
        "personale.csv",
        "trasferimenti.csv",
    ]
}

fn places(report: &Report) -> Vec<(String, u64, String)> {
    report.errors.iter().map(|e| (e.file.clone(), e.line, e.column.clone())).collect()
}

fn assert_only(copy: &Copy, file: &str, line: u64, column: &str) {
    let (school, report) = copy.read();
    assert_eq!(places(&report), [(file.to_owned(), line, column.to_owned())], "{:?}", report.errors);
    assert!(school.is_none());
}

#[test]
fn every_form_of_the_same_tables_reads_alike() {
    let sample = import::read(Path::new(SAMPLE)).0.unwrap();
    let written = |rows: Vec<Vec<String>>, separator: &str, [before, after, end]: [&str; 3]| -> String {
        let line = |row: &Vec<String>| {
            let cells: Vec<_> = row.iter().map(|cell| format!("{before}{cell}{after}")).collect();
            cells.join(separator) + end
        };
        rows.iter().map(line).collect()
    };
    let turned = |rows: Vec<Vec<String>>| -> Vec<Vec<String>> {
        rows.into_iter().map(|row| row.into_iter().rev().collect()).collect()
    };
    type Form<'a> = (&'a str, Box<dyn Fn(Vec<Vec<String>>) -> String + 'a>);
    let forms: Vec<Form<'_>> = vec![
        (
            "comma, quoted, CRLF, BOM",
            Box::new(|rows| "\u{feff}".to_owned() + &written(rows, ",", ["\"", "\"", "\r\n"])),
        ),
        ("blanks around values", Box::new(|rows| written(rows, ";", ["  ", "\t", "\n"]))),
        ("blanks around quotes", Box::new(|rows| written(rows, ";", [" \"", "\" ", "\n"]))),
        (
            "columns the other way round, empty lines",
            Box::new(|rows| written(turned(rows), ";", ["", "", "\n"]) + "\n\n  \n\r\n"),
        ),
    ];
    for (name, form) in forms {
        let copy = Copy::new();
        for file in tables() {
            copy.write(file, form(copy.cells(file)));
        }
        let (school, report) = copy.read();
        assert_eq!(report, Report::default(), "{name}");
        assert_eq!(school.unwrap(), sample, "{name}");
    }
}

#[test]
fn windows_1252_and_fiscal_codes_in_lower_case() {
    let copy = Copy::new();
    copy.set("alunni.csv", 2, "cognome", "Niccolò");
    let code = copy.get("alunni.csv", 2, "codice_fiscale").to_lowercase();
    copy.set("alunni.csv", 2, "codice_fiscale", &code);
    // Letters up to U+00FF have the same number in Windows-1252; the sample has a few names beyond.
    let bytes: Vec<u8> =
        copy.text("alunni.csv").chars().map(|letter| u8::try_from(letter).unwrap_or(b'?')).collect();
    copy.write("alunni.csv", bytes);
    let school = copy.read().0.unwrap();
    assert!(school.pupils[0].name.starts_with("Niccolò "));
    assert_eq!(school.pupils[0].fiscal_code, code.to_uppercase());
}

#[test]
fn one_mistake_is_one_error_at_its_place() {
    let wrong = [
        ("alunni.csv", 50, "classe", "9Z"),
        ("alunni.csv", 50, "gruppo", "9Z"),
        ("alunni.csv", 50, "data_nascita", "30/02/2011"),
        ("alunni.csv", 50, "codice_fiscale", "BNDFPP12H13M385H"),
        ("alunni.csv", 50, "g1_codice_fiscale", "BNDFPP12H13M385H"),
        ("classi.csv", 4, "sede", "Z"),
        ("classi.csv", 4, "coordinatore", "Z9"),
        ("classi.csv", 4, "ore_settimanali", "x"),
        ("docenti.csv", 9, "codice_fiscale", "BNDFPP12H13M385H"),
        ("docenti.csv", 9, "dal", "31/04/2027"),
        ("materie.csv", 4, "tipo", "?"),
        ("campanelle.csv", 3, "inizio", "25:00"),
        ("campanelle.csv", 3, "inizio", "09:10"),
        ("campanelle.csv", 3, "giorno", "9"),
        ("cattedre.csv", 9, "alunno", "1"),
        ("cattedre.csv", 9, "supplisce", "Z9"),
        ("cattedre.csv", 9, "al", "29/02/2027"),
        ("trasferimenti.csv", 3, "matricola", "1"),
        ("trasferimenti.csv", 3, "classe_a", "9Z"),
        ("gruppi.csv", 3, "classi", "3H 9Z"),
        ("calendario.csv", 3, "dal", "31/11/2026"),
    ];
    for (file, line, column, value) in wrong {
        let copy = Copy::new();
        copy.set(file, line, column, value);
        assert_only(&copy, file, line as u64, column);
    }
}

#[test]
fn where_two_lines_contradict_each_other_the_later_one_is_at_fault() {
    for column in ["matricola", "codice_fiscale"] {
        let copy = Copy::new();
        let earlier = copy.get("alunni.csv", 40, column).to_lowercase();
        copy.set("alunni.csv", 50, column, &earlier);
        assert_only(&copy, "alunni.csv", 50, column);
    }
    let copy = Copy::new();
    copy.set("campanelle.csv", 3, "fine", "10:30");
    assert_only(&copy, "campanelle.csv", 4, "inizio");
}

#[test]
fn a_missing_file_or_column_is_one_error() {
    for file in tables().into_iter().chain(["orario.txt", "scuola.toml"]) {
        let copy = Copy::new();
        std::fs::remove_file(copy.path(file)).unwrap();
        assert_only(&copy, file, 1, "");
    }
    let copy = Copy::new();
    copy.set("docenti.csv", 1, "sigla", "altro");
    assert_only(&copy, "docenti.csv", 1, "sigla");
}

#[test]
fn a_line_break_inside_quotes_shifts_no_line_number() {
    let copy = Copy::new();
    copy.set("alunni.csv", 11, "indirizzo", "\"Via Roma 1\nscala B\"");
    assert!(copy.read().0.is_some());
    copy.write("alunni.csv", copy.text("alunni.csv").replace("260049;", "260049;\"x"));
    let line =
        copy.text("alunni.csv").lines().position(|line| line.starts_with("260049;")).unwrap() as u64 + 1;
    assert_only(&copy, "alunni.csv", line, "");
}

#[test]
fn warnings_stop_nothing() {
    let copy = Copy::new();
    let mut text = copy.text("docenti.csv");
    let repeated = text.lines().nth(4).unwrap().to_owned() + "\n";
    text.push_str(&repeated);
    copy.write("docenti.csv", text);
    copy.write("classi.csv", copy.text("classi.csv") + "6Z;5;Z;LS;C;27;X;;\n");
    // Born on a 29 February: of age on 1 March.
    copy.set("alunni.csv", 3, "data_nascita", "29/02/2012");
    for column in ["cognome", "nome", "codice_fiscale"] {
        copy.set("alunni.csv", 3, &format!("g1_{column}"), "");
        copy.set("alunni.csv", 3, &format!("g2_{column}"), "");
    }
    let (school, report) = copy.read();
    let kinds: Vec<_> = report.warnings.iter().map(|w| (w.file.as_str(), w.line, w.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("alunni.csv", 3, "no-guardian"),
            ("classi.csv", 42, "class-without-lessons"),
            ("classi.csv", 42, "class-without-pupils"),
            ("docenti.csv", 102, "repeated-line"),
        ]
    );
    assert_eq!(school.unwrap().staff.len(), 127);
}

#[test]
fn a_number_may_be_a_pupils_and_a_teachers_and_codes_may_be_in_lower_case() {
    let copy = Copy::new();
    copy.write("docenti.csv", copy.text("docenti.csv").replace("D001;", "260003;"));
    for file in ["cattedre.csv", "classi.csv"] {
        copy.write(file, copy.text(file).replace("D001", "260003"));
    }
    copy.write("personale.csv", copy.text("personale.csv").replace("P002;", "p002;"));
    let (school, report) = copy.read();
    assert_eq!(report, Report::default());
    let school = school.unwrap();
    let database = Connection::open_in_memory().unwrap();
    directory::apply(&database, &school, &mut |out| SystemRandomness::new().fill(out)).unwrap();
    let registry = TableRegistry::default();
    let id = |code: &str| registry.person_by_code(&database, code).unwrap();
    let teacher = school.staff.iter().find(|row| row.code == "260003").unwrap();
    let pupil = school.pupils.iter().find(|row| row.number == "260003").unwrap();
    assert_eq!(id("260003"), id(&teacher.fiscal_code));
    assert_ne!(id(&pupil.fiscal_code), id(&teacher.fiscal_code));
    assert!(id("p002").is_some());
    let registered = registry.load(&database).unwrap();
    assert_eq!(registered.directory.pupils[&id(&pupil.fiscal_code).unwrap()].name, pupil.name);
}

#[test]
fn a_row_that_is_missing_later_removes_nothing() {
    let database = Connection::open_in_memory().unwrap();
    let mut random = SystemRandomness::new();
    let mut apply = |copy: &Copy| {
        directory::apply(&database, &copy.read().0.unwrap(), &mut |out| random.fill(out)).unwrap()
    };
    let copy = Copy::new();
    let first = apply(&copy);
    assert_eq!((first.changed, first.unchanged), (0, 0));
    let second = apply(&copy);
    assert_eq!((second.inserted, second.changed, second.unchanged), (0, 0, first.inserted));
    let registry = TableRegistry::default();
    let before = registry.load(&database).unwrap();

    let without = |file: &str, start: &str| {
        let text = copy.text(file);
        copy.write(file, text.lines().filter(|line| !line.starts_with(start)).collect::<Vec<_>>().join("\n"));
    };
    without("trasferimenti.csv", "260161;");
    without("calendario.csv", "02/11/2026;");
    let third = apply(&copy);
    assert_eq!((third.inserted, third.changed), (0, 0));
    let kinds: Vec<_> = third.missing.iter().map(|(kind, key)| (kind.as_str(), key.as_str())).collect();
    assert_eq!(kinds, [("move", "260161/2026-11-23/PARTENZA"), ("closure", "2026-11-02/2026-11-02/HD/")]);
    let after = registry.load(&database).unwrap();
    assert_eq!(before.directory.pupils, after.directory.pupils);
    assert_eq!(before.school.closed_days, after.school.closed_days);
}
