//! Whom a fiscal number names, whether they may log in, where mail reaches them.
