//! Events: what changed, pulled in batches.

use registro_model::{CommandId, DocumentId};

/// Something that an app may want to show.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Event {
    /// Documents changed: screens that show them read again.
    Changed {
        /// Which.
        documents: Vec<DocumentId>,
    },
    /// The hub confirmed what was written.
    Confirmed {
        /// What `written` lists under this id.
        command: CommandId,
    },
    /// Something written was refused or is with the office: `written` says why.
    NotAccepted {
        /// What `written` lists under this id.
        command: CommandId,
    },
    /// Another device of this person logged in.
    NewDevice,
    /// The school's register was restored from a backup: this device offers its work again by itself.
    Restored,
}

impl From<registro::Event> for Event {
    fn from(event: registro::Event) -> Self {
        match event {
            registro::Event::Changed(documents) => Self::Changed { documents },
            registro::Event::Confirmed(command) => Self::Confirmed { command },
            registro::Event::NotAccepted(command) => Self::NotAccepted { command },
            registro::Event::NewDevice => Self::NewDevice,
            registro::Event::Restored => Self::Restored,
        }
    }
}
