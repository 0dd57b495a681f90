//! Generates Swift, the C header and the module map from the built library: `cargo xtask bindings` calls it.

fn main() {
    uniffi::uniffi_bindgen_swift();
}
