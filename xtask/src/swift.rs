//! The Swift tests, on Linux against the library of this machine and a real hub.

use crate::chroot::Chroot;
use crate::command::{Done, run};
use crate::{bindings, workspace};

/// Builds what they need, and compiles and runs them where Swift is.
pub fn test() -> Done {
    let built = bindings::build()?;
    // Swift's build does not notice every change of a generated header.
    workspace::emptied(&workspace::target()?.join("swift"))?;
    let chroot = Chroot::with_swift()?;
    run(&mut chroot.command(
        &[
            (workspace::root(), "/mnt/registro"),
            (workspace::target()?, "/mnt/target"),
            (&built.programs, "/mnt/programs"),
            (&built.library, "/mnt/library"),
        ],
        &[
            ("LD_LIBRARY_PATH", "/usr/libexec/swift/lib/swift/linux:/mnt/library"),
            ("REGISTRO_HUB_BIN", "/mnt/programs/registro-hub"),
            ("REGISTRO_TEST_DATA", "/mnt/registro/tests/data/istituto"),
        ],
        &[
            "swift",
            "test",
            // All tests are of the newer kind; the older runner would close on "0 tests".
            "--disable-xctest",
            "--package-path",
            "/mnt/registro/ios",
            "--scratch-path",
            "/mnt/target/swift",
            "-Xlinker",
            "-L/mnt/library",
        ],
    ))
}
