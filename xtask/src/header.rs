//! Whether the library has every function that the generated C header promises.

use std::collections::BTreeSet;
use std::path::Path;

use crate::command::{Done, output, program};

/// Compares the header with what the library exports. A difference means a stale generated file, or symbols that
/// linking has dropped; an app would find it only when it starts.
pub fn check(header: &str, library: &Path) -> Done {
    let promised = promised(header);
    let symbols = output(program("nm").args(["-D", "--defined-only"]).arg(library))?;
    let exported = exported(&symbols);
    let missing: Vec<&str> = promised.difference(&exported).copied().collect();
    if promised.is_empty() {
        return Err("the generated header promises no function".to_owned());
    }
    if !missing.is_empty() {
        return Err(format!("the library lacks what its header promises: {}", missing.join(", ")));
    }
    println!("{} of {} functions of the header are in the library", promised.len(), promised.len());
    Ok(())
}

fn promised(header: &str) -> BTreeSet<&str> {
    let names = header.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '('));
    let called = names.filter_map(|word| word.split_once('(').map(|(name, _)| name));
    called.filter(|name| name.starts_with("uniffi_") || name.starts_with("ffi_")).collect()
}

fn exported(symbols: &str) -> BTreeSet<&str> {
    symbols.lines().filter_map(|line| line.split_whitespace().next_back()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "
        #ifndef UNIFFI_FFIDEF_FFI_REGISTRO
        typedef void (*UniffiCallback)(uint64_t, int8_t);
        RustBuffer uniffi_registro_ffi_fn_func_library_version(RustCallStatus *_Nonnull out_status
        );
        RustBuffer ffi_registro_ffi_rustbuffer_alloc(uint64_t size, RustCallStatus *_Nonnull out_status);
    ";

    #[test]
    fn functions_of_a_header_are_found_and_types_are_not() {
        let expected = ["ffi_registro_ffi_rustbuffer_alloc", "uniffi_registro_ffi_fn_func_library_version"];
        assert_eq!(promised(HEADER), BTreeSet::from(expected));
    }

    #[test]
    fn exported_functions_are_the_last_word_of_a_line() {
        assert_eq!(exported("000000000012 T one\n0000000000ab W two\n"), BTreeSet::from(["one", "two"]));
    }
}
