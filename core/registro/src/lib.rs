//! The register as an app uses it: open, log in, call the roll offline, sync, observe.
