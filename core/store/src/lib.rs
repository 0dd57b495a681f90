//! The device's store: encrypted SQLite, change log, snapshots, views, outbox, key hierarchy.
