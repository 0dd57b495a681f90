//! Random histories of one pupil's record: replicas that write, exchange, and are accepted by a hub.

use std::collections::BTreeMap;

use registro_documents::certificate::CertificateId;
use registro_documents::gate::{self, Code, Expectation, Verdict};
use registro_documents::merge::{Origin, Origins};
use registro_documents::write::{Put, write};
use registro_documents::{AcceptanceRecord, Document, Fact, Hash, Kind};
use registro_model::{Capacity, CommandId, PersonId, Standing};

pub const ENTRY: &str = "2026-11-23/entry";

pub fn put(key: &str, fact: Fact) -> Put {
    Put { section: "attendance".into(), key: key.into(), fact }
}

pub fn entry(v: u8, time: &str) -> Put {
    put(ENTRY, Fact::new(CommandId([v; 8]), Capacity::Lesson).with("slot", 1u8).with("time", time))
}

/// A change as it was made.
#[derive(Debug, Clone)]
pub struct Made {
    pub chunk: Vec<u8>,
    pub hash: Hash,
    pub author: usize,
    pub standing: Standing,
    pub keys: Vec<String>,
}

/// Replicas of one record, all changes in the order in which they were made, and what the hub says of them.
#[derive(Debug, Clone)]
pub struct History {
    replicas: Vec<Document>,
    pub made: Vec<Made>,
    pub origins: BTreeMap<Hash, Origin>,
}

impl Origins for History {
    fn origin(&self, change: &Hash) -> Origin {
        self.origins.get(change).copied().unwrap_or(Origin::Unconfirmed(Standing::Pupil))
    }

    fn author(&self, actor: &[u8; 16]) -> Option<(PersonId, CertificateId)> {
        Some((PersonId(*actor), [actor[0]; 32]))
    }
}

impl History {
    pub fn new(replicas: usize) -> Self {
        let replicas = vec![Document::founded(Kind::PupilRecord); replicas];
        Self { replicas, made: vec![], origins: BTreeMap::new() }
    }

    pub fn replica(&self, n: usize) -> &Document {
        &self.replicas[n]
    }

    /// Writes on everything that the replica holds. Accepted at once, at the next position.
    pub fn write(&mut self, replica: usize, puts: &[Put], standing: Standing) {
        let actor = [u8::try_from(replica + 1).unwrap(); 16];
        let document = &mut self.replicas[replica];
        let written = write(document, actor, None, 0, puts).unwrap();
        assert!(deliver(document, &written.chunk));
        let position = self.made.len() as u64 + 1;
        let hash = written.hash.0;
        self.origins.insert(
            hash,
            Origin::Accepted(AcceptanceRecord { position, received: 0, standing, seen_is_lost: false }),
        );
        let keys = puts.iter().map(|put| put.key.clone()).collect();
        self.made.push(Made { chunk: written.chunk, hash, author: replica, standing, keys });
    }

    /// One replica tells another all that it holds.
    pub fn exchange(&mut self, from: usize, to: usize) {
        let told: Vec<Vec<u8>> = self
            .made
            .iter()
            .filter(|made| self.replicas[from].contains(&registro_documents::ChangeHash(made.hash)))
            .map(|made| made.chunk.clone())
            .collect();
        for chunk in told {
            assert!(deliver(&mut self.replicas[to], &chunk));
        }
    }
}

/// Through the gate into the document; false if it rests on what is not there yet.
pub fn deliver(document: &mut Document, chunk: &[u8]) -> bool {
    match gate::judge(document, chunk, &Expectation::default()) {
        Ok(Verdict::Known(_)) => true,
        Ok(Verdict::Sound(judged)) => gate::admit(document, judged).is_ok(),
        Err(refusal) if refusal.code == Code::Missing => false,
        Err(refusal) => panic!("an honest change is refused: {refusal}"),
    }
}
