//! The wrapped per-user key on disk, with the name of the vault's key that wraps it. It stands beside the database,
//! so that a damaged database does not take it along, and twice, so that no one damaged file does.

use std::path::Path;

use ring::digest::{SHA256, digest};

use crate::error::StoreError;
use crate::files;
use crate::pin::PinParameters;
use crate::seal;
use crate::vault::VaultError;

const NAMES: [&str; 2] = ["key.wrapped", "key.wrapped.copy"];
const MAGIC: &[u8] = b"registro-key/1\n";
/// The same and one part more: how the PIN becomes a key. A version that knows no PIN takes it for damaged and
/// touches nothing.
const MAGIC_WITH_PIN: &[u8] = b"registro-key/2\n";

/// What the key file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// Name of the vault's key: this store's own, so that destroying it destroys no other store.
    pub alias: String,
    /// The per-user key, wrapped; sealed under the PIN before, if there is one.
    pub wrapped: Vec<u8>,
    /// How the PIN becomes a key, if the store has one.
    pub pin: Option<PinParameters>,
    /// Tells whether an unwrapped key is the one.
    pub(crate) check: [u8; 16],
}

impl KeyFile {
    /// Reads the key file; a copy that is damaged or absent is made again from the other.
    ///
    /// # Errors
    /// [`StoreError::KeyFile`] if there is one and it is damaged, its copy too.
    pub(crate) fn read(directory: &Path) -> Result<Option<Self>, StoreError> {
        let mut found = None;
        let mut mend = Vec::new();
        let mut damaged = false;
        for name in NAMES {
            let path = directory.join(name);
            let bytes = files::read_if_there(&path)?;
            damaged |= bytes.is_some();
            match bytes.as_deref().and_then(Self::parse) {
                // A change that a power cut interrupted: what was written first counts.
                Some(file) if found.as_ref().is_some_and(|found| *found != file) => mend.push(path),
                Some(file) => found = Some(file),
                None => mend.push(path),
            }
        }
        let Some(file) = found else {
            return if damaged { Err(StoreError::KeyFile) } else { Ok(None) };
        };
        for path in mend {
            // If the disk is full, the next opening tries again.
            let _ = files::replace(&path, &file.to_bytes());
        }
        Ok(Some(file))
    }

    /// Writes the key file, the first copy to its end before the other is touched.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), StoreError> {
        for name in NAMES {
            files::replace(&directory.join(name), &self.to_bytes())?;
        }
        Ok(())
    }

    /// A name of the store that stays when its PIN, and the vault's key with it, is another. Says nothing.
    pub fn store_id(&self) -> String {
        self.check.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A name for the vault's key that no other store has.
    pub(crate) fn draw_alias(prefix: &str) -> Result<String, StoreError> {
        let mut id = [0; 16];
        seal::fill(&mut id)?;
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{prefix}.{hex}"))
    }

    /// Refuses a key that is not this store's: nothing would open, and all of it would be taken for damaged.
    pub(crate) fn confirm(&self, check: [u8; 16]) -> Result<(), StoreError> {
        if self.check == check { Ok(()) } else { Err(StoreError::Vault(VaultError::Invalidated)) }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let pin = self.pin.as_ref().map(PinParameters::to_bytes);
        let mut out = if pin.is_some() { MAGIC_WITH_PIN } else { MAGIC }.to_vec();
        let parts = [self.alias.as_bytes(), &self.check, &self.wrapped];
        for part in parts.into_iter().chain(pin.as_deref()) {
            out.extend_from_slice(&(part.len() as u32).to_be_bytes());
            out.extend_from_slice(part);
        }
        let sum = digest(&SHA256, &out);
        out.extend_from_slice(sum.as_ref());
        out
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
        if digest(&SHA256, body).as_ref() != sum {
            return None;
        }
        let (mut rest, has_pin) = match body.strip_prefix(MAGIC) {
            Some(rest) => (rest, false),
            None => (body.strip_prefix(MAGIC_WITH_PIN)?, true),
        };
        let mut part = || {
            let (length, after) = rest.split_at_checked(4)?;
            let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
            let (part, after) = after.split_at_checked(length)?;
            rest = after;
            Some(part)
        };
        let alias = String::from_utf8(part()?.to_vec()).ok()?;
        let check = part()?.try_into().ok()?;
        let wrapped = part()?.to_vec();
        let pin = if has_pin { Some(PinParameters::parse(part()?)?) } else { None };
        Some(Self { alias, wrapped, pin, check })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> KeyFile {
        KeyFile {
            alias: KeyFile::draw_alias("registro").unwrap(),
            wrapped: b"wrapped".to_vec(),
            pin: None,
            check: [7; 16],
        }
    }

    #[test]
    fn either_copy_is_enough_and_makes_the_other_again() {
        for name in NAMES {
            let directory = tempfile::tempdir().unwrap();
            let file = file();
            file.write(directory.path()).unwrap();
            let path = directory.path().join(name);
            let sound = std::fs::read(&path).unwrap();
            for index in 0..sound.len() {
                let mut flipped = sound.clone();
                flipped[index] ^= 4;
                std::fs::write(&path, flipped).unwrap();
                assert_eq!(KeyFile::read(directory.path()).unwrap(), Some(file.clone()), "byte {index}");
                assert_eq!(std::fs::read(&path).unwrap(), sound);
            }
            std::fs::remove_file(&path).unwrap();
            assert_eq!(KeyFile::read(directory.path()).unwrap(), Some(file));
            assert_eq!(std::fs::read(&path).unwrap(), sound);
        }
    }

    #[test]
    fn a_change_that_was_interrupted_counts_if_its_first_copy_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let before = file();
        before.write(directory.path()).unwrap();
        let after = KeyFile { pin: Some(PinParameters::draw().unwrap()), ..file() };
        std::fs::write(directory.path().join(NAMES[0]), after.to_bytes()).unwrap();
        assert_eq!(KeyFile::read(directory.path()).unwrap(), Some(after.clone()));
        assert_eq!(std::fs::read(directory.path().join(NAMES[1])).unwrap(), after.to_bytes());
    }

    #[test]
    fn two_damaged_copies_are_an_error_and_stay_as_they_are() {
        let directory = tempfile::tempdir().unwrap();
        for name in NAMES {
            std::fs::write(directory.path().join(name), b"short").unwrap();
        }
        assert!(matches!(KeyFile::read(directory.path()), Err(StoreError::KeyFile)));
        assert_eq!(std::fs::read(directory.path().join(NAMES[0])).unwrap(), b"short");
    }
}
