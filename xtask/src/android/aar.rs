//! The archive that Android apps take in: a zip with a fixed layout (PLATFORMS.md §3, Google's "Anatomy of an AAR").

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::command::{Done, output, program, run};
use crate::{tools, workspace};

/// What an app's build reads of it: the oldest `compileSdk` that knows all attributes of the manifest.
const METADATA: &str = "aarFormatVersion=1.0\naarMetadataVersion=1.0\nminCompileSdk=31\n";
const METADATA_PLACE: &str = "META-INF/com/android/build/gradle/aar-metadata.properties";

/// Packs classes, resources, rules and libraries, the same bytes for the same content.
pub fn pack(classes: &Path, natives: &[(&str, &Path)], content: &Path, aar: &Path) -> Done {
    let module = workspace::root().join("android/aar");
    workspace::emptied(content)?;
    workspace::copied(&module.join("AndroidManifest.xml"), &content.join("AndroidManifest.xml"))?;
    workspace::copied(&module.join("consumer-rules.pro"), &content.join("proguard.txt"))?;
    workspace::copied(classes, &content.join("classes.jar"))?;
    for (abi, library) in natives {
        workspace::copied(library, &content.join("jni").join(abi).join("libregistro_ffi.so"))?;
    }
    let resources = workspace::files(&module.join("src/main/res"))?;
    for file in &resources {
        workspace::copied(&module.join("src/main/res").join(file), &content.join("res").join(file))?;
    }
    written(&content.join("R.txt"), &symbols(&resources)?)?;
    written(&content.join(METADATA_PLACE), METADATA)?;
    run(program("jar")
        .args(["--create", "--no-manifest", "--date=2026-01-01T00:00:00Z", "--file"])
        .arg(aar)
        .arg("-C")
        .arg(content)
        .arg("."))
}

/// Unpacks it into a folder, and checks its layout and what stands in it; the libraries are checked apart.
pub fn check(aar: &Path, natives: &[(&str, &Path)], into: &Path) -> Result<PathBuf, String> {
    workspace::emptied(into)?;
    run(program("jar").arg("--extract").arg("--file").arg(aar).current_dir(into))?;
    let files = workspace::files(into)?;
    let abis: BTreeSet<&str> = natives.iter().map(|(abi, _)| *abi).collect();
    let manifest = workspace::read(&into.join("AndroidManifest.xml"))?;
    let rules = workspace::read(&into.join("proguard.txt"))?;
    let classes = output(program("jar").arg("--list").arg("--file").arg(into.join("classes.jar")))?;
    let mut wrong = wrong_layout(&files, &abis);
    wrong.extend(wrong_manifest(&manifest, &files));
    wrong.extend(wrong_classes(&classes));
    for kept in ["com.sun.jna.**", "it.registro.**", "java.awt.**"] {
        if !rules.contains(kept) {
            wrong.push(format!("R8 is not told of {kept}"));
        }
    }
    if !wrong.is_empty() {
        return Err(format!("{}: {}", aar.display(), wrong.join("; ")));
    }
    resources_compile(into)?;
    println!("{}: layout, manifest, resources, rules and classes as an app expects them", aar.display());
    Ok(into.to_owned())
}

fn wrong_layout(files: &[PathBuf], abis: &BTreeSet<&str>) -> Vec<String> {
    let names: BTreeSet<String> = files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    let mut expected: BTreeSet<String> =
        ["AndroidManifest.xml", "R.txt", "classes.jar", "proguard.txt", METADATA_PLACE]
            .map(str::to_owned)
            .into();
    expected.extend(abis.iter().map(|abi| format!("jni/{abi}/libregistro_ffi.so")));
    let resource = |name: &&String| !name.starts_with("res/");
    let mut wrong: Vec<String> = expected.difference(&names).map(|name| format!("lacks {name}")).collect();
    wrong.extend(
        names
            .difference(&expected)
            .filter(resource)
            .map(|name| format!("has {name}, which nobody asked for")),
    );
    wrong
}

fn wrong_manifest(manifest: &str, files: &[PathBuf]) -> Vec<String> {
    let mut wrong = Vec::new();
    for said in ["android:minSdkVersion=\"26\"", "android:usesCleartextTraffic=\"false\""] {
        if !manifest.contains(said) {
            wrong.push(format!("its manifest does not say {said}"));
        }
    }
    for rules in ["dataExtractionRules", "fullBackupContent"] {
        let named = manifest
            .split(&format!("android:{rules}=\"@xml/"))
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let file = named.map(|name| PathBuf::from(format!("res/xml/{name}.xml")));
        if !file.is_some_and(|file| files.contains(&file)) {
            wrong.push(format!("its manifest's {rules} are not among its resources"));
        }
    }
    wrong
}

