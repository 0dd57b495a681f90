//! Which library this is.

/// The version of this library, such as `0.1.0`. Name it in a report of a fault.
#[uniffi::export]
pub fn library_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_is_the_workspace_s() {
        assert_eq!(super::library_version().split('.').count(), 3);
    }
}
