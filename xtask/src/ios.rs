//! The XCFramework: the library for devices and simulators, which the Swift package takes in on Apple's systems.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::bindings;
use crate::command::{self, Done, output, program};
use crate::shipped::{self, System};
use crate::{tools, workspace};

/// The oldest iOS that is served (DESIGN §1). Apple's linker reads it.
const OLDEST: &str = "16.0";
const DEVICE: &str = "aarch64-apple-ios";
const SIMULATORS: [&str; 2] = ["aarch64-apple-ios-sim", "x86_64-apple-ios"];

/// Builds and checks it.
pub fn run() -> Done {
    needed()?;
    bindings::build()?;
    println!("{}", build()?.display());
    Ok(())
}

/// The XCFramework, where there is Xcode; otherwise why there is none. The bindings are built.
pub fn for_every_device() -> Result<Result<PathBuf, String>, String> {
    match needed() {
        Ok(()) => build().map(Ok),
        Err(missing) => Ok(Err(missing)),
    }
}

fn needed() -> Done {
    if !tools::is_there("xcodebuild") {
        return Err(
            "no Xcode here (xcodebuild): an XCFramework is made on a Mac; nothing was built".to_owned()
        );
    }
    for target in SIMULATORS.iter().chain([&DEVICE]) {
        let folder = output(program("rustc").args(["--print", "target-libdir", "--target", target]))?;
        if !Path::new(folder.trim()).is_dir() {
            return Err(format!(
                "Rust for {target} is missing: rustup target add {target}; nothing was built"
            ));
        }
    }
    Ok(())
}

// Written from Apple's documentation and PLATFORMS.md §4; no Mac has run it yet.
fn build() -> Result<PathBuf, String> {
    let target = workspace::target()?;
    let (folder, unfinished) = (target.join("ios"), target.join("ios/unfinished"));
    workspace::emptied(&unfinished)?;
    for triple in SIMULATORS.iter().chain([&DEVICE]) {
        let mut library = shipped::build(System::Apple)?;
        command::run(library.args(["--target", triple]).env("IPHONEOS_DEPLOYMENT_TARGET", OLDEST))?;
    }
    let library = |triple: &str| target.join(triple).join("mobile/libregistro_ffi.a");
    let simulators = unfinished.join("libregistro_ffi.a");
    command::run(
        program("lipo").arg("-create").args(SIMULATORS.map(library)).arg("-output").arg(&simulators),
    )?;
    let headers = unfinished.join("headers");
    for file in ["RegistroKitFFI.h", "module.modulemap"] {
        workspace::copied(&target.join("bindings/swift").join(file), &headers.join(file))?;
    }
    let framework = unfinished.join("RegistroKitFFI.xcframework");
    let mut create = program("xcodebuild");
    create.arg("-create-xcframework");
    for slice in [library(DEVICE), simulators] {
        create.arg("-library").arg(slice).arg("-headers").arg(&headers);
    }
    command::run(create.arg("-output").arg(&framework))?;
    let wrong = wrong_layout(&workspace::files(&framework)?);
    if !wrong.is_empty() {
        return Err(format!("{}: {}", framework.display(), wrong.join("; ")));
    }
    let finished = folder.join("RegistroKitFFI.xcframework");
    workspace::removed(&finished)?;
    std::fs::rename(&framework, &finished).map_err(|error| format!("{}: {error}", finished.display()))?;
    Ok(finished)
}

/// What an XCFramework of static libraries has, for devices and simulators.
fn wrong_layout(files: &[PathBuf]) -> Vec<String> {
    let names: BTreeSet<String> = files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    let mut expected = vec!["Info.plist".to_owned()];
    for slice in ["ios-arm64", "ios-arm64_x86_64-simulator"] {
        let inside = ["libregistro_ffi.a", "Headers/RegistroKitFFI.h", "Headers/module.modulemap"];
        expected.extend(inside.map(|file| format!("{slice}/{file}")));
    }
    expected.into_iter().filter(|name| !names.contains(name)).map(|name| format!("lacks {name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_without_its_module_map_is_named() {
        let mut files = vec![PathBuf::from("Info.plist")];
        for slice in ["ios-arm64", "ios-arm64_x86_64-simulator"] {
            for file in ["libregistro_ffi.a", "Headers/RegistroKitFFI.h", "Headers/module.modulemap"] {
                files.push(Path::new(slice).join(file));
            }
        }
        assert!(wrong_layout(&files).is_empty());
        // A module of another name is not found by the compiler.
        files.retain(|file| !file.ends_with("ios-arm64/Headers/module.modulemap"));
        files.push(PathBuf::from("ios-arm64/Headers/RegistroKitFFI.modulemap"));
        assert_eq!(wrong_layout(&files), ["lacks ios-arm64/Headers/module.modulemap"]);
    }
}