/// The Kotlin of every platform comes with registro-kotlin, JNA by itself: a class in two archives does not build.
fn wrong_classes(list: &str) -> Vec<String> {
    let classes = list.lines().filter(|name| name.ends_with(".class"));
    let foreign = classes.filter(|name| !name.starts_with("it/registro/android/"));
    let mut wrong: Vec<String> = foreign.map(|name| format!("its classes.jar has {name}")).collect();
    if !list.contains("it/registro/android/AndroidKeystoreVault.class") {
        wrong.push("its classes.jar has no vault".to_owned());
    }
    wrong
}

/// Android's own compiler reads the resources and the manifest that names them.
fn resources_compile(content: &Path) -> Done {
    tools::need(&[tools::AAPT, tools::FRAMEWORK])?;
    let (compiled, manifest) = (content.join("compiled.zip"), content.join("checked.xml"));
    output(program("aapt2").args(["compile", "--dir"]).arg(content.join("res")).arg("-o").arg(&compiled))?;
    // The framework that Debian has is Android 10's, which does not know this attribute of Android 12.
    let known = workspace::read(&content.join("AndroidManifest.xml"))?
        .replace("android:dataExtractionRules=\"@xml/registro_data_extraction_rules\"", "");
    written(&manifest, &known)?;
    let mut link = program("aapt2");
    link.args(["link", "-I", tools::FRAMEWORK.name, "--manifest"]).arg(&manifest);
    output(link.arg("-o").arg(content.join("linked.apk")).arg(&compiled)).map(drop)
}

/// The resources' names, as an app's build reads them; it gives them their numbers.
fn symbols(resources: &[PathBuf]) -> Result<String, String> {
    let mut lines = String::new();
    for file in resources {
        let folder = file.parent().unwrap_or(Path::new("")).to_string_lossy();
        let kind = folder.split('-').next().unwrap_or_default();
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        if kind == "values" {
            return Err(format!("{}: its names stand inside it, and nothing reads them yet", file.display()));
        }
        lines.push_str(&format!("int {kind} {name} 0x0\n"));
    }
    Ok(lines)
}

fn written(file: &Path, text: &str) -> Done {
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    file.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
    std::fs::write(file, text).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    const WHOLE: &[&str] = &[
        "AndroidManifest.xml",
        "R.txt",
        "classes.jar",
        "proguard.txt",
        METADATA_PLACE,
        "jni/x86_64/libregistro_ffi.so",
        "res/xml/registro_backup_rules.xml",
    ];

    #[test]
    fn what_is_missing_and_what_is_too_much_is_named() {
        let abis = BTreeSet::from(["x86_64"]);
        assert_eq!(wrong_layout(&files(WHOLE), &abis), Vec::<String>::new());
        let mut other = WHOLE.to_vec();
        other.retain(|name| *name != "proguard.txt");
        other.push("jni/mips/libregistro_ffi.so");
        assert_eq!(
            wrong_layout(&files(&other), &abis),
            ["lacks proguard.txt", "has jni/mips/libregistro_ffi.so, which nobody asked for"]
        );
    }

    #[test]
    fn a_manifest_names_what_must_hold_in_an_app_and_resources_that_are_there() {
        let manifest = include_str!("../../../android/aar/AndroidManifest.xml");
        let resources =
            files(&["res/xml/registro_backup_rules.xml", "res/xml/registro_data_extraction_rules.xml"]);
        assert_eq!(wrong_manifest(manifest, &resources), Vec::<String>::new());
        assert_eq!(wrong_manifest(manifest, &resources[..1]).len(), 1);
        assert_eq!(
            wrong_manifest(&manifest.replace("Traffic=\"false\"", "Traffic=\"true\""), &resources).len(),
            1
        );
    }

    #[test]
    fn a_class_of_another_archive_is_named() {
        let own = "it/registro/android/AndroidKeystoreVault.class\nMETA-INF/registro-android.kotlin_module\n";
        assert!(wrong_classes(own).is_empty());
        assert_eq!(wrong_classes(&format!("{own}com/sun/jna/Native.class\n")).len(), 1);
        assert_eq!(wrong_classes("").len(), 1);
    }

    #[test]
    fn resources_are_listed_by_kind_and_name() {
        let list = symbols(&files(&["drawable-night/logo.xml", "xml/registro_backup_rules.xml"]));
        assert_eq!(list.unwrap(), "int drawable logo 0x0\nint xml registro_backup_rules 0x0\n");
        assert!(symbols(&files(&["values/strings.xml"])).is_err());
    }
}
