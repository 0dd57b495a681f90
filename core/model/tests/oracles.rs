//! The worked cases of the repository, judged.

mod judge;

#[test]
fn every_worked_case_of_the_sample_agrees() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/oracles.json");
    let value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let verdict = judge::judge(&value);
    assert_eq!(verdict.mismatches, Vec::<String>::new());
    assert_eq!(verdict.judged, 22);
}

#[test]
fn a_wrong_answer_and_an_unknown_type_are_mismatches() {
    let case = serde_json::json!({"presenze": {"casi": [
        {"id": "X1", "tipo": "totale_anno", "mezze_unita_per_materia_e_periodo": [21, 11], "atteso": {"ore_totali": 16}},
        {"id": "X2", "tipo": "oroscopo", "atteso": {}},
    ]}, "voti": {"casi": [{"id": "X3", "tipo": "media", "atteso": {}}]}});
    let verdict = judge::judge(&case);
    assert_eq!(verdict.mismatches.len(), 2);
    assert_eq!(verdict.not_judged_yet, 1);
}
