//! What crosses crates: the school day, convergence, hostile input, crashes, benches.
