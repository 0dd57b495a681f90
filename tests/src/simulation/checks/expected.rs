//! What the hub may say to a command: by the policy alone, in every state that the school's people were in and on
//! every day on which the command may have arrived. That the policy itself is right, its own table shows; here it is
//! shown that nothing but the policy turns honest work away, and nothing gets past it.

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::policy::{self, Answer, Question, Reason};
use registro_documents::{Command, DocumentIdentity};
use registro_hub::clock::day_in_italy;
use registro_hub::registry::Registered;
use registro_model::{Date, DocumentId, PersonId};
use registro_sync::Code;
use registro_sync::device::Refusal;

use super::Past;
use crate::miniature::SCHOOL;

/// The school's past.
pub(super) struct Model<'a> {
    identities: BTreeMap<DocumentId, &'a DocumentIdentity>,
    past: &'a Past<'a>,
    today: Date,
}

/// What speaks against a command: by document, the first reason.
type Objections = BTreeMap<DocumentId, Reason>;

impl<'a> Model<'a> {
    pub fn new(identities: &'a [DocumentIdentity], past: &'a Past<'a>) -> Self {
        let identities = identities.iter().map(|identity| (identity.id, identity)).collect();
        Self { identities, past, today: day_in_italy(past.now) }
    }

    /// Whether the hub may have accepted it.
    pub fn may_be_accepted(&self, author: PersonId, command: &Command) -> bool {
        self.any(command, |registered, day| match self.verdict(registered, day, author, command) {
            None => true,
            Some((code, _)) => code == Code::Office && self.past.admitted,
        })
    }

    /// Whether the hub may have turned it away so, for these causes and no others.
    pub fn may_be_refused(&self, author: PersonId, command: &Command, refusal: &Refusal) -> bool {
        let causes: BTreeSet<_> = refusal.causes.iter().copied().collect();
        self.any(command, |registered, day| {
            self.verdict(registered, day, author, command).is_some_and(|(code, objections)| {
                code == refusal.code
                    && objections.keys().copied().collect::<BTreeSet<_>>() == causes
                    && objections.values().any(|reason| Some(*reason) == refusal.reason)
            })
        })
    }

    fn any(&self, command: &Command, test: impl Fn(&Registered, Date) -> bool) -> bool {
        let given = day_in_italy(command.claimed.saturating_mul(1_000));
        let mut days = given.iter_days().take_while(|day| *day <= self.today);
        days.any(|day| self.past.history.iter().any(|registered| test(registered, day)))
    }

    fn verdict(
        &self,
        registered: &Registered,
        day: Date,
        author: PersonId,
        command: &Command,
    ) -> Option<(Code, Objections)> {
        let refused = |question: &Question<'_>| match policy::judge(question) {
            Answer::Allowed => None,
            Answer::Refused(reason) => Some(reason),
            Answer::CannotTell => Some(Reason::NotInCapacity),
        };
        let refused = self.ask(registered, day, author, command, refused);
        if !refused.is_empty() {
            return Some((Code::Refused, refused));
        }
        let office =
            self.ask(registered, day, author, command, |question| policy::office::destination(question, day));
        (!office.is_empty()).then_some((Code::Office, office))
    }

    fn ask(
        &self,
        registered: &Registered,
        day: Date,
        author: PersonId,
        command: &Command,
        ask: impl Fn(&Question<'_>) -> Option<Reason>,
    ) -> Objections {
        let mut objections = Objections::new();
        for write in &command.writes {
            let Some(document) = self.identities.get(&write.document) else { continue };
            let question = Question {
                school_id: SCHOOL,
                school: &registered.school,
                directory: &registered.directory,
                document,
                author,
                capacity: command.capacity,
                section: &write.section,
                key: &write.key,
                fact: &write.fact,
                // Nobody writes over what only its author may write over.
                replaced: &[],
                latest: day.succ_opt(),
            };
            if let Some(reason) = ask(&question) {
                objections.entry(write.document).or_insert(reason);
            }
        }
        objections
    }
}
