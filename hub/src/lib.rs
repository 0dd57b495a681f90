//! The school's hub: the log that devices sync with, the directory, imports, certificates.
