//! The day's end: do all devices and the hub agree, and is every acknowledged write present?

use std::collections::{BTreeMap, BTreeSet};

use registro::DeliveryState;
use registro_hub::Hub;
use registro_model::{CommandId, DocumentId};

use crate::processes::Failure;
use crate::stage::Player;

/// The day in figures.
#[derive(Debug, Default)]
pub struct Outcome {
    pub agree: bool,
    pub acknowledged: usize,
    pub lost: usize,
    pub refused: usize,
    pub conflicts_shown: usize,
    pub conflicts_resolved: usize,
    pub documents: usize,
    pub devices: usize,
    pub seconds: f64,
    compared: usize,
    differing: Vec<String>,
}

impl Outcome {
    pub fn is_good(&self) -> bool {
        self.agree && self.lost == 0
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "agree": self.agree,
            "acknowledged": self.acknowledged,
            "lost": self.lost,
            "refused": self.refused,
            "conflicts_shown": self.conflicts_shown,
            "conflicts_resolved": self.conflicts_resolved,
            "documents": self.documents,
            "devices": self.devices,
            "seconds": (self.seconds * 1000.0).round() / 1000.0,
        })
    }

    pub fn print(&self) {
        for difference in &self.differing {
            println!("DIFFERS  {difference}");
        }
        println!(
            "end    {} devices and the hub {} on {} documents ({} compared); {} commands acknowledged, {} lost, {} refused; {} \
             conflicts shown, {} resolved; {:.1} s",
            self.devices,
            if self.agree { "agree" } else { "DO NOT AGREE" },
            self.documents,
            self.compared,
            self.acknowledged,
            self.lost,
            self.refused,
            self.conflicts_shown,
            self.conflicts_resolved,
            self.seconds,
        );
    }
}

/// Commands that the hub has acknowledged, by device.
pub type Acknowledged = Vec<BTreeSet<CommandId>>;

/// What is acknowledged now.
pub fn acknowledged(players: &[Player]) -> Result<Acknowledged, Failure> {
    players
        .iter()
        .map(|player| {
            Ok(player.registro.acknowledged()?.into_iter().map(|(command, _, _)| command).collect())
        })
        .collect()
}

/// Commands that were refused or are with the office.
pub fn refused(players: &[Player]) -> Result<usize, Failure> {
    let mut refused = 0;
    for player in players {
        let written = player.registro.written()?;
        refused += written
            .iter()
            .filter(|w| {
                matches!(w.delivery, DeliveryState::Refused { .. } | DeliveryState::WithOffice { .. })
            })
            .count();
    }
    Ok(refused)
}

/// Compares every document on every device with the hub's, and looks for every acknowledged change in the hub.
/// `before` are commands that were acknowledged before the hub was restored: they must be acknowledged again.
pub fn judge(hub: &Hub, players: &[Player], before: &Acknowledged) -> Result<Outcome, Failure> {
    let identities = hub.documents()?;
    let mut outcome =
        Outcome { documents: identities.len(), devices: players.len(), agree: true, ..Outcome::default() };
    let mut shown: BTreeMap<DocumentId, (&str, [u8; 32])> = BTreeMap::new();
    for (player, before) in players.iter().zip(before) {
        let heads: BTreeMap<DocumentId, Vec<[u8; 32]>> = player.registro.heads()?;
        for (id, fingerprint) in player.registro.fingerprints()? {
            outcome.compared += 1;
            let mut hub_heads: Vec<[u8; 32]> =
                hub.document(id)?.document.heads().iter().map(|head| head.0).collect();
            hub_heads.sort_unstable();
            if heads.get(&id) != Some(&hub_heads) {
                outcome.agree = false;
                outcome.differing.push(format!("{}: {id} from the hub's", player.label));
            }
            match shown.get(&id) {
                Some((other, same)) if *same != fingerprint => {
                    outcome.agree = false;
                    outcome.differing.push(format!("{}: {id} from {other}'s", player.label));
                }
                Some(_) => {}
                None => {
                    shown.insert(id, (player.label, fingerprint));
                }
            }
        }
        let mut now = BTreeSet::new();
        for (command, document, change) in player.registro.acknowledged()? {
            now.insert(command);
            if !hub.document(document)?.document.contains(&registro_documents::ChangeHash(change)) {
                outcome.lost += 1;
                outcome
                    .differing
                    .push(format!("{}: command {command} in {document} is not in the hub", player.label));
            }
        }
        outcome.acknowledged += now.union(before).count();
        outcome.lost += before.difference(&now).count();
        for command in before.difference(&now) {
            outcome
                .differing
                .push(format!("{}: command {command} is not acknowledged any more", player.label));
        }
    }
    Ok(outcome)
}
