//! Sync between a device and the school's hub: wire messages, the device's state machine, HTTP transport.
