//! Reads the format of `tests/data/oracles.json` and compares each case with the rules.

use registro_model::ClockTime;
use registro_model::attendance::day::DayBounds;
use registro_model::attendance::{
    DayAttendance, HourSlot, OutKind, OutOfClass, SlotAttendance, SlotStatus, day_hours, slot_hours,
    year_hours,
};
use registro_model::validity::{AbsenceLevel, year_validity};
use serde_json::{Value, json};

/// What became of a file's cases.
#[derive(Debug, Default)]
pub struct Verdict {
    pub judged: usize,
    pub not_judged_yet: usize,
    pub mismatches: Vec<String>,
}

/// Kinds of case about marks, which the rules do not know yet.
const MARKS: [&str; 6] =
    ["media", "leggi_voto", "scrivi_voto", "leggi_giudizio_classeviva", "voto_obiettivo", "credito"];

/// Judges all cases of all groups.
pub fn judge(file: &Value) -> Verdict {
    let mut verdict = Verdict::default();
    let Some(groups) = file.as_object() else {
        verdict.mismatches.push("the file is no object of groups".to_owned());
        return verdict;
    };
    let cases = groups.values().filter_map(|group| group.get("casi")).filter_map(Value::as_array).flatten();
    for case in cases {
        let id = case.get("id").and_then(Value::as_str).unwrap_or("?");
        let kind = case.get("tipo").and_then(Value::as_str).unwrap_or("?");
        if MARKS.contains(&kind) {
            verdict.not_judged_yet += 1;
            continue;
        }
        verdict.judged += 1;
        let expected = case.get("atteso").cloned().unwrap_or(Value::Null);
        let mismatch = match answer(kind, case) {
            Ok(found) => differences(&expected, &found),
            Err(reason) => Some(reason),
        };
        if let Some(mismatch) = mismatch {
            verdict.mismatches.push(format!("{id} ({kind}): {mismatch}"));
        }
    }
    verdict
}

/// Every expected field must be found with the same value.
fn differences(expected: &Value, found: &Value) -> Option<String> {
    let fields = expected.as_object()?;
    let wrong: Vec<_> = fields
        .iter()
        .filter(|(name, value)| found.get(name.as_str()) != Some(value))
        .map(|(name, value)| {
            format!("{name} should be {value}, is {}", found.get(name).unwrap_or(&Value::Null))
        })
        .collect();
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

fn answer(kind: &str, case: &Value) -> Result<Value, String> {
    match kind {
        "ore_giorno" => day(case),
        "ore_giorno_orario" => slots_of_a_day(case),
        "somma_materia_periodo" => {
            let sum: u64 = numbers(case, "mezze_unita")?.iter().map(|n| u64::from(*n)).sum();
            Ok(json!({ "totale_mezze_unita": sum, "ore_intere": sum / 2 }))
        }
        "totale_anno" => {
            Ok(json!({ "ore_totali": year_hours(numbers(case, "mezze_unita_per_materia_e_periodo")?) }))
        }
        "validita_anno" => validity(case),
        _ => Err("unknown tipo".to_owned()),
    }
}

fn number(case: &Value, name: &str) -> Result<u32, String> {
    let value = case.get(name).and_then(Value::as_u64).ok_or_else(|| format!("`{name}` is no number"))?;
    u32::try_from(value).map_err(|_| format!("`{name}` is too large"))
}

fn numbers(case: &Value, name: &str) -> Result<Vec<u32>, String> {
    let list = case.get(name).and_then(Value::as_array).ok_or_else(|| format!("`{name}` is no list"))?;
    list.iter()
        .map(|value| {
            value
                .as_u64()
                .and_then(|n| u32::try_from(n).ok())
                .ok_or_else(|| format!("`{name}` holds no number"))
        })
        .collect()
}

fn time(value: &Value, name: &str) -> Result<Option<ClockTime>, String> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(text) => {
            let text = text.as_str().ok_or_else(|| format!("`{name}` is no time"))?;
            text.parse().map(Some).map_err(|_| format!("`{name}` is no time"))
        }
    }
}

