//! Judges raw changes against a saved document: `gate_check -- DOC.automerge CHUNK…`.
//!
//! DOC is a document as it was saved, of any kind; each CHUNK is a file with one raw change, judged against DOC
//! alone. Every step of the gate is run that needs no envelope: bounds, canonical form, graph, operations, section
//! and key grammar, application to a copy, and that the copy saves and loads with the same heads. One JSON line per
//! file, in order: `{"file", "accepted", "reason"}`. Exit status 0; 2 if DOC cannot be read.

use std::fs::File;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use registro_documents::gate::bounds::{MAX_CHUNK, MAX_DOCUMENT};
use registro_documents::gate::{Expectation, Verdict, admit, judge};
use registro_documents::{ChangeHash, Document};

fn main() -> ExitCode {
    // A refusal is a line of the answer, never a trace.
    std::panic::set_hook(Box::new(|_| {}));
    let mut arguments = std::env::args_os().skip(1);
    let Some(path) = arguments.next() else {
        eprintln!("usage: gate_check DOC.automerge CHUNK...");
        return ExitCode::from(2);
    };
    let read = read_at_most(path.as_ref(), MAX_DOCUMENT);
    let loaded = read.and_then(|bytes| {
        catch_unwind(|| Document::load(&bytes))
            .map_err(|_| "it does not load".to_owned())?
            .map_err(|error| error.to_string())
    });
    let document = match loaded {
        Ok(document) => document,
        Err(reason) => {
            let name = path.to_string_lossy();
            eprintln!("{name}: {}", reason.lines().next().unwrap_or_default());
            return ExitCode::from(2);
        }
    };
    let mut out = std::io::stdout().lock();
    for file in arguments {
        let judged = read_at_most(file.as_ref(), MAX_CHUNK)
            .map_err(|reason| format!("bounds: {reason}"))
            .and_then(|chunk| check(&document, &chunk));
        let (accepted, reason) = match judged {
            Ok(reason) => (true, reason.to_owned()),
            Err(reason) => (false, reason),
        };
        let line =
            serde_json::json!({ "file": file.to_string_lossy(), "accepted": accepted, "reason": reason });
        if writeln!(out, "{line}").is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

/// Reads a file that has at most so many bytes.
fn read_at_most(path: &std::path::Path, most: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("it cannot be opened: {error}"))?;
    file.take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.len() > most { Err(format!("it has more than {most} bytes")) } else { Ok(bytes) }
}

fn check(document: &Document, chunk: &[u8]) -> Result<&'static str, String> {
    let whole = || -> Result<&'static str, String> {
        let judged = match judge(document, chunk, &Expectation::default()).map_err(|r| r.to_string())? {
            Verdict::Known(_) => return Ok("known"),
            Verdict::Sound(judged) => judged,
        };
        let mut after = document.clone();
        admit(&mut after, judged).map_err(|refusal| refusal.to_string())?;
        // The last net: never used per change where time counts, but nothing here counts it.
        let heads = |document: &Document| -> Vec<ChangeHash> {
            let mut heads = document.heads();
            heads.sort_unstable();
            heads
        };
        let saved = after.save();
        let expected = heads(&after);
        drop(after);
        match Document::load(&saved) {
            Ok(again) if heads(&again) == expected => Ok("sound"),
            _ => Err("form: the document would not load any more".to_owned()),
        }
    };
    catch_unwind(AssertUnwindSafe(whole)).unwrap_or_else(|_| Err("form: decoding fails".to_owned()))
}
