//! The school's key, which signs certificates and notices.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use registro_documents::SigningKey;
use zeroize::Zeroizing;

use crate::error::HubError;
use crate::random::Random;

/// Where the school's key is kept. A real deployment keeps it in a key management service and hands it to the
/// process at its start; a school on its own keeps it in a file beside the database.
pub trait SchoolKeyVault {
    /// The school's key, made at the first call.
    fn school_key(&self, random: &mut dyn Random) -> Result<SigningKey, HubError>;
}

/// A file that holds the seed of the school's key, readable by its owner only.
#[derive(Debug, Clone)]
pub struct KeyFile(PathBuf);

impl KeyFile {
    /// The key file of a data directory.
    pub fn in_directory(directory: &Path) -> Self {
        Self(directory.join("school.key"))
    }
}

impl SchoolKeyVault for KeyFile {
    fn school_key(&self, random: &mut dyn Random) -> Result<SigningKey, HubError> {
        let seed = secret_file(&self.0, &mut |seed| random.fill(seed.as_mut_slice()))?;
        Ok(SigningKey::from_seed(&seed))
    }
}

/// The 32 secret bytes of a file that its owner alone reads; drawn and written if it is not there.
pub(crate) fn secret_file(
    path: &Path,
    draw: &mut dyn FnMut(&mut [u8; 32]),
) -> Result<Zeroizing<[u8; 32]>, HubError> {
    let mut seed = Zeroizing::new([0u8; 32]);
    match std::fs::File::open(path) {
        Ok(mut file) => file.read_exact(seed.as_mut_slice())?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            draw(&mut seed);
            // Whole before it stands in its place: an empty file would be a hub that never starts again.
            let whole = path.with_extension(format!("{}.new", std::process::id()));
            write_secret(&whole, seed.as_slice())?;
            // A link is made only where nothing is: of two processes that begin at once one keeps its key.
            let linked = std::fs::hard_link(&whole, path);
            std::fs::remove_file(&whole)?;
            match linked {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    std::fs::File::open(path)?.read_exact(seed.as_mut_slice())?;
                }
                linked => linked?,
            }
        }
        Err(error) => return Err(error.into()),
    }
    Ok(seed)
}

/// Puts a secret into a file that only its owner reads, whole or not at all.
pub(crate) fn write_secret(file: &Path, secret: &[u8]) -> Result<(), HubError> {
    let half = file.with_extension("part");
    match std::fs::remove_file(&half) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut writing = options.open(&half)?;
    writing.write_all(secret)?;
    writing.sync_all()?;
    std::fs::rename(&half, file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandomness;

    #[test]
    fn the_school_key_is_made_once_and_only_its_owner_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let vault = KeyFile::in_directory(directory.path());
        let first = vault.school_key(&mut SystemRandomness::new()).unwrap();
        let second = vault.school_key(&mut SystemRandomness::new()).unwrap();
        assert_eq!(first.public(), second.public());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(directory.path().join("school.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
