//! Whether the library has every function that the generated C header promises.

use std::collections::BTreeSet;

/// Functions that the header promises and the library does not export: a stale generated file, or symbols that linking
/// has dropped. An app would find it only when it starts.
pub fn missing<'a>(header: &'a str, exported: &BTreeSet<String>) -> impl Iterator<Item = &'a str> {
    let promised = promised(header);
    // A header without any is as wrong as a library without them.
    let none = promised.is_empty().then_some("every function: the header promises none");
    promised.into_iter().filter(|name| !exported.contains(*name)).chain(none)
}

/// Functions that the header promises.
pub fn promised(header: &str) -> BTreeSet<&str> {
    let names = header.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '('));
    let called = names.filter_map(|word| word.split_once('(').map(|(name, _)| name));
    called.filter(|name| name.starts_with("uniffi_") || name.starts_with("ffi_")).collect()
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
    fn what_the_library_lacks_is_named() {
        let exported = BTreeSet::from(["ffi_registro_ffi_rustbuffer_alloc".to_owned()]);
        let expected = ["uniffi_registro_ffi_fn_func_library_version"];
        assert_eq!(missing(HEADER, &exported).collect::<Vec<_>>(), expected);
        assert_eq!(missing("", &exported).count(), 1);
    }
}
