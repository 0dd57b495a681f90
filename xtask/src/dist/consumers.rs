//! Two small apps, one for each language, as their developers would begin them: outside the checkout, with one
//! dependency. They call a roll without a connection and deliver it to a real hub.

use std::path::{Path, PathBuf};

use super::hub::Hub;
use crate::bindings::Built;
use crate::chroot::Chroot;
use crate::command::{Done, run};
use crate::{android, kotlin, workspace};

/// Runs both.
pub fn try_both(built: &Built, dist: &Path) -> Done {
    let folder = Outside::new()?;
    let hub = Hub::start(built, &folder.0.join("hub"))?;
    in_kotlin(&folder.0, dist, &hub)?;
    in_swift(&folder.0, dist, &hub)
}

fn in_kotlin(folder: &Path, dist: &Path, hub: &Hub) -> Done {
    let app = copy_of("android/consumer", &folder.join("kotlin"))?;
    let cache =
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".m2/repository")).unwrap_or_default();
    run(kotlin::maven_alone()?
        .arg("--file")
        .arg(app.join("pom.xml"))
        // A folder of its own for what it downloads, so that of ours it sees what is in `dist` and nothing else; the
        // rest is copied from where Maven has it already.
        .arg(format!("-Dmaven.repo.local={}", folder.join("repository").display()))
        .arg(format!("-Dregistro.dist=file://{}", dist.join("maven").display()))
        .arg(format!("-Dregistro.cache=file://{}", cache.display()))
        .arg(format!("-Dregistro.version={}", android::version()))
        .arg(format!("-Dexec.args={}", hub.address))
        .args(["compile", "exec:java"]))
}

fn in_swift(folder: &Path, dist: &Path, hub: &Hub) -> Done {
    let app = copy_of("ios/consumer", &folder.join("swift"))?;
    let chroot = Chroot::with_swift()?;
    run(&mut chroot.command(
        &[(&app, "/mnt/app"), (&dist.join("swift"), "/mnt/RegistroKit")],
        &[("LD_LIBRARY_PATH", "/usr/libexec/swift/lib/swift/linux")],
        &["swift", "run", "--package-path", "/mnt/app", "roll", &hub.address],
    ))
}

fn copy_of(app: &str, to: &Path) -> Result<PathBuf, String> {
    let from = workspace::root().join(app);
    for file in workspace::files(&from)? {
        workspace::copied(&from.join(&file), &to.join(&file))?;
    }
    Ok(to.to_owned())
}

/// A folder outside the checkout, removed at the end.
struct Outside(PathBuf);

impl Outside {
    fn new() -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("registro-apps-{}", std::process::id()));
        workspace::emptied(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
