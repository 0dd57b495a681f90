//! The binding generators for Kotlin and Swift, of the same uniffi version as the library.
