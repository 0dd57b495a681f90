//! Facts become changes that fit the gate's bounds.

use registro_documents::fact::{Fact, Field, Scalar};
use registro_documents::gate::bounds::MAX_OPERATIONS;

use super::HubFact;

/// Bytes of facts that go into one change. Column encoding makes the chunk smaller than this estimate, the header
/// with up to 64 dependencies takes 2 KB of the gate's 16.
const MAX_BYTES: usize = 12 * 1024;

/// Cuts facts into groups, each of which fits one change.
pub fn pack(facts: Vec<HubFact>) -> Vec<Vec<HubFact>> {
    let mut groups: Vec<Vec<HubFact>> = Vec::new();
    let (mut bytes, mut operations) = (usize::MAX / 2, 0);
    for fact in facts {
        let (size, puts) = (size(&fact), operations_of(&fact.fact));
        if bytes + size > MAX_BYTES || operations + puts > MAX_OPERATIONS / 2 {
            groups.push(Vec::new());
            (bytes, operations) = (0, 0);
        }
        bytes += size;
        operations += puts;
        if let Some(group) = groups.last_mut() {
            group.push(fact);
        }
    }
    groups
}

fn size(fact: &HubFact) -> usize {
    let scalar = |scalar: &Scalar| match scalar {
        Scalar::Text(text) => text.len(),
        Scalar::Bytes(bytes) => bytes.len(),
        Scalar::Int(_) => 8,
        Scalar::Bool(_) => 1,
    };
    let fields: usize = fact
        .fact
        .fields
        .iter()
        .map(|(name, field)| {
            name.len()
                + match field {
                    Field::Scalar(value) => scalar(value),
                    Field::Map(map) => map.iter().map(|(name, value)| name.len() + scalar(value) + 8).sum(),
                }
                + 8
        })
        .sum();
    // The map, `v` with its 8 bytes, `as`, and the encoding of each operation.
    fact.key.len() + fields + 40
}

fn operations_of(fact: &Fact) -> usize {
    let fields: usize =
        fact.fields.values().map(|field| if let Field::Map(map) = field { 1 + map.len() } else { 1 }).sum();
    3 + fields
}

#[cfg(test)]
mod tests {
    use registro_model::{Capacity, CommandId};

    use super::*;

    #[test]
    fn every_fact_is_packed_once_and_no_group_exceeds_the_bounds() {
        let facts: Vec<_> = (0..500)
            .map(|n| HubFact {
                section: "people",
                key: format!("{n:032x}"),
                fact: Fact::new(CommandId([0; 8]), Capacity::School).with("name", "x".repeat(n % 190)),
            })
            .collect();
        let groups = pack(facts.clone());
        assert!(groups.len() > 3);
        assert!(groups.iter().all(|group| group.iter().map(size).sum::<usize>() <= MAX_BYTES));
        assert_eq!(groups.concat(), facts);
        assert!(pack(Vec::new()).is_empty());
    }
}
