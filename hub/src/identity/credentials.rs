//! The school's own credentials.
