//! Changes that say what an honest one says, in other bytes; and times that no clock shows.

use registro_documents::gate::Code;

use super::chunk::Chunk;
use super::*;

/// An honest change over the conflict, taken apart: it has two dependencies, two predecessors, several actors.
fn resolution() -> (Document, Chunk) {
    let document = record();
    let chunk = Chunk::read(&bytes(&honest(&document, "2026-11-24/absence")));
    assert!(chunk.deps.len() == 2 && chunk.others.len() == 3);
    (document, chunk)
}

#[test]
fn a_change_taken_apart_and_put_together_is_the_same() {
    let (document, chunk) = resolution();
    assert_eq!(chunk.bytes(), bytes(&honest(&document, "2026-11-24/absence")));
    assert!(gate::judge(&document, &chunk.bytes(), &Expectation::default()).is_ok());
}

#[test]
fn dependencies_out_of_order_are_refused() {
    let (document, mut chunk) = resolution();
    chunk.deps.reverse();
    refused(&document, &chunk.bytes(), Code::Form);
}

#[test]
fn other_actors_out_of_order_unused_or_the_own_are_refused() {
    let (document, chunk) = resolution();
    for order in [[1, 0, 2], [0, 2, 1], [2, 1, 0]] {
        let others = order.iter().map(|index: &usize| chunk.others[*index].clone()).collect();
        refused(&document, &Chunk { others, ..chunk.clone() }.bytes(), Code::Form);
    }
    for extra in [AUTHOR, ATTACKER, [99; 16]] {
        let mut others = chunk.others.clone();
        others.push(extra.to_vec());
        refused(&document, &Chunk { others, ..chunk.clone() }.bytes(), Code::Form);
    }
}

#[test]
fn predecessors_out_of_order_are_refused() {
    let (document, mut chunk) = resolution();
    // The two predecessors have the same counter and two actors, which the column names one after the other.
    let actors = chunk.columns.iter_mut().find(|(spec, _)| *spec == 0x71).unwrap();
    let two = actors.1.len() - 2;
    actors.1[two..].reverse();
    refused(&document, &chunk.bytes(), Code::Form);
}

#[test]
fn columns_out_of_order_empty_or_twice_are_refused() {
    let (document, chunk) = resolution();
    let mut swapped = chunk.clone();
    swapped.columns.swap(0, 1);
    refused(&document, &swapped.bytes(), Code::Form);
    let mut twice = chunk.clone();
    twice.columns.insert(0, twice.columns[0].clone());
    refused(&document, &twice.bytes(), Code::Form);
    for spec in [0x91, 0x93, 0x96, 0x97, 0xf5] {
        let mut more = chunk.clone();
        more.columns.push((spec, vec![]));
        refused(&document, &more.bytes(), Code::Form);
    }
}

#[test]
fn a_wrong_checksum_is_refused_also_on_a_change_that_is_known() {
    let document = record();
    let head = document.heads()[0];
    let known = document.raw_change(&head).unwrap();
    assert!(matches!(gate::judge(&document, &known, &Expectation::default()), Ok(Verdict::Known(_))));
    for at in 4..8 {
        let mut wrong = known.clone();
        wrong[at] ^= 1;
        refused(&document, &wrong, Code::Form);
        // The signature covers what the hash covers: these are not the bytes that the author signed.
        assert_eq!(gate::chunk_hash(&wrong), None);
    }
    assert_eq!(gate::chunk_hash(&known), Some(head));
}

#[test]
fn no_time_harms_the_document() {
    let most = gate::bounds::TIME_LIMIT - 1;
    for times in [
        [most, -most],
        [-most, most],
        [i64::MAX, i64::MIN],
        [i64::MIN, i64::MAX],
        [1 << 53, -(1 << 53)],
        [0, -1],
    ] {
        let mut document = record();
        for (number, time) in times.into_iter().enumerate() {
            let actor = [70 + number as u8; 16];
            let key = format!("2026-12-0{}/absence", number + 1);
            let written = write(&document, actor, None, 0, &[put(70, &key)]).unwrap();
            let chunk = Chunk { time, ..Chunk::read(&written.chunk) }.bytes();
            // Automerge stores differences between times: beyond this, the next honest write would panic.
            if time.checked_abs().is_none_or(|time| time > most) {
                refused(&document, &chunk, Code::Bounds);
                continue;
            }
            let Ok(Verdict::Sound(judged)) = gate::judge(&document, &chunk, &Expectation::default()) else {
                panic!("{time} is refused")
            };
            gate::admit(&mut document, judged).unwrap();
            is_sound(&document);
        }
    }
}
