//! Why something was refused or sent to the office, as a stable kind and a sentence for the person.

use minicbor::{Decode, Encode};

macro_rules! reasons {
    ($($(#[$doc:meta])* $number:literal $name:ident $kind:literal $italian:literal $english:literal;)*) => {
        /// Why the policy refuses a fact, or the hub sends it to the office.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(index_only)]
        pub enum Reason {
            $($(#[$doc])* #[n($number)] $name,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Stable name for programs.
            pub const fn kind(self) -> &'static str {
                match self { $(Self::$name => $kind),* }
            }

            /// The sentence for the person, in Italian.
            pub const fn italian(self) -> &'static str {
                match self { $(Self::$name => $italian),* }
            }

            /// The sentence for the person, in English.
            pub const fn english(self) -> &'static str {
                match self { $(Self::$name => $english),* }
            }
        }
    };
}

reasons! {
    /// The fact names another capacity than the envelope.
    0 CapacityMismatch "capacity-mismatch"
        "La registrazione indica una qualifica diversa da quella firmata."
        "The entry names another capacity than the signed one.";
    /// Dated after the hub's tomorrow.
    1 Future "future"
        "La data è nel futuro."
        "The date lies in the future.";
    /// Nothing may be written there.
    2 NotWritable "not-writable"
        "Qui non si può scrivere."
        "Nothing can be written here.";
    /// The capacity does not write such facts.
    3 NotInCapacity "not-in-capacity"
        "Con questa qualifica non è possibile registrarlo."
        "This cannot be entered in this capacity.";
    /// No such role on that day.
    4 NoRole "no-role"
        "In quella data non hai l'incarico necessario."
        "You do not hold the necessary office on that date.";
    /// Not the class's coordinator on that day.
    5 NotCoordinator "not-coordinator"
        "In quella data non coordini la classe."
        "You do not coordinate the class on that date.";
    /// No assignment in the class on that day.
    6 NotAssigned "not-assigned"
        "In quella data non hai una cattedra in questa classe: puoi firmare come sostituto."
        "You have no assignment in this class on that date: you can sign as a substitute.";
    /// Not a teacher in service on that day.
    7 NotInService "not-in-service"
        "In quella data non sei in servizio come docente."
        "You are not in service as a teacher on that date.";
    /// The pupil is in no class on that day.
    8 NotEnrolled "not-enrolled"
        "In quella data l'alunno non è iscritto a nessuna classe."
        "The pupil is in no class on that date.";
    /// The class is not of this school and year.
    9 UnknownClass "unknown-class"
        "La classe non esiste in questo anno scolastico."
        "The class does not exist in this school year.";
    /// No lessons on that day.
    10 NoLessons "no-lessons"
        "In quella data non c'è lezione."
        "There are no lessons on that date.";
    /// Only the school writes directory facts.
    11 SchoolOnly "school-only"
        "Questo dato lo scrive solo la scuola."
        "Only the school writes this.";
    /// Dated in another month than the document's.
    12 OtherMonth "other-month"
        "La data è di un altro mese."
        "The date belongs to another month.";
    /// Under another person's name.
    13 OthersName "others-name"
        "Non si può scrivere a nome di un'altra persona."
        "Nobody writes under another person's name.";
    /// Over another person's fact.
    14 OthersFact "others-fact"
        "Solo chi l'ha scritto può modificarlo."
        "Only its author can change it.";
    /// The school does not allow it online.
    15 NotEnabled "not-enabled"
        "La scuola non consente di giustificare online."
        "The school does not allow this online.";
    /// No complete right over the pupil on that day.
    16 NoGuardianRight "no-guardian-right"
        "In quella data non risulti tra chi può giustificare per questo alunno."
        "You are not among those who may justify for this pupil on that date.";
    /// A minor does not justify.
    17 Minor "minor"
        "Gli alunni minorenni non possono giustificare."
        "Pupils under age cannot justify.";
    /// To the office: the term's council has begun.
    18 CouncilBegun "council-begun"
        "Lo scrutinio del periodo è già iniziato: la registrazione è in segreteria."
        "The term's council has begun: the entry is with the office.";
    /// To the office: a substitute's fact received more than three days later.
    19 LateSubstitute "late-substitute"
        "Registrazione da sostituto arrivata dopo più di tre giorni: è in segreteria."
        "A substitute's entry arrived more than three days later: it is with the office.";
    /// To the office: about a pupil whose guardian the author is.
    20 OwnChild "own-child"
        "Riguarda un alunno di cui sei genitore o tutore: la registrazione è in segreteria."
        "It concerns a pupil whose guardian you are: the entry is with the office.";
    /// To the office: the author's right ended long before it arrived.
    21 LatePush "late-push"
        "Arrivata molto dopo la fine dell'incarico: la registrazione è in segreteria."
        "It arrived long after the assignment had ended: the entry is with the office.";
    /// The device had been revoked.
    22 Revoked "revoked"
        "Il dispositivo è stato revocato."
        "The device has been revoked.";
}
