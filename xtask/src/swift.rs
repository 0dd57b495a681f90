//! The Swift tests, on Linux against the library of this machine and a real hub.

use std::path::Path;

use crate::chroot::Chroot;
use crate::command::{Done, run};
use crate::{bindings, workspace};

/// Type-checks what Linux does not compile: files for Apple's systems, against stubs of the few symbols that they use.
/// A whole module is made of them and nothing is linked: checking types alone would miss what Swift 6 says of threads.
const FOR_APPLE: &str = "
set -eu
mkdir -p /mnt/target/swift-stubs
cd /mnt/target/swift-stubs
for stub in Security LocalAuthentication; do
    swiftc -swift-version 6 -parse-as-library -emit-module -module-name $stub /mnt/registro/ios/AppleStubs/$stub.swift
done
cp -r /mnt/registro/ios/Sources/RegistroKitFFI .
swiftc -swift-version 6 -warnings-as-errors -parse-as-library -module-name RegistroKit -emit-module \
    -I . -I RegistroKitFFI /mnt/registro/ios/Sources/RegistroKit/*.swift
echo 'files for Apple systems fit their stubs'
";

/// Builds what they need, and compiles and runs them where Swift is.
pub fn test() -> Done {
    let built = bindings::build()?;
    // Swift's build does not notice every change of a generated header.
    workspace::emptied(&workspace::target()?.join("swift"))?;
    let chroot = Chroot::with_swift()?;
    let shown: [(&Path, &str); 4] = [
        (workspace::root(), "/mnt/registro"),
        (workspace::target()?, "/mnt/target"),
        (&built.programs, "/mnt/programs"),
        (&built.library, "/mnt/library"),
    ];
    let runtime = ("LD_LIBRARY_PATH", "/usr/libexec/swift/lib/swift/linux");
    run(&mut chroot.command(&shown, &[runtime], &["sh", "-c", FOR_APPLE]))?;
    run(&mut chroot.command(
        &shown,
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
