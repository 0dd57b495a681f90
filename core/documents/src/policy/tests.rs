//! The policy's table, row by row.
