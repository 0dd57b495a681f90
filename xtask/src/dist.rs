//! What is published, in `target/dist`: `maven` is a Maven repository, `swift` a Swift package. And two apps that see
//! nothing else of ours.

mod consumers;
mod hub;

use std::path::{Path, PathBuf};

use crate::bindings::{self, Built};
use crate::command::{self, Done};
use crate::{android, kotlin, workspace};

/// Makes it.
pub fn make() -> Done {
    made().map(drop)
}

/// Makes it, makes an AAR that no phone runs, and lets two apps outside the checkout call a roll with what was made.
pub fn test() -> Done {
    let (built, dist) = made()?;
    android::test_only(&built)?;
    consumers::try_both(&built, &dist)
}

fn made() -> Result<(Built, PathBuf), String> {
    let built = bindings::build()?;
    let dist = workspace::target()?.join("dist");
    let unfinished = workspace::target()?.join("dist.unfinished");
    workspace::emptied(&unfinished)?;
    maven(&built, &unfinished.join("maven"))?;
    swift(&built, &unfinished.join("swift"))?;
    // With its symbols: what the reports of a crash are read with.
    workspace::copied(
        &built.library.join(bindings::library_name()),
        &unfinished.join("symbols").join(jna_folder()).join(bindings::library_name()),
    )?;
    workspace::removed(&dist)?;
    std::fs::rename(&unfinished, &dist).map_err(|error| format!("{}: {error}", dist.display()))?;
    for file in workspace::files(&dist)? {
        let size =
            std::fs::metadata(dist.join(&file)).map_err(|error| format!("{}: {error}", file.display()))?;
        let checksum = file.extension().is_some_and(|kind| ["md5", "sha1"].iter().any(|sum| kind == *sum));
        if !checksum {
            println!("{:>10}  {}", size.len(), file.display());
        }
    }
    Ok((built, dist))
}

/// The jars with their sources, and the AAR where it can be built.
fn maven(built: &Built, repository: &Path) -> Done {
    let natives = kotlin::natives()?.join("jvm");
    workspace::emptied(&natives)?;
    let library = natives.join(jna_folder()).join(bindings::library_name());
    workspace::copied(&built.stripped(), &library)?;
    let url = format!("file://{}", repository.display());
    command::run(
        kotlin::maven(built)?
            // Not into the folder that Maven keeps for everybody: what is built next would find it there.
            .args(["-Dmaven.test.skip=true", "-Dmaven.install.skip=true"])
            .arg(format!("-DaltDeploymentRepository=dist::{url}"))
            .args(["--projects", "kotlin,jvm,aar", "deploy"]),
    )?;
    match android::for_every_phone(built)? {
        Ok(aar) => command::run(
            kotlin::maven_alone()?
                .arg("org.apache.maven.plugins:maven-deploy-plugin:3.1.4:deploy-file")
                .arg(format!("-Durl={url}"))
                .arg(format!("-Dfile={}", aar.display()))
                .arg(format!("-Dsources={}", android::classes("-sources").display()))
                .arg(format!("-DpomFile={}", pom_of_aar()?.display())),
        ),
        Err(missing) => {
            println!("registro-android is left out: {missing}");
            Ok(())
        }
    }
}

/// What Maven wrote for the classes, saying what the archive is.
fn pom_of_aar() -> Result<PathBuf, String> {
    let folder = workspace::root().join("android/aar/target");
    let published = as_aar(&workspace::read(&folder.join(".flattened-pom.xml"))?)?;
    let pom = folder.join("published-pom.xml");
    std::fs::write(&pom, published).map_err(|error| format!("{}: {error}", pom.display()))?;
    Ok(pom)
}

fn as_aar(pom: &str) -> Result<String, String> {
    let without = pom.replace("<packaging>jar</packaging>", "");
    let (head, rest) = without.split_once("</version>").ok_or("Maven wrote a POM without a version")?;
    // What the phone itself has is nobody's dependency.
    let mut kept = String::new();
    for part in rest.split_inclusive("</dependency>") {
        match part.split_once("<dependency>") {
            Some((before, inside)) if inside.contains("<scope>provided</scope>") => {
                kept.push_str(before.trim_end())
            }
            _ => kept.push_str(part),
        }
    }
    Ok(format!("{head}</version>\n  <packaging>aar</packaging>{kept}"))
}

/// The Swift package as it is developed, with what is generated and the library of this machine.
fn swift(built: &Built, package: &Path) -> Done {
    let ios = workspace::root().join("ios");
    workspace::copied(&ios.join("Package.swift"), &package.join("Package.swift"))?;
    for file in workspace::files(&ios.join("Sources"))? {
        workspace::copied(&ios.join("Sources").join(&file), &package.join("Sources").join(&file))?;
    }
    if cfg!(target_os = "linux") {
        let folder = format!("lib/linux-{}", std::env::consts::ARCH);
        workspace::copied(&built.stripped(), &package.join(folder).join(bindings::library_name()))?;
    }
    match crate::ios::for_every_device()? {
        Ok(framework) => {
            for file in workspace::files(&framework)? {
                workspace::copied(
                    &framework.join(&file),
                    &package.join("RegistroKitFFI.xcframework").join(&file),
                )?;
            }
        }
        Err(missing) => println!("the XCFramework is left out: {missing}"),
    }
    Ok(())
}

/// Where JNA looks for the library of this system in a jar.
fn jna_folder() -> String {
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let processor = if cfg!(target_arch = "x86_64") { "x86-64" } else { std::env::consts::ARCH };
    format!("{system}-{processor}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_archive_s_pom_says_what_it_is() {
        let pom = "<project>\n  <version>0.1.0</version>\n  <dependencies>\n    <dependency>\n      <version>1</version>\n    \
                   </dependency>\n    <dependency>\n      <scope>provided</scope>\n    </dependency>\n  </dependencies>\n</project>\n";
        let expected = "<project>\n  <version>0.1.0</version>\n  <packaging>aar</packaging>\n  <dependencies>\n    <dependency>\n      \
                        <version>1</version>\n    </dependency>\n  </dependencies>\n</project>\n";
        assert_eq!(super::as_aar(pom).unwrap(), expected);
        assert!(super::as_aar("<project/>").is_err());
    }
}
