//! The façade through UniFFI: Kotlin and Swift.