fn slots(case: &Value) -> Result<Vec<HourSlot>, String> {
    let list = case.get("fasce").and_then(Value::as_array).ok_or("`fasce` is no list")?;
    list.iter()
        .map(|slot| {
            Ok(HourSlot {
                start: time(slot, "inizio")?.ok_or("a slot has no start")?,
                end: time(slot, "fine")?.ok_or("a slot has no end")?,
                half_units: number(slot, "mezze_unita")?,
                signed: slot.get("firmata").and_then(Value::as_bool).unwrap_or(true),
            })
        })
        .collect()
}

fn day(case: &Value) -> Result<Value, String> {
    let slots = slots(case)?;
    let (Some(first), Some(last)) = (slots.first(), slots.last()) else { return Err("no slots".to_owned()) };
    let bounds = DayBounds { start: first.start, end: last.end };
    let mut attendance = DayAttendance::default();
    let mut allowed = Vec::new();
    for operation in case.get("operazioni").and_then(Value::as_array).into_iter().flatten() {
        let at = |name: &str| time(operation, name)?.ok_or_else(|| format!("`{name}` is missing"));
        let done = match operation.get("tipo").and_then(Value::as_str) {
            Some("assenza") => attendance.record_absence(),
            Some("entrata") => attendance.record_entry(at("ora")?, bounds),
            Some("uscita") => attendance.record_exit(at("ora")?, bounds),
            Some("fuori_classe") => attendance.record_out(OutOfClass {
                kind: OutKind::InSchool,
                from: time(operation, "da")?,
                to: time(operation, "a")?,
            }),
            other => return Err(format!("unknown operation {other:?}")),
        };
        allowed.push(done.is_ok());
    }
    let short =
        u16::try_from(number(case, "ritardo_breve_minuti").unwrap_or(10)).map_err(|_| "too many minutes")?;
    let hours = day_hours(&attendance, &slots);
    Ok(json!({
        "operazioni_ammesse": allowed,
        "ritardo_breve": attendance.is_short_late(bounds, short),
        "assente": attendance.absent,
        "mezze_unita_per_fascia": hours,
        "totale_mezze_unita": hours.iter().sum::<u32>(),
    }))
}

fn slots_of_a_day(case: &Value) -> Result<Value, String> {
    let slots = slots(case)?;
    let list = case.get("stati").and_then(Value::as_array).ok_or("`stati` is no list")?;
    let states = list
        .iter()
        .map(|state| {
            let status = match state.as_str().or_else(|| state.get("stato").and_then(Value::as_str)) {
                Some("P") => SlotStatus::Present,
                Some("A") => SlotStatus::Absent,
                Some("F") => SlotStatus::Out,
                other => return Err(format!("unknown state {other:?}")),
            };
            Ok(SlotAttendance { status, entry: time(state, "entrata")?, exit: time(state, "uscita")? })
        })
        .collect::<Result<Vec<_>, String>>()?;
    if states.len() != slots.len() {
        return Err("`stati` and `fasce` differ in length".to_owned());
    }
    let hours = slot_hours(&states, &slots);
    Ok(json!({
        "mezze_unita_per_fascia": hours,
        "totale_mezze_unita": hours.iter().sum::<u32>(),
        "giornata_intera": states.iter().all(|state| state.status == SlotStatus::Absent),
    }))
}

fn validity(case: &Value) -> Result<Value, String> {
    let waiver = case.get("deroga").and_then(Value::as_bool).unwrap_or(false);
    let found = year_validity(
        number(case, "ore_annue")?,
        number(case, "ore_assenza")?,
        number(case, "ore_assenza_scuola_precedente").unwrap_or(0),
        waiver,
        20,
        25,
    );
    Ok(json!({
        "presenza_minima": found.least_presence,
        "assenza_massima": found.most_absence,
        "assenze_totali": found.absence,
        "limite_rispettato": found.within_limit,
        "scrutinabile": found.may_be_assessed,
        "livello": match found.level {
            // The format names only the two levels above it.
            AbsenceLevel::Fine => match case.pointer("/atteso/livello").and_then(Value::as_str) {
                Some("avviso" | "pericolo") | None => "nessuno",
                Some(other) => other,
            },
            AbsenceLevel::Warning => "avviso",
            AbsenceLevel::Danger => "pericolo",
        },
    }))
}
